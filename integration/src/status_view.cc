#include "status_view.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "lockstep/explain.h"
#include "snapshot.h"

namespace lockstep {
namespace {

// Owned containers by app, those of each sorted by service and name.
std::map<std::string, std::vector<const ObservedContainer*>> ByApp(const ObservedState& state) {
  std::map<std::string, std::vector<const ObservedContainer*>> apps;
  for (const AppRecord& record : state.apps) apps[record.app];
  for (const ObservedContainer& container : state.engine.containers) {
    if (container.owned) apps[container.app].push_back(&container);
  }
  for (auto& [app, containers] : apps) {
    std::sort(containers.begin(), containers.end(),
              [](const ObservedContainer* a, const ObservedContainer* b) {
                return std::tie(a->service, a->name) < std::tie(b->service, b->name);
              });
  }
  return apps;
}

bool WasStopped(const ObservedContainer& container, const AppRecord* record) {
  return record != nullptr && !container.IsUp() &&
         std::find(record->stopped.begin(), record->stopped.end(), container.service) !=
             record->stopped.end();
}

std::string StateWord(const ObservedContainer& container, const AppRecord* record) {
  if (WasStopped(container, record)) return "stopped";
  std::string word(ContainerStateName(container.state));
  if (container.state == ContainerState::kExited) {
    word += " (" + std::to_string(container.exit_code) + ')';
  }
  return word;
}

std::string Since(const ObservedContainer& container, WallTime now) {
  const auto& since = container.IsUp() ? container.started_at : container.created_at;
  return since ? ExplainAge(now - *since) : "?";
}

std::vector<const LockHolder*> LocksOf(const ObservedState& state, const std::string& app) {
  std::vector<const LockHolder*> locks;
  for (const LockHolder& lock : state.locks) {
    if (lock.app == app && lock.held && !lock.ours) locks.push_back(&lock);
  }
  return locks;
}

// The one release of all of them, else the one that is known to have settled.
std::string ReleaseOf(const std::vector<const ObservedContainer*>& containers,
                      const AppRecord* record) {
  const bool one = !containers.empty() &&
                   std::all_of(containers.begin(), containers.end(), [&](const auto* container) {
                     return container->commit == containers.front()->commit;
                   });
  if (one) return containers.front()->commit;
  return record != nullptr && record->committed ? *record->committed : std::string();
}

// Configuration that Lockstep set, and what is the matter with it. Nothing where there is none.
std::string RenderDevice(const ObservedState& state, Style style) {
  std::string text;
  for (const std::string& key : state.config_set) {
    const auto value = state.config.find(key);
    constexpr int kWidest = 60;  // A picture is a value, too.
    const std::string shown =
        value == state.config.end() ? "" : Fit(Printable(value->second), kWidest);
    text += "  " + Printable(key) + " = " + shown + '\n';
  }
  for (const auto& [backend, why] : state.config_unreadable) {
    text += "  " + style.Red("cannot be read") + ": " + Printable(backend) + ": " + Printable(why) +
            '\n';
  }
  if (state.RebootPending()) {
    std::string keys;
    for (const auto& [key, value] : state.reboot->changes) keys += (keys.empty() ? "" : ", ") + key;
    text += "  " + style.Yellow("takes a reboot") + ": " + Printable(keys) + '\n';
  }
  return text.empty() ? text : style.Bold("device") + '\n' + text;
}

nlohmann::ordered_json DeviceToJson(const ObservedState& state) {
  nlohmann::ordered_json json = {{"config", nlohmann::ordered_json::object()},
                                 {"config_unreadable", state.config_unreadable},
                                 {"reboot_pending", state.RebootPending()},
                                 {"reboot_for", nlohmann::ordered_json::array()}};
  for (const std::string& key : state.config_set) {
    const auto value = state.config.find(key);
    if (value != state.config.end()) json["config"][key] = value->second;
  }
  if (!state.RebootPending()) return json;
  for (const auto& [key, value] : state.reboot->changes) json["reboot_for"].push_back(key);
  return json;
}

}  // namespace

std::string RenderStatus(const ObservedState& state, Style style) {
  std::string text;
  for (const auto& [app, containers] : ByApp(state)) {
    text += style.Bold("app " + Printable(app));
    const AppRecord* record = state.FindApp(app);
    const std::string release = ReleaseOf(containers, record);
    if (!release.empty()) text += ": release " + ShortCommit(release);
    if (record != nullptr && record->cutover) {
      text += style.Yellow(", moving to " + ShortCommit(*record->cutover));
    }
    if (record != nullptr && record->paused) text += style.Yellow(", paused by a person");
    if (record != nullptr && record->remove) text += style.Yellow(", to be removed");
    text += '\n';
    std::vector<std::vector<std::string>> rows = {
        {"SERVICE", "STATE", "HEALTH", "RELEASE", "SINCE", "IMAGE"}};
    for (const ObservedContainer* container : containers) {
      rows.push_back({Printable(container->service), StateWord(*container, record),
                      std::string(HealthName(container->health)), ShortCommit(container->commit),
                      Since(*container, state.taken_at), Printable(container->image)});
    }
    text += containers.empty() ? "  nothing runs\n" : Table(rows, 2);
    for (const LockHolder* lock : LocksOf(state, app)) {
      text += "  " + style.Yellow("locked") + " by " + Printable(lock->service) + ": " +
              Printable(lock->path) + '\n';
    }
  }
  if (text.empty()) text = "No apps.\n";
  return text + RenderDevice(state, style);
}

nlohmann::ordered_json StatusToJson(const ObservedState& state) {
  auto apps = nlohmann::ordered_json::array();
  for (const auto& [app, containers] : ByApp(state)) {
    const AppRecord* record = state.FindApp(app);
    nlohmann::ordered_json json = {{"app", app},
                                   {"release", ReleaseOf(containers, record)},
                                   {"committed", nullptr},
                                   {"cutover", nullptr},
                                   {"locked", !LocksOf(state, app).empty()},
                                   {"paused", record != nullptr && record->paused},
                                   {"stopped", nlohmann::ordered_json::array()},
                                   {"services", nlohmann::ordered_json::array()}};
    if (record != nullptr && record->committed) json["committed"] = *record->committed;
    if (record != nullptr && record->cutover) json["cutover"] = *record->cutover;
    if (record != nullptr) json["stopped"] = record->stopped;
    for (const ObservedContainer* container : containers) {
      nlohmann::ordered_json service = {{"service", container->service},
                                        {"state", ContainerStateName(container->state)},
                                        {"health", HealthName(container->health)},
                                        {"exit_code", container->exit_code},
                                        {"restart_count", container->restart_count},
                                        {"commit", container->commit},
                                        {"image", container->image},
                                        {"container", container->id},
                                        {"name", container->name},
                                        {"started_at", nullptr}};
      if (container->started_at) service["started_at"] = FormatTime(*container->started_at);
      json["services"].push_back(std::move(service));
    }
    apps.push_back(std::move(json));
  }
  return {{"format", "lockstep.status/1"},
          {"taken_at", FormatTime(state.taken_at)},
          {"engine",
           {{"kind", state.engine.engine.kind},
            {"version", state.engine.engine.version},
            {"api_version", state.engine.engine.api_version}}},
          {"apps", std::move(apps)},
          {"device", DeviceToJson(state)}};
}

}  // namespace lockstep
