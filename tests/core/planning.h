// Words for planner and session tests: small targets and devices, and looking at plans.
#ifndef LOCKSTEP_TESTS_CORE_PLANNING_H_
#define LOCKSTEP_TESTS_CORE_PLANNING_H_

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lockstep/identity.h"
#include "lockstep/planner.h"
#include "lockstep/step_request.h"

namespace lockstep::test {

inline const std::string kApp = "a0000000000000000000000000000001";

inline Value EmptyMap() { return Value(Value::Map{}); }

struct ServiceDraft {
  std::string name;
  std::string image = "registry.example/" + name + ":1";
  std::vector<std::string> depends_on = {};
  std::map<std::string, std::string> environment = {};
  std::string restart = "always";
};

inline TargetService MakeService(const ServiceDraft& draft) {
  TargetService service;
  service.name = draft.name;
  service.spec.image = draft.image;
  service.spec.environment = draft.environment;
  service.spec.Set(Field::kRestart, Value(draft.restart));
  for (const std::string& on : draft.depends_on) {
    Dependency dependency;
    dependency.service = on;
    service.spec.depends_on.push_back(dependency);
  }
  return service;
}

inline TargetApp MakeApp(const std::string& commit, const std::vector<ServiceDraft>& services,
                         const std::string& uuid = kApp, const std::string& id = "1") {
  TargetApp app;
  app.uuid = uuid;
  app.id = id;
  app.name = "shop";
  app.release.emplace();
  app.release->commit = commit;
  for (const ServiceDraft& draft : services) app.release->services.push_back(MakeService(draft));
  std::sort(app.release->services.begin(), app.release->services.end(),
            [](const TargetService& a, const TargetService& b) { return a.name < b.name; });
  return app;
}

inline TargetService& ServiceOf(TargetApp& app, const std::string& name) {
  return *std::find_if(app.release->services.begin(), app.release->services.end(),
                       [&](const TargetService& service) { return service.name == name; });
}

inline Target MakeTarget(std::vector<TargetApp> apps) {
  Target target;
  target.apps = std::move(apps);
  return target;
}

// A device on which this app runs, all of it.
inline void AddRunning(ObservedState& observed, const TargetApp& app) {
  for (const TargetService& service : app.release->services) {
    ObservedContainer container;
    container.id = service.name + "-" + app.release->commit + "-" + app.id;
    container.name =
        ContainerName(service.name, service.image_id, app.release->id, app.release->commit);
    container.image = service.spec.image;
    container.image_id = "sha256:" + service.spec.image;
    container.state = ContainerState::kRunning;
    container.app = app.uuid;
    container.app_id = app.id;
    container.service = service.name;
    container.commit = app.release->commit;
    container.owned = true;
    container.spec = service.spec;
    container.restart_policy = RestartPolicyOf(service.spec);
    container.networks = NetworksOf(service.spec);
    observed.engine.images.push_back({container.image_id, {service.spec.image}, {}});
    observed.engine.containers.push_back(std::move(container));
  }
  for (const auto& [name, config] : app.release->networks) {
    observed.engine.networks.push_back({"n-" + name, name, app.uuid, app.id, true, config});
  }
  for (const auto& [name, config] : app.release->volumes) {
    observed.engine.volumes.push_back({name, app.uuid, app.id, true, config});
  }
}

inline ObservedState Running(const TargetApp& app) {
  ObservedState observed;
  AddRunning(observed, app);
  return observed;
}

inline LockHolder HeldBy(const std::string& service, const std::string& app = kApp) {
  LockHolder holder;
  holder.app = app;
  holder.app_dir = "1";
  holder.service = service;
  holder.path = "/locks/" + app + "/" + service + "/updates.lock";
  return holder;
}

inline ObservedContainer& ContainerOf(ObservedState& observed, const std::string& id) {
  return *observed.FindContainer(id);
}

// "stop-container web", in the plan's order.
inline std::vector<std::string> Words(const Plan& plan) {
  std::vector<std::string> words;
  for (const Step& step : plan.steps) {
    std::string text(StepKindName(step.kind));
    if (!step.service.empty()) text += " " + step.service;
    words.push_back(std::move(text));
  }
  return words;
}

inline ServiceChange ChangeOf(const Plan& plan, const std::string& service) {
  for (const AppPlan& app : plan.apps) {
    for (const ServicePlan& candidate : app.services) {
      if (candidate.service == service) return candidate.change;
    }
  }
  return ServiceChange::kNone;
}

inline const Step* FindStep(const Plan& plan, StepKind kind, const std::string& service = "") {
  for (const Step& step : plan.steps) {
    if (step.kind == kind && step.service == service) return &step;
  }
  return nullptr;
}

// True where every `b` comes after every `a` by way of `after`, and both exist.
inline bool Before(const Plan& plan, const Step* a, const Step* b) {
  if (a == nullptr || b == nullptr) return false;
  std::vector<bool> reached(plan.steps.size(), false);
  const auto to = static_cast<std::size_t>(b - plan.steps.data());
  reached[to] = true;
  for (std::size_t i = to + 1; i-- > 0;) {
    if (!reached[i]) continue;
    for (const std::uint32_t before : plan.steps[i].after) reached[before] = true;
  }
  return a != b && reached[static_cast<std::size_t>(a - plan.steps.data())];
}

// Of the containers that are up, sorted.
inline std::vector<std::string> NamesUp(const EngineState& engine) {
  std::vector<std::string> names;
  for (const ObservedContainer& container : engine.containers) {
    if (container.IsUp()) names.push_back(container.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_CORE_PLANNING_H_
