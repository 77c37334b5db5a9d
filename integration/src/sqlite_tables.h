// The state in an open SQLite database.
#ifndef LOCKSTEP_INTEGRATION_SQLITE_TABLES_H_
#define LOCKSTEP_INTEGRATION_SQLITE_TABLES_H_

#include <sqlite3.h>

#include <memory>
#include <string>

#include "lockstep/result.h"
#include "lockstep/store.h"

namespace lockstep {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

// What a status of SQLite means; `database` may be null.
Error StoreError(sqlite3* database, int status);

std::string ColumnText(sqlite3_stmt* row, int column);

// `version`: of the tables that are there (sqlite_schema.h). Only those of the newest version may
// be written to.
std::unique_ptr<Store> MakeSqliteTables(Database database, int version);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_SQLITE_TABLES_H_
