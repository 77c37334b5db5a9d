#include "lockstep/planner.h"

#include <algorithm>
#include <set>

#include "app_facts.h"
#include "app_planner.h"
#include "config_plan.h"
#include "content_hash.h"

namespace lockstep {
namespace {

PlanStatus WholeStatus(const Plan& plan) {
  bool held = false;
  bool ready = false;
  bool blocked = false;
  for (const AppPlan& app : plan.apps) {
    held |= app.status == PlanStatus::kHeld;
    ready |= app.status == PlanStatus::kReady;
    blocked |= app.status == PlanStatus::kBlocked;
  }
  for (const ConfigPlan& config : plan.config) {
    held |= config.action == ConfigAction::kDefer;
    ready |= config.action == ConfigAction::kApply;
  }
  if (const Step* reboot = RebootOf(plan)) {
    (reboot->status == StepStatus::kDeferred ? held : ready) = true;
  }
  if (held) return PlanStatus::kHeld;
  if (ready) return PlanStatus::kReady;
  return blocked ? PlanStatus::kBlocked : PlanStatus::kInSync;
}

// Nothing is done to it; but what of it runs is interrupted by a reboot as others are.
AppPlan PlanOfHostApp(const AppFacts& facts, const ObservedState& observed) {
  AppPlan host;
  host.app = facts.app;
  host.name = facts.target->name;
  host.gaps = {{"host-app", "a host app is updated with the host, not by Lockstep", false}};
  std::set<std::string> services;
  for (const ObservedContainer* container : facts.containers) services.insert(container->service);
  for (const std::string& service : services) {
    host.services.push_back({service, ServiceChange::kNone, Strategy::kDownloadThenKill, {}});
  }
  for (const LockHolder& holder : observed.locks) {
    const bool held = holder.held && !holder.ours && holder.app == facts.app;
    if (held && services.count(holder.service) != 0) host.holders.push_back(holder);
  }
  std::sort(host.holders.begin(), host.holders.end(),
            [](const LockHolder& a, const LockHolder& b) { return a.path < b.path; });
  return host;
}

// A target that speaks for one app says nothing of the others; but people do.
bool IsAskedToGo(const AppFacts& facts) {
  const bool gone = facts.containers.empty() && facts.networks.empty();
  return facts.record.remove || (gone && !facts.record.purge.empty());
}

std::string Fingerprint(const Plan& plan) {
  ContentHash hash;
  for (const AppPlan& app : plan.apps) {
    hash.Add(app.app).Add(app.to.value_or("")).Add(app.services.size());
    for (const ServicePlan& service : app.services) {
      hash.Add(service.service).Add(ServiceChangeName(service.change));
    }
  }
  for (const ConfigPlan& config : plan.config) hash.Add(config.key).Add(config.to.value_or(""));
  for (const Step& step : plan.steps) {
    hash.Add(step.id.value).Add(step.after.size());
    for (const std::uint32_t before : step.after) hash.Add(plan.steps[before].id.value);
  }
  return "p1:" + Hex16(hash.Finish());
}

}  // namespace

Plan MakePlan(const ObservedState& observed, const Target& target, const PlanOptions& options) {
  Plan plan;
  plan.made_for = observed.taken_at;
  const PlanContext context(observed, target, options);
  for (auto& [app, facts] : GatherFacts(observed, target)) {
    if (!options.only_app.empty() && app != options.only_app) continue;
    if (facts.target == nullptr && !target.whole_device && !IsAskedToGo(facts)) continue;
    if (facts.target != nullptr && facts.target->is_host) {
      plan.apps.push_back(PlanOfHostApp(facts, observed));
      continue;
    }
    plan.apps.push_back(AppPlanner(context, facts, plan.steps).Make());
  }
  PlanConfig(context, plan);
  plan.status = WholeStatus(plan);
  plan.fingerprint = Fingerprint(plan);
  return plan;
}

std::vector<ServiceRef> LocksOf(const ObservedState& observed, const Target& target,
                                std::string_view app) {
  const AppNames names(target);
  std::string app_dir;
  std::set<std::string> services;
  for (const TargetApp& candidate : target.apps) {
    if (candidate.uuid != app) continue;
    app_dir = candidate.lock_dir();
    if (!candidate.release || candidate.is_host) continue;  // What runs of a host app, alone.
    for (const TargetService& service : candidate.release->services) services.insert(service.name);
  }
  for (const ObservedContainer& container : observed.engine.containers) {
    if (!container.owned || names.Uuid(container.app) != app) continue;
    if (container.state == ContainerState::kRemoving) continue;  // As good as gone.
    if (app_dir.empty()) app_dir = container.app_id.empty() ? container.app : container.app_id;
    services.insert(container.service);
  }
  std::vector<ServiceRef> locks;
  for (const std::string& service : services) {
    locks.push_back({std::string(app), app_dir, service});
  }
  return locks;
}

std::vector<std::string> HashesOf(const Target& target) {
  std::vector<std::string> hashes;
  for (const TargetApp& app : target.apps) {
    if (!app.release) continue;
    for (const TargetService& service : app.release->services) {
      hashes.push_back(ConfigHash(service.spec));
    }
  }
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  return hashes;
}

}  // namespace lockstep
