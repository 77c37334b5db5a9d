#include "lockstep/orchestrator.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "app_facts.h"
#include "apply_run.h"
#include "known_specs.h"
#include "lockstep/device_fit.h"

namespace lockstep {
namespace {

// The app's locks as a look finds them. Where they cannot be looked at safely they count as held:
// one unsafe directory holds its own app and no other.
void LookAtLocks(LockFs& locks, const std::vector<ServiceRef>& services, ObservedState& observed) {
  auto holders = locks.Holders(services);
  if (holders) {
    for (LockHolder& holder : holders.assume_value()) observed.locks.push_back(std::move(holder));
    return;
  }
  LockHolder unknown;
  unknown.app = services.front().app;
  unknown.app_dir = services.front().app_dir;
  unknown.service = services.front().service;
  unknown.kind = LockKind::kOther;
  unknown.path = holders.assume_error().where;
  unknown.notes.push_back(Describe(holders.assume_error()));
  observed.locks.push_back(std::move(unknown));
}

// The containers whose lock directory is another than the one looked at: their locks go unseen.
void FindLocksElsewhere(const LockFs& locks, const std::vector<ServiceRef>& services,
                        const AppNames& names, ObservedState& observed) {
  std::map<std::string_view, std::string> directories;  // By service.
  for (const ServiceRef& service : services) {
    if (auto paths = locks.Resolve(service)) {
      directories.emplace(service.service, std::move(paths).assume_value().engine_dir);
    }
  }
  for (ObservedContainer& container : observed.engine.containers) {
    if (!container.owned || names.Uuid(container.app) != services.front().app) continue;
    const auto directory = directories.find(container.service);
    if (directory == directories.end() || container.lock_dir.value_or("").empty()) continue;
    container.lock_dir_elsewhere = *container.lock_dir != directory->second;
    if (!container.lock_dir_elsewhere || !container.IsUp()) continue;
    // Whether it is locked is not known: it counts as if it were.
    LockHolder unknown;
    unknown.app = services.front().app;
    unknown.app_dir = services.front().app_dir;
    unknown.service = container.service;
    unknown.kind = LockKind::kOther;
    unknown.path = *container.lock_dir;
    unknown.notes.push_back("its lock directory is another than the one that is looked at");
    observed.locks.push_back(std::move(unknown));
  }
}

std::set<std::string> AppsOf(const ObservedState& observed, const Target* target) {
  std::set<std::string> apps;
  std::set<std::string> known_ids;
  if (target != nullptr) {
    for (const TargetApp& app : target->apps) {
      apps.insert(app.uuid);
      known_ids.insert(app.id);
    }
  }
  for (const ObservedContainer& container : observed.engine.containers) {
    if (container.owned && known_ids.count(container.app) == 0) apps.insert(container.app);
  }
  return apps;
}

}  // namespace

Result<void> CheckFingerprint(const Plan& plan, const std::string& fingerprint) {
  if (fingerprint.empty() || plan.fingerprint == fingerprint) return Ok();
  return WithContext(MakeError(ErrorCode::kConflict,
                               "the device or the target has changed, and the plan is " +
                                   plan.fingerprint + " now",
                               "run plan again"),
                     "apply plan " + fingerprint);
}

Result<ObservedState> Orchestrator::Look(const Target* target, std::stop_token stop,
                                         std::vector<std::string> seen) {
  LOCKSTEP_TRY(StoreState stored, ports_.store.Load());
  const KnownSpecs known = KnownSpecsOf(stored);
  ObserveRequest request;
  request.seen = std::move(seen);
  if (target != nullptr) {
    request.known_hashes = WithHashesOf(known, HashesOf(*target));
  } else {
    request.details_of_all = true;
  }
  ObservedState observed;
  LOCKSTEP_TRY(observed.engine, ports_.runtime.Observe(request, stop));
  observed.taken_at = ports_.clock.Now();
  FillIn(known, observed.engine);
  observed.apps = std::move(stored.apps);
  observed.saved_restart = std::move(stored.saved_restart);
  observed.config_set = std::move(stored.config_keys);
  for (const auto& [key, value] : stored.settings) observed.config_set.push_back(key);
  observed.config = std::move(stored.settings);
  DeviceConfig::Seen config = ports_.config.Read();
  observed.config.merge(std::move(config.values));
  observed.config_unreadable = std::move(config.unreadable);
  observed.config_backends = ports_.config.names();
  observed.reboot = std::move(stored.reboot);
  LOCKSTEP_TRY(observed.boot_id, ports_.host.BootId());
  const Target none;
  const Target& of = target != nullptr ? *target : none;
  const AppNames names(of);
  for (const std::string& app : AppsOf(observed, target)) {
    const auto services = LocksOf(observed, of, app);
    if (services.empty()) continue;
    LookAtLocks(ports_.locks, services, observed);
    FindLocksElsewhere(ports_.locks, services, names, observed);
  }
  Sort(observed);
  return observed;
}

Result<Plan> Orchestrator::Preview(const Target& target, const SessionOptions& options,
                                   std::stop_token stop) {
  const Target fitted = FitToDevice(target, options.device);
  LOCKSTEP_TRY(const ObservedState observed, Look(&fitted, std::move(stop)));
  PlanOptions plan = options.plan;
  plan.config_rules = ports_.config.rules();
  return MakePlan(observed, fitted, plan);
}

Result<ApplyReport> Orchestrator::Apply(const Target& target, const ApplyOptions& options,
                                        EventObserver& observer, std::stop_token interrupt) {
  const Target fitted = FitToDevice(target, options.session.device);
  ApplyOptions of_device = options;
  of_device.session.plan.config_rules = ports_.config.rules();
  ApplyRun run(*this, ports_, fitted, of_device, observer);
  return run.Run(std::move(interrupt));
}

bool Orchestrator::Run(const SessionOptions& options, RunControl& control, EventObserver& observer,
                       std::stop_token interrupt) {
  ApplyOptions of_device;
  of_device.session = options;
  of_device.session.keep_going = true;
  of_device.session.keep_retries = true;
  of_device.session.plan.config_rules = ports_.config.rules();
  std::optional<Target> target = AwaitTarget(control, ports_.clock, interrupt);
  if (!target) return false;
  ApplyRun run(*this, ports_, FitToDevice(*target, options.device), of_device, observer);
  return run.KeepGoing(control, std::move(interrupt));
}

std::optional<Target> Orchestrator::AwaitTarget(RunControl& control, Clock& clock,
                                                const std::stop_token& interrupt) {
  std::mutex mutex;
  std::condition_variable_any changed;
  bool woken = true;  // One may have been given before.
  std::optional<Target> target;
  control.Attach([&] {
    const std::scoped_lock lock(mutex);
    woken = true;
    changed.notify_all();
  });
  while (!target && !interrupt.stop_requested()) {
    std::unique_lock lock(mutex);
    clock.WaitUntil(changed, lock, std::nullopt, interrupt, [&] { return woken; });
    woken = false;
    lock.unlock();
    target = control.Take().target;
  }
  control.Detach();
  return target;
}

}  // namespace lockstep
