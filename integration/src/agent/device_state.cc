#include "agent/device_state.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "agent/numeric_id.h"
#include "rfc3339.h"

namespace lockstep {
namespace {

using Json = nlohmann::ordered_json;

const TargetService* FindService(const TargetApp* app, const std::string& name) {
  if (app == nullptr || !app->release) return nullptr;
  for (const TargetService& service : app->release->services) {
    if (service.name == name) return &service;
  }
  return nullptr;
}

// A numeric id as clients expect it; 0 where the app has none.
Json IdJson(const TargetApp* app) { return app == nullptr ? 0 : NumericId(app->id).value_or(0); }

std::optional<int> Percent(const std::map<StepId, PullProgress>& pulls) {
  std::int64_t current = 0;
  std::int64_t total = 0;
  for (const auto& [step, pull] : pulls) {
    current += pull.current_bytes;
    total += pull.total_bytes;
  }
  if (total <= 0) return std::nullopt;
  return static_cast<int>(std::clamp<std::int64_t>(current * 100 / total, 0, 100));
}

Json PercentJson(const std::optional<int>& percent) {
  return percent ? Json(*percent) : Json(nullptr);
}

bool IsFailed(const RunView& view) {
  return view.look_error || std::any_of(view.apps.begin(), view.apps.end(), [](const auto& app) {
           return app.error.has_value() || app.outcome == ApplyOutcome::kUnhealthy;
         });
}

// Every download is done, and something is left that waits for a lock.
bool IsDownloaded(const RunView& view) {
  const bool pulls = std::any_of(view.plan.steps.begin(), view.plan.steps.end(),
                                 [](const Step& s) { return s.kind == StepKind::kPullImage; });
  return !view.plan.steps.empty() && !pulls;
}

std::string Commit(const RunView& view) {
  for (const AppPlan& app : view.plan.apps) {
    const AppRecord* record = view.observed.FindApp(app.app);
    if (record != nullptr && record->committed) return *record->committed;
  }
  return {};
}

template <typename F>
void EachService(const RunView& view, const KeyScope& scope, F&& call) {
  const DeviceReport report = ReportOf(view.plan, view.observed, *view.target, ActivityOf(view));
  for (const auto& [uuid, app] : report.apps) {
    const TargetApp* target = view.target->FindApp(uuid);
    if (!scope.Covers(uuid) && (target == nullptr || !scope.Covers(target->id))) continue;
    for (const auto& [commit, release] : app.releases) {
      for (const auto& [name, service] : release.services) {
        call(uuid, target, commit, name, service);
      }
    }
  }
}

}  // namespace

UpdateActivity ActivityOf(const RunView& view) {
  UpdateActivity activity;
  activity.running = view.running;
  for (const Step& step : view.plan.steps) {
    const auto pull = view.pulls.find(step.id);
    if (pull != view.pulls.end()) activity.downloads[step.subject] = pull->second;
  }
  return activity;
}

nlohmann::ordered_json DeviceJson(const RunView& view, const DeviceInfo& facts) {
  const std::optional<int> percent = Percent(view.pulls);
  const bool works = !view.running.empty();
  Json out;
  out["uuid"] = view.target->device_uuid;
  out["os_version"] = facts.os_name.empty() ? facts.os_version : facts.os_name;
  out["supervisor_version"] =
      facts.supervisor_version.empty() ? std::string(kSupervisorVersion) : facts.supervisor_version;
  out["commit"] = Commit(view);
  out["status"] = percent ? "Downloading" : works ? "Updating" : "Idle";
  out["download_progress"] = PercentJson(percent);
  out["update_pending"] = view.plan.status != PlanStatus::kInSync;
  out["update_downloaded"] = IsDownloaded(view);
  out["update_failed"] = IsFailed(view);
  if (!facts.supervisor_port.empty()) out["api_port"] = facts.supervisor_port;
  return out;
}

nlohmann::ordered_json StateStatusJson(const RunView& view, const KeyScope& scope) {
  Json containers = Json::array();
  Json images = Json::array();
  std::string release;
  EachService(view, scope,
              [&](const std::string& uuid, const TargetApp* target, const std::string& commit,
                  const std::string& name, const ServiceReport& service) {
                const TargetService* wanted = FindService(target, name);
                if (release.empty()) release = commit;
                images.push_back({{"name", service.image},
                                  {"appId", IdJson(target)},
                                  {"serviceName", name},
                                  {"imageId", wanted != nullptr ? wanted->image_id : 0},
                                  {"status", service.status},
                                  {"downloadProgress", PercentJson(service.download_progress)}});
                for (const ObservedContainer& c : view.observed.engine.containers) {
                  if (!c.owned || c.app != uuid || c.service != name || c.commit != commit)
                    continue;
                  containers.push_back({{"status", service.status},
                                        {"serviceName", name},
                                        {"appId", IdJson(target)},
                                        {"imageId", wanted != nullptr ? wanted->image_id : 0},
                                        {"serviceId", wanted != nullptr ? wanted->id : 0},
                                        {"containerId", c.id},
                                        {"createdAt", c.created_at ? Json(FormatTime(*c.created_at))
                                                                   : Json(nullptr)}});
                }
              });
  Json out;
  out["status"] = "success";
  out["appState"] = view.plan.steps.empty() ? "applied" : "applying";
  out["overallDownloadProgress"] = PercentJson(Percent(view.pulls));
  out["containers"] = std::move(containers);
  out["images"] = std::move(images);
  out["release"] = release.empty() ? Json(nullptr) : Json(release);
  return out;
}

nlohmann::ordered_json ApplicationsJson(const RunView& view, const KeyScope& scope) {
  Json out = Json::object();
  EachService(
      view, scope,
      [&](const std::string& uuid, const TargetApp* target, const std::string& commit,
          const std::string& name, const ServiceReport& service) {
        const std::string key = target != nullptr && !target->name.empty() ? target->name : uuid;
        Json& app = out[key];
        const AppRecord* record = view.observed.FindApp(uuid);
        app["appId"] = IdJson(target);
        app["appUuid"] = uuid;
        app["commit"] = record != nullptr && record->committed ? *record->committed : commit;
        app["services"][name] = {
            {"status", service.status},
            {"image", service.image},
            {"releaseId", target != nullptr && target->release ? target->release->id : 0},
            {"downloadProgress", PercentJson(service.download_progress)}};
      });
  return out;
}

}  // namespace lockstep
