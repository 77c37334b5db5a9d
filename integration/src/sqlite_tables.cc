#include "sqlite_tables.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "json_value.h"
#include "rfc3339.h"
#include "spec_json.h"
#include "sqlite_schema.h"

namespace lockstep {
namespace {

enum Query : std::size_t {
  kLoadApps,
  kLoadRestarts,
  kLoadTarget,
  kLoadSettings,
  kLoadConfigKeys,
  kLoadReboot,
  kLoadRetries,
  kLoadSpecs,
  kLoadRollback,
  kLoadRequests,
  kPutApp,
  kEraseApp,
  kPutSpecs,
  kEraseSpecs,
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
    "SELECT retries FROM app ORDER BY app",
    "SELECT app, specs FROM spec",
    "SELECT renamed, unhealthy FROM app ORDER BY app",
    "SELECT restart, remove, paused FROM app ORDER BY app",
    "INSERT OR REPLACE INTO app VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "DELETE FROM app WHERE app = ?",
    "INSERT OR REPLACE INTO spec VALUES (?, ?)",
    "DELETE FROM spec WHERE app = ?",
    "INSERT OR REPLACE INTO saved_restart VALUES (?, ?)",
    "DELETE FROM saved_restart WHERE container = ?",
    "INSERT OR REPLACE INTO target VALUES (1, ?)",
    "INSERT OR REPLACE INTO setting VALUES (?, ?)",
    "DELETE FROM setting WHERE key = ?",
    "INSERT OR REPLACE INTO config_key VALUES (?)",
    "DELETE FROM config_key WHERE key = ?",
    "INSERT OR REPLACE INTO reboot VALUES (1, ?, ?, ?, ?)",
};

std::optional<std::string> OptionalColumn(sqlite3_stmt* row, int column) {
  if (sqlite3_column_type(row, column) == SQLITE_NULL) return std::nullopt;
  return ColumnText(row, column);
}

std::string ListText(const std::vector<std::string>& list) {
  return Dump(nlohmann::ordered_json(list));
}

std::vector<std::string> TextsOf(const Value& value) {
  std::vector<std::string> texts;
  if (value.AsList() == nullptr) return texts;
  for (const Value& item : *value.AsList()) {
    if (const std::string* text = item.AsString()) texts.push_back(*text);
  }
  return texts;
}

// A list that somebody spoilt by hand is an empty one: losing it loses no service.
std::vector<std::string> ListColumn(sqlite3_stmt* row, int column) {
  const auto value = ParseJson(ColumnText(row, column));
  return value ? TextsOf(value.assume_value()) : std::vector<std::string>{};
}

std::string FlagText(bool flag) { return flag ? "1" : "0"; }

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

std::string RetriesText(const std::map<std::string, Retry>& retries) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [step, retry] : retries) {
    json[step] = {{"failures", retry.failures}, {"due", FormatTime(retry.due)}};
  }
  return Dump(json);
}

std::map<std::string, Retry> RetriesOf(const std::map<std::string, Value>& map) {
  std::map<std::string, Retry> retries;
  for (const auto& [step, value] : map) {
    const Value* failures = value.Find("failures");
    const Value* due = value.Find("due");
    const auto* count = failures != nullptr ? failures->AsInt() : nullptr;
    const auto* text = due != nullptr ? due->AsString() : nullptr;
    const auto time = text != nullptr ? ParseTime(*text) : std::nullopt;
    if (count == nullptr || !time) continue;
    retries[step] = {static_cast<int>(std::clamp<std::int64_t>(*count, 1, Retry::kMostFailures)),
                     *time};
  }
  return retries;
}

std::map<std::string, std::string> NamesOf(const std::map<std::string, Value>& map) {
  std::map<std::string, std::string> names;
  for (const auto& [id, value] : map) {
    if (const std::string* name = value.AsString()) names[id] = *name;
  }
  return names;
}

std::map<std::string, std::vector<std::string>> ListsOf(const std::map<std::string, Value>& map) {
  std::map<std::string, std::vector<std::string>> lists;
  for (const auto& [key, value] : map) lists[key] = TextsOf(value);
  return lists;
}

class SqliteTables final : public Store {
 public:
  SqliteTables(Database database, int version)
      : database_(std::move(database)), version_(version) {}

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
                            .interrupted = ListColumn(row, 8),
                            .retries = {},
                            .restart = {}});
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
      state.reboot =
          RebootRecord{.boot_id = ColumnText(row, 0),
                       .configuration = ColumnText(row, 1),
                       .reboots = std::clamp(sqlite3_column_int(row, 2), 0, kMostReboots),
                       .changes = ChangesOf(MapColumn(row, 3))};
      // Spoilt by hand: there is nothing that it could be for.
      if (state.reboot->changes.empty()) state.reboot->boot_id.clear();
    }));
    if (version_ < kRetriesSince) return state;
    auto app = state.apps.begin();
    LOCKSTEP_TRYV(ForEachRow(kLoadRetries, [&](sqlite3_stmt* row) {
      if (app != state.apps.end()) (app++)->retries = RetriesOf(MapColumn(row, 0));
    }));
    if (version_ < kSpecsSince) return state;
    LOCKSTEP_TRYV(ForEachRow(kLoadSpecs, [&](sqlite3_stmt* row) {
      state.specs[ColumnText(row, 0)] = ReadSpecs(ColumnText(row, 1));
    }));
    if (version_ < kRollbackSince) return state;
    app = state.apps.begin();
    LOCKSTEP_TRYV(ForEachRow(kLoadRollback, [&](sqlite3_stmt* row) {
      if (app == state.apps.end()) return;
      app->renamed = NamesOf(MapColumn(row, 0));
      (app++)->unhealthy = ListsOf(MapColumn(row, 1));
    }));
    if (version_ < kRequestsSince) return state;
    app = state.apps.begin();
    LOCKSTEP_TRYV(ForEachRow(kLoadRequests, [&](sqlite3_stmt* row) {
      if (app == state.apps.end()) return;
      app->restart = ListColumn(row, 0);
      app->remove = sqlite3_column_int(row, 1) != 0;
      (app++)->paused = sqlite3_column_int(row, 2) != 0;
    }));
    return state;
  }

  Result<void> PutApp(const AppRecord& record) override {
    return Write(kPutApp,
                 {record.app, record.committed, record.cutover, ListText(record.failed),
                  ListText(record.stopped), ListText(record.purge), ListText(record.retired),
                  MapText(record.networks), ListText(record.interrupted),
                  RetriesText(record.retries), Dump(nlohmann::ordered_json(record.renamed)),
                  Dump(nlohmann::ordered_json(record.unhealthy)), ListText(record.restart),
                  FlagText(record.remove), FlagText(record.paused)});
  }
  Result<void> EraseApp(std::string_view app) override {
    LOCKSTEP_TRYV(Write(kEraseSpecs, {std::string(app)}));
    return Write(kEraseApp, {std::string(app)});
  }
  Result<void> PutSpecs(std::string_view app, const std::vector<ServiceSpec>& specs) override {
    return Write(kPutSpecs, {std::string(app), WriteSpecs(specs)});
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

}  // namespace

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

std::unique_ptr<Store> MakeSqliteTables(Database database, int version) {
  return std::make_unique<SqliteTables>(std::move(database), version);
}

}  // namespace lockstep
