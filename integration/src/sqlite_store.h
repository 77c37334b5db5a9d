// The store in a SQLite file.
#ifndef LOCKSTEP_INTEGRATION_SQLITE_STORE_H_
#define LOCKSTEP_INTEGRATION_SQLITE_STORE_H_

#include <memory>
#include <string>

#include "lockstep/result.h"
#include "lockstep/store.h"

namespace lockstep {

struct OpenedStore {
  std::unique_ptr<Store> store;
  std::string note;  // For people: what was set aside or left out; empty where all is well.
};

// Opens `state_dir`/lockstep.db, making the directory (mode 0700) and the file where they are
// missing. A file that is damaged is set aside as lockstep.db.corrupt-<n> and a new one begun:
// losing the store loses no service. Errors: those of Store, and kUnsupported (a newer Lockstep
// wrote it), kInvalidInput (`state_dir` is no directory).
Result<OpenedStore> OpenSqliteStore(const std::string& state_dir);

// The same as it is now, to be read only: nothing is made, changed or set aside, so that it may be
// done beside a Lockstep at work. It is empty where the file is missing, and, with a note, where it
// is damaged, without content or not for us to read. Errors: as above.
Result<OpenedStore> OpenSqliteStoreToLook(const std::string& state_dir);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_SQLITE_STORE_H_
