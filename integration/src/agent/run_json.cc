#include "agent/run_json.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "error_json.h"
#include "event_json.h"
#include "lock_view.h"
#include "rfc3339.h"

namespace lockstep {
namespace {

using Json = nlohmann::ordered_json;

// By app and service.
using Containers =
    std::map<std::pair<std::string, std::string>, std::vector<const ObservedContainer*>>;

Json ErrorOrNull(const std::optional<Error>& error) {
  return error ? ErrorToJson(*error) : Json(nullptr);
}

Json TextOrNull(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json(nullptr);
}

bool Has(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

Containers ByService(const RunView& view) {
  Containers containers;
  for (const ObservedContainer& c : view.observed.engine.containers) {
    if (c.owned) containers[{c.app, c.service}].push_back(&c);
  }
  return containers;
}

Json ContainerJson(const ObservedContainer& container) {
  Json out;
  out["id"] = container.id;
  out["name"] = container.name;
  out["release"] = container.commit;
  out["image"] = container.image;
  out["state"] = ContainerStateName(container.state);
  out["health"] = HealthName(container.health);
  out["exit_code"] = container.exit_code;
  out["restart_count"] = container.restart_count;
  out["started_at"] =
      container.started_at ? Json(FormatTime(*container.started_at)) : Json(nullptr);
  return out;
}

Json ServiceJson(const ServicePlan& service, const TargetService* wanted, const AppReport* report,
                 const AppRecord* record) {
  Json out;
  out["service"] = service.service;
  out["image"] = wanted != nullptr ? Json(wanted->spec.image) : Json(nullptr);
  out["change"] = ServiceChangeName(service.change);
  out["stopped"] = record != nullptr && Has(record->stopped, service.service);
  out["unhealthy"] = report != nullptr && Has(report->unhealthy, service.service);
  if (report != nullptr) {
    const auto found = report->findings.find(service.service);
    if (found != report->findings.end()) AddFindings(found->second, out);
  }
  out["containers"] = Json::array();
  return out;
}

Json GapsJson(const std::vector<Gap>& gaps) {
  Json out = Json::array();
  for (const Gap& gap : gaps) {
    out.push_back({{"code", gap.code}, {"message", gap.message}, {"blocks", gap.blocks}});
  }
  return out;
}

class Writer {
 public:
  explicit Writer(const RunView& view) : containers_(ByService(view)) {
    for (const AppReport& report : view.apps) reports_[report.app] = &report;
    for (const TargetApp& target : view.target->apps) targets_[target.uuid] = &target;
    for (const AppRecord& record : view.observed.apps) records_[record.app] = &record;
  }

  Json App(const AppPlan& app) const {
    const AppReport* report = Find(reports_, app.app);
    const AppRecord* record = Find(records_, app.app);
    const TargetApp* target = Find(targets_, app.app);
    Json out;
    out["app"] = app.app;
    out["app_id"] = target != nullptr ? target->id : "";
    out["name"] = app.name;
    out["status"] = PlanStatusName(app.status);
    out["from"] = TextOrNull(app.from);
    out["to"] = TextOrNull(app.to);
    out["paused"] = record != nullptr && record->paused;
    out["failed_releases"] = record != nullptr ? record->failed : std::vector<std::string>();
    out["back_to"] = TextOrNull(report != nullptr ? report->back_to : std::nullopt);
    out["error"] = ErrorOrNull(report != nullptr ? report->error : std::nullopt);
    out["gaps"] = GapsJson(report != nullptr ? report->gaps : app.gaps);
    out["services"] = Services(app, target, report, record);
    return out;
  }

 private:
  template <typename T>
  static const T* Find(const std::map<std::string, const T*>& map, const std::string& app) {
    const auto it = map.find(app);
    return it == map.end() ? nullptr : it->second;
  }

  Json Services(const AppPlan& app, const TargetApp* target, const AppReport* report,
                const AppRecord* record) const {
    std::map<std::string, const TargetService*> wanted;
    if (target != nullptr && target->release) {
      for (const TargetService& service : target->release->services) {
        wanted[service.name] = &service;
      }
    }
    Json out = Json::array();
    for (const ServicePlan& service : app.services) {
      Json entry = ServiceJson(service, Find(wanted, service.service), report, record);
      const auto mine = containers_.find({app.app, service.service});
      if (mine != containers_.end()) {
        for (const ObservedContainer* container : mine->second) {
          entry["containers"].push_back(ContainerJson(*container));
        }
      }
      out.push_back(std::move(entry));
    }
    return out;
  }

  Containers containers_;
  std::map<std::string, const AppReport*> reports_;
  std::map<std::string, const TargetApp*> targets_;
  std::map<std::string, const AppRecord*> records_;
};

Json StepsJson(const RunView& view) {
  std::map<StepStatus, std::size_t> count;
  for (const Step& step : view.plan.steps) ++count[step.status];
  Json out;
  out["left"] = view.plan.steps.size();
  for (const StepStatus status :
       {StepStatus::kReady, StepStatus::kWaiting, StepStatus::kHeld, StepStatus::kDeferred}) {
    out[std::string(StepStatusName(status))] = count[status];
  }
  return out;
}

Json RunningJson(const RunView& view) {
  Json out = Json::array();
  for (const Step& step : view.plan.steps) {
    if (!view.running.contains(step.id)) continue;
    Json entry;
    entry["id"] = step.id.ToString();
    entry["kind"] = StepKindName(step.kind);
    entry["app"] = step.app;
    entry["service"] = step.service;
    entry["subject"] = step.subject;
    const auto pull = view.pulls.find(step.id);
    if (pull != view.pulls.end()) {
      entry["current_bytes"] = pull->second.current_bytes;
      entry["total_bytes"] = pull->second.total_bytes;
    }
    out.push_back(std::move(entry));
  }
  return out;
}

// Of the device, where apps are not to blame.
std::optional<Error> DeviceError(const RunView& view) {
  for (const AppReport& report : view.apps) {
    if (report.app.empty() && report.error) return report.error;
  }
  return std::nullopt;
}

}  // namespace

nlohmann::ordered_json RunToJson(const RunView& view, const RunFacts& facts) {
  Json out;
  out["format"] = "lockstep.run/1";
  out["time"] = FormatTime(facts.now);
  out["device"] = view.target->device_uuid;
  out["engine"] = {{"kind", view.observed.engine.engine.kind},
                   {"version", view.observed.engine.engine.version}};
  out["status"] = PlanStatusName(view.plan.status);
  out["at_rest"] = view.at_rest;
  out["fingerprint"] = view.plan.fingerprint;
  out["look_error"] = ErrorOrNull(view.look_error);
  out["target_problem"] = ErrorOrNull(facts.target_problem);
  out["error"] = ErrorOrNull(DeviceError(view));
  out["reboot_pending"] = view.observed.RebootPending();
  out["steps"] = StepsJson(view);
  out["running"] = RunningJson(view);
  out["locks"] = LocksToJson(facts.locks, facts.now);
  out["apps"] = Json::array();
  const Writer writer(view);
  for (const AppPlan& app : view.plan.apps) out["apps"].push_back(writer.App(app));
  return out;
}

void AddRun(const RunView& view, nlohmann::ordered_json& document) {
  document["running"] = Json::array();
  for (const StepId& step : view.running) document["running"].push_back(step.ToString());
  document["at_rest"] = view.at_rest;
  document["look_error"] = ErrorOrNull(view.look_error);
}

}  // namespace lockstep
