// The tables that the state is kept in, and how those of older versions become them.
#ifndef LOCKSTEP_INTEGRATION_SQLITE_SCHEMA_H_
#define LOCKSTEP_INTEGRATION_SQLITE_SCHEMA_H_

#include <array>

namespace lockstep {

// Lists are kept as JSON, so that a record is one row, and putting it one statement.
inline constexpr const char* kFirstTables =
    "CREATE TABLE app (app TEXT PRIMARY KEY, committed TEXT, cutover TEXT, failed TEXT NOT NULL,"
    "  stopped TEXT NOT NULL, purge TEXT NOT NULL, retired TEXT NOT NULL,"
    "  networks TEXT NOT NULL, interrupted TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE saved_restart (container TEXT PRIMARY KEY, policy TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE target (one INTEGER PRIMARY KEY CHECK (one = 1), text TEXT NOT NULL);";

// What each version of the file has more than the one before. A new file gets all of it.
struct SchemaStep {
  int version;
  const char* tables;
};
inline constexpr int kSettingsSince = 3;
inline constexpr int kConfigSince = 4;
inline constexpr int kRetriesSince = 5;
inline constexpr int kSpecsSince = 6;
inline constexpr int kRollbackSince = 7;
inline constexpr int kRequestsSince = 8;
inline constexpr std::array kSchemaSteps = {
    SchemaStep{2, kFirstTables},
    SchemaStep{kSettingsSince,
               "CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"},
    SchemaStep{
        kConfigSince,
        "CREATE TABLE config_key (key TEXT PRIMARY KEY) WITHOUT ROWID;"
        "CREATE TABLE reboot (one INTEGER PRIMARY KEY CHECK (one = 1), boot_id TEXT NOT NULL,"
        "  configuration TEXT NOT NULL, reboots INTEGER NOT NULL, changes TEXT NOT NULL);"},
    SchemaStep{kRetriesSince, "ALTER TABLE app ADD COLUMN retries TEXT NOT NULL DEFAULT '{}';"},
    SchemaStep{kSpecsSince,
               "CREATE TABLE spec (app TEXT PRIMARY KEY, specs TEXT NOT NULL) WITHOUT ROWID;"},
    SchemaStep{kRollbackSince,
               "ALTER TABLE app ADD COLUMN renamed TEXT NOT NULL DEFAULT '{}';"
               "ALTER TABLE app ADD COLUMN unhealthy TEXT NOT NULL DEFAULT '{}';"},
    SchemaStep{kRequestsSince,
               "ALTER TABLE app ADD COLUMN restart TEXT NOT NULL DEFAULT '[]';"
               "ALTER TABLE app ADD COLUMN remove INTEGER NOT NULL DEFAULT 0;"
               "ALTER TABLE app ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;"},
};
inline constexpr int kSchemaVersion = kSchemaSteps.back().version;

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_SQLITE_SCHEMA_H_
