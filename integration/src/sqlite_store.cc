#include "sqlite_store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "json_value.h"
#include "seen_store.h"
#include "sqlite_schema.h"

namespace lockstep {
namespace {

// FULL: a commit is on the disk when it returns.
constexpr const char* kSetUp =
    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";

enum Query : std::size_t {
  kLoadApps,
  kLoadRestarts,
  kLoadTarget,
  kLoadSettings,
  kLoadConfigKeys,
  kLoadReboot,
  kPutApp,
  kEraseApp,
  kPutRestart,
  kEraseRestart,
  kPutTarget,
  kPutSetting,
  kEraseSetting,
  kPutConfigKey,
  kEraseConfigKey,
  kPutReboot,
  kQueryCount,
};
constexpr std::array<const char*, kQueryCount> kSql = {
    "SELECT app, committed, cutover, failed, stopped, purge, retired, networks, interrupted FROM "
    "app ORDER BY "
    "app",
    "SELECT container, policy FROM saved_restart",
    "SELECT text FROM target",
    "SELECT key, value FROM setting",
    "SELECT key FROM config_key ORDER BY key",
    "SELECT boot_id, configuration, reboots, changes FROM reboot",
    "INSERT OR REPLACE INTO app VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "DELETE FROM app WHERE app = ?",
    "INSERT OR REPLACE INTO saved_restart VALUES (?, ?)",
    "DELETE FROM saved_restart WHERE container = ?",
    "INSERT OR REPLACE INTO target VALUES (1, ?)",
    "INSERT OR REPLACE INTO setting VALUES (?, ?)",
    "DELETE FROM setting WHERE key = ?",
    "INSERT OR REPLACE INTO config_key VALUES (?)",
    "DELETE FROM config_key WHERE key = ?",
    "INSERT OR REPLACE INTO reboot VALUES (1, ?, ?, ?, ?)",
};

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

bool IsDamage(int status) {
  return (status & 0xff) == SQLITE_CORRUPT || (status & 0xff) == SQLITE_NOTADB;
}

Error StoreError(sqlite3* database, int status) {
  const std::string message =
      database == nullptr ? sqlite3_errstr(status) : sqlite3_errmsg(database);
  switch (status & 0xff) {
    case SQLITE_FULL:
      return MakeError(ErrorCode::kNoSpace, message, "free some space where the state is kept");
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return MakeError(ErrorCode::kPermissionDenied, message,
                       "run as a user who may write there, or give another --state-dir");
    default:
      return MakeError(ErrorCode::kUnavailable, message);
  }
}

std::string ColumnText(sqlite3_stmt* row, int column) {
  const unsigned char* text = sqlite3_column_text(row, column);
  if (text == nullptr) return {};
  return std::string(reinterpret_cast<const char*>(text),
                     static_cast<std::size_t>(sqlite3_column_bytes(row, column)));
}

std::optional<std::string> OptionalColumn(sqlite3_stmt* row, int column) {
  if (sqlite3_column_type(row, column) == SQLITE_NULL) return std::nullopt;
  return ColumnText(row, column);
}

std::string ListText(const std::vector<std::string>& list) {
  return Dump(nlohmann::ordered_json(list));
}

// A list that somebody spoilt by hand is an empty one: losing it loses no service.
std::vector<std::string> ListColumn(sqlite3_stmt* row, int column) {
  std::vector<std::string> list;
  const auto value = ParseJson(ColumnText(row, column));
  if (!value || value.assume_value().AsList() == nullptr) return list;
  for (const Value& item : *value.assume_value().AsList()) {
    if (const std::string* text = item.AsString()) list.push_back(*text);
  }
  return list;
}

std::string MapText(const std::map<std::string, Value>& map) {
  Value::Map members;
  for (const auto& [name, value] : map) members.push_back({name, value});
  return Dump(ToJson(Value(std::move(members))));
}

std::map<std::string, Value> MapColumn(sqlite3_stmt* row, int column) {
  std::map<std::string, Value> map;
  const auto value = ParseJson(ColumnText(row, column));
  if (!value || value.assume_value().AsMap() == nullptr) return map;
  for (const Value::Member& member : *value.assume_value().AsMap()) {
    map[member.key] = member.value;
  }
  return map;
}

std::string ChangesText(const ConfigChanges& changes) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [key, value] : changes) {
    json[key] = value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
  }
  return Dump(json);
}

ConfigChanges ChangesOf(const std::map<std::string, Value>& map) {
  ConfigChanges changes;
  for (const auto& [key, value] : map) {
    const std::string* text = value.AsString();
    changes[key] = text != nullptr ? std::optional(*text) : std::nullopt;
  }
  return changes;
}

class SqliteStore final : public Store {
 public:
  SqliteStore(Database database, int version) : database_(std::move(database)), version_(version) {}

  Result<StoreState> Load() override {
    const std::lock_guard lock(mutex_);
    StoreState state;
    LOCKSTEP_TRYV(ForEachRow(kLoadApps, [&](sqlite3_stmt* row) {
      state.apps.push_back({.app = ColumnText(row, 0),
                            .committed = OptionalColumn(row, 1),
                            .cutover = OptionalColumn(row, 2),
                            .failed = ListColumn(row, 3),
                            .stopped = ListColumn(row, 4),
                            .purge = ListColumn(row, 5),
                            .retired = ListColumn(row, 6),
                            .networks = MapColumn(row, 7),
                            .interrupted = ListColumn(row, 8)});
    }));
    LOCKSTEP_TRYV(ForEachRow(kLoadRestarts, [&](sqlite3_stmt* row) {
      state.saved_restart[ColumnText(row, 0)] = ColumnText(row, 1);
    }));
    LOCKSTEP_TRYV(ForEachRow(kLoadTarget,
                             [&](sqlite3_stmt* row) { state.last_target = ColumnText(row, 0); }));
    if (version_ < kSettingsSince) return state;
    LOCKSTEP_TRYV(ForEachRow(kLoadSettings, [&](sqlite3_stmt* row) {
      state.settings[ColumnText(row, 0)] = ColumnText(row, 1);
    }));
    if (version_ < kConfigSince) return state;
    LOCKSTEP_TRYV(ForEachRow(kLoadConfigKeys, [&](sqlite3_stmt* row) {
      state.config_keys.push_back(ColumnText(row, 0));
    }));
    LOCKSTEP_TRYV(ForEachRow(kLoadReboot, [&](sqlite3_stmt* row) {
      state.reboot = RebootRecord{.boot_id = ColumnText(row, 0),
                                  .configuration = ColumnText(row, 1),
                                  .reboots = sqlite3_column_int(row, 2),
                                  .changes = ChangesOf(MapColumn(row, 3))};
    }));
    return state;
  }

  Result<void> PutApp(const AppRecord& record) override {
    return Write(kPutApp,
                 {record.app, record.committed, record.cutover, ListText(record.failed),
                  ListText(record.stopped), ListText(record.purge), ListText(record.retired),
                  MapText(record.networks), ListText(record.interrupted)});
  }
  Result<void> EraseApp(std::string_view app) override {
    return Write(kEraseApp, {std::string(app)});
  }
  Result<void> PutSavedRestart(std::string_view container, std::string_view policy) override {
    return Write(kPutRestart, {std::string(container), std::string(policy)});
  }
  Result<void> EraseSavedRestart(std::string_view container) override {
    return Write(kEraseRestart, {std::string(container)});
  }
  Result<void> PutSetting(std::string_view key, const std::optional<std::string>& value) override {
    return value ? Write(kPutSetting, {std::string(key), *value})
                 : Write(kEraseSetting, {std::string(key)});
  }
  Result<void> PutConfigKeys(const ConfigChanges& changes) override {
    for (const auto& [key, value] : changes) {
      LOCKSTEP_TRYV(Write(value ? kPutConfigKey : kEraseConfigKey, {key}));
    }
    return Ok();
  }
  Result<void> PutReboot(const RebootRecord& record) override {
    return Write(kPutReboot, {record.boot_id, record.configuration, std::to_string(record.reboots),
                              ChangesText(record.changes)});
  }
  Result<void> PutLastTarget(std::string_view text) override {
    return Write(kPutTarget, {std::string(text)});
  }

 private:
  Error LastError(int status) {
    return WithContext(StoreError(database_.get(), status), "keep the state");
  }

  // A statement is prepared when it is first needed, and then kept.
  Result<sqlite3_stmt*> Prepared(Query query) {
    Statement& statement = statements_[query];
    if (statement == nullptr) {
      sqlite3_stmt* raw = nullptr;
      const int status = sqlite3_prepare_v3(database_.get(), kSql[query], -1,
                                            SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
      if (status != SQLITE_OK) return LastError(status);
      statement.reset(raw);
    }
    return statement.get();
  }

  template <typename Use>
  Result<void> ForEachRow(Query query, const Use& use) {
    LOCKSTEP_TRY(sqlite3_stmt * statement, Prepared(query));
    int status = SQLITE_ROW;
    while ((status = sqlite3_step(statement)) == SQLITE_ROW) use(statement);
    Result<void> done = Ok();
    if (status != SQLITE_DONE) done = LastError(status);
    sqlite3_reset(statement);
    return done;
  }

  Result<void> Write(Query query, std::initializer_list<std::optional<std::string>> values) {
    const std::lock_guard lock(mutex_);
    LOCKSTEP_TRY(sqlite3_stmt * statement, Prepared(query));
    int status = SQLITE_OK;
    int index = 0;
    for (const auto& value : values) {
      if (status != SQLITE_OK) break;
      ++index;
      status = value ? sqlite3_bind_text64(statement, index, value->data(), value->size(),
                                           SQLITE_STATIC, SQLITE_UTF8)
                     : sqlite3_bind_null(statement, index);
    }
    if (status == SQLITE_OK) status = sqlite3_step(statement);
    Result<void> done = Ok();
    if (status != SQLITE_DONE) done = LastError(status);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);  // They point into `values`.
    return done;
  }

  std::mutex mutex_;
  Database database_;
  const int version_;                              // Of the file.
  std::array<Statement, kQueryCount> statements_;  // Goes before the database.
};

struct Opening {
  Database database;
  std::string damage;  // What is wrong with the file; empty where nothing is.
  int version = 0;     // Of the file; 0: nothing was ever kept in it.
};

Opening Damaged(std::string what) { return {.database = nullptr, .damage = std::move(what)}; }

// The first column of the first row of `sql`.
Result<std::string> Ask(sqlite3* database, const char* sql) {
  sqlite3_stmt* raw = nullptr;
  int status = sqlite3_prepare_v2(database, sql, -1, &raw, nullptr);
  const Statement statement(raw);
  if (status == SQLITE_OK) status = sqlite3_step(raw);
  if (status != SQLITE_ROW) return StoreError(database, status);
  return ColumnText(raw, 0);
}

Result<Opening> OpenFile(const std::string& name, int flags, const char* set_up) {
  sqlite3* raw = nullptr;
  int status = sqlite3_open_v2(name.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(raw);
  if (status == SQLITE_OK) status = sqlite3_exec(raw, set_up, nullptr, nullptr, nullptr);
  if (IsDamage(status)) return Damaged(sqlite3_errmsg(raw));
  if (status != SQLITE_OK) return StoreError(raw, status);
  const auto check = Ask(raw, "PRAGMA quick_check(1)");
  if (IsDamage(sqlite3_errcode(raw))) return Damaged(sqlite3_errmsg(raw));
  if (!check) return check.assume_error();
  if (check.assume_value() != "ok") return Damaged(check.assume_value());
  LOCKSTEP_TRY(const std::string version, Ask(raw, "PRAGMA user_version"));
  const auto known =
      std::find_if(kSchemaSteps.begin(), kSchemaSteps.end(),
                   [&](const SchemaStep& step) { return std::to_string(step.version) == version; });
  const bool is_new = version == "0";
  if (!is_new && known == kSchemaSteps.end()) {
    return MakeError(ErrorCode::kUnsupported,
                     "the state was written by another version of Lockstep (format " + version +
                         ", known is " + std::to_string(kSchemaVersion) + ")",
                     "use the newer Lockstep, or give another --state-dir");
  }
  return Opening{
      .database = std::move(database), .damage = {}, .version = is_new ? 0 : known->version};
}

Result<Opening> OpenDatabase(const std::string& path) {
  LOCKSTEP_TRY(Opening opening, OpenFile(path, SQLITE_OPEN_READWRITE, kSetUp));
  if (!opening.damage.empty() || opening.version == kSchemaVersion) return opening;
  std::string sql = "BEGIN IMMEDIATE;";
  for (const SchemaStep& step : kSchemaSteps) {
    if (step.version > opening.version) sql += step.tables;
  }
  sql += "PRAGMA user_version = " + std::to_string(kSchemaVersion) + "; COMMIT;";
  const int status = sqlite3_exec(opening.database.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (status != SQLITE_OK) return StoreError(opening.database.get(), status);
  return opening;
}

Error FromErrno(int errno_value) {
  switch (errno_value) {
    case ENOSPC:
    case EDQUOT:
      return MakeError(ErrorCode::kNoSpace, std::strerror(errno_value), "free some space");
    case EACCES:
    case EPERM:
    case EROFS:
      return MakeError(ErrorCode::kPermissionDenied, std::strerror(errno_value),
                       "run as a user who may write there, or give another --state-dir");
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
      return MakeError(ErrorCode::kInvalidInput, std::strerror(errno_value),
                       "give another --state-dir");
    default:
      return MakeError(ErrorCode::kUnavailable, std::strerror(errno_value));
  }
}

Result<void> MakeDirectory(std::filesystem::path path) {
  if (!path.has_filename()) path = path.parent_path();  // "state/" is "state".
  std::error_code fault;
  const std::filesystem::path parent = path.parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, fault);
  if (fault) return FromErrno(fault.value());
  if (mkdir(path.c_str(), 0700) == 0) return Ok();
  if (errno != EEXIST) return FromErrno(errno);
  if (std::filesystem::is_directory(path, fault)) return Ok();
  return FromErrno(fault ? fault.value() : ENOTDIR);
}

// SQLite would make the file for all to read; a target may hold secrets.
Result<void> MakeFile(const std::string& directory, const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return FromErrno(errno);
  close(fd);
  const int folder = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return FromErrno(errno);
  const int synced = fsync(folder);
  const int reason = errno;
  close(folder);
  if (synced != 0 && reason != EINVAL) return FromErrno(reason);
  return Ok();
}

// Where to; few are kept, so that a failing disk is not filled up too.
Result<std::string> SetAside(const std::string& path) {
  constexpr int kKept = 9;
  std::string aside;
  for (int n = 1; n <= kKept; ++n) {
    aside = path + ".corrupt-" + std::to_string(n);
    if (access(aside.c_str(), F_OK) != 0) break;
  }
  if (rename(path.c_str(), aside.c_str()) != 0) return FromErrno(errno);
  // A log that does not belong to the new file would spoil it.
  (void)rename((path + "-wal").c_str(), (aside + "-wal").c_str());
  (void)unlink((path + "-shm").c_str());
  return aside;
}

Result<OpenedStore> Open(const std::string& state_dir) {
  const std::string path = state_dir + "/lockstep.db";
  LOCKSTEP_TRYV(MakeDirectory(state_dir));
  LOCKSTEP_TRYV(MakeFile(state_dir, path));
  LOCKSTEP_TRY(Opening opening, OpenDatabase(path));
  OpenedStore opened;
  if (!opening.damage.empty()) {
    LOCKSTEP_TRY(const std::string aside, SetAside(path));
    opened.note = "the state was damaged (" + opening.damage + ") and is now at " + aside +
                  "; Lockstep begins with an empty one";
    LOCKSTEP_TRYV(MakeFile(state_dir, path));
    LOCKSTEP_TRY(opening, OpenDatabase(path));
    if (!opening.damage.empty()) return MakeError(ErrorCode::kUnavailable, opening.damage);
  }
  opened.store = std::make_unique<SqliteStore>(std::move(opening.database), kSchemaVersion);
  return opened;
}

// A file that nobody changes is read as it is: SQLite then makes no files beside it.
std::string UriToLook(const std::string& path, bool unchanging) {
  std::string uri = "file://";
  for (const char c : std::filesystem::absolute(path).string()) {
    const char* escaped = c == '%' ? "%25" : c == '?' ? "%3f" : c == '#' ? "%23" : nullptr;
    uri += escaped != nullptr ? std::string(escaped) : std::string(1, c);
  }
  return uri + (unchanging ? "?immutable=1" : "");
}

Result<OpenedStore> ReadDatabase(const std::string& path, bool unchanging) {
  LOCKSTEP_TRY(Opening opening,
               OpenFile(UriToLook(path, unchanging), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
                        "PRAGMA busy_timeout = 5000"));
  StoreState state;
  std::string note = opening.version == 0 ? "it was never begun" : "";
  if (!opening.damage.empty()) {
    note = "it is damaged (" + opening.damage + ")";
  } else if (opening.version != 0) {
    LOCKSTEP_TRY(state, SqliteStore(std::move(opening.database), opening.version).Load());
  }
  return OpenedStore{std::make_unique<SeenStore>(std::move(state)), std::move(note)};
}

Result<OpenedStore> Look(const std::string& state_dir) {
  const std::string path = state_dir + "/lockstep.db";
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return OpenedStore{std::make_unique<SeenStore>(),
                       error ? FromErrno(error.value()).message : ""};
  }
  const auto has_log = [&path] { return access((path + "-wal").c_str(), F_OK) == 0; };
  const bool unchanging = !has_log();
  auto seen = ReadDatabase(path, unchanging);
  if (unchanging && has_log()) seen = ReadDatabase(path, false);  // A writer came meanwhile.
  if (!seen && seen.assume_error().code == ErrorCode::kPermissionDenied) {
    return OpenedStore{std::make_unique<SeenStore>(), seen.assume_error().message};
  }
  return seen;
}

}  // namespace

Result<OpenedStore> OpenSqliteStoreToLook(const std::string& state_dir) {
  auto opened = Look(state_dir);
  if (!opened) {
    return WithContext(std::move(opened).assume_error(), "read the state in " + state_dir);
  }
  std::string& note = opened.assume_value().note;
  if (!note.empty()) note = "going on without the state in " + state_dir + ": " + note;
  return opened;
}

Result<OpenedStore> OpenSqliteStore(const std::string& state_dir) {
  auto opened = Open(state_dir);
  if (opened) return opened;
  return WithContext(std::move(opened).assume_error(), "open the state in " + state_dir);
}

}  // namespace lockstep
