#include "sqlite_store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "seen_store.h"
#include "sqlite_schema.h"
#include "sqlite_tables.h"

namespace lockstep {
namespace {

// FULL: a commit is on the disk when it returns. The cache (64 KiB instead of 2 MiB) stays in
// memory for as long as the process; nothing is read twice.
constexpr const char* kSetUp =
    "PRAGMA busy_timeout = 5000; PRAGMA cache_size = -64; PRAGMA journal_mode = WAL; "
    "PRAGMA synchronous = FULL;";

bool IsDamage(int status) {
  return (status & 0xff) == SQLITE_CORRUPT || (status & 0xff) == SQLITE_NOTADB;
}

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
  opened.store = MakeSqliteTables(std::move(opening.database), kSchemaVersion);
  return opened;
}

// A file that nobody changes is read as it is: SQLite then makes no files beside it.
std::string UriToLook(const std::string& path, bool unchanging) {
  std::string uri = "file://";
  std::error_code fault;  // Of the working directory: what is refused then is the name.
  const std::filesystem::path whole = std::filesystem::absolute(path, fault);
  for (const char c : fault ? path : whole.string()) {
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
    LOCKSTEP_TRY(state, MakeSqliteTables(std::move(opening.database), opening.version)->Load());
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
