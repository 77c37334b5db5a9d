// How a run begins: the first look, and what an earlier process left behind.
#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "apply_run.h"
#include "lockstep/planner.h"
#include "reboot_check.h"

namespace lockstep {

Result<ObservedState> ApplyRun::Look(const Target& target, std::stop_token stop,
                                     std::vector<std::string> seen) {
  LOCKSTEP_TRY(ObservedState observed,
               orchestrator_.Look(&target, std::move(stop), std::move(seen)));
  NoteSpans(observed);
  return observed;
}

Result<ObservedState> ApplyRun::Begin(std::stop_token stop) {
  RecoverConfig();
  LOCKSTEP_TRY(ObservedState observed, Look(*session_.target(), std::move(stop)));
  if (!options_.if_fingerprint.empty()) {
    const Plan plan = MakePlan(observed, *session_.target(), options_.session.plan);
    LOCKSTEP_TRYV(CheckFingerprint(plan, options_.if_fingerprint));
  }
  std::vector<ServiceRef> services;
  for (const ObservedContainer& container : observed.engine.containers) {
    if (!container.owned) continue;
    services.push_back({container.app, container.app_id.empty() ? container.app : container.app_id,
                        container.service});
  }
  std::sort(services.begin(), services.end());
  services.erase(std::unique(services.begin(), services.end()), services.end());
  for (const ServiceRef& service : services) {
    // A directory that cannot be made safe holds its own app: a look at its locks says why.
    if (auto prepared = ports_.locks.Prepare({&service, 1}); !prepared) {
      Warn(service, WithContext(std::move(prepared).assume_error(), "prepare the lock directory"));
    }
  }
  WarnOfNearMisses();
  LOCKSTEP_TRYV(FinishReboot(observed));
  LOCKSTEP_TRYV(AskAgain(observed));
  LOCKSTEP_TRYV(AdoptSpans(observed));
  // One service's that cannot be released keeps no other app from its update.
  if (auto released = ports_.locks.ReleaseLeftovers(); !released) {
    Warn({}, WithContext(std::move(released).assume_error(), "release what was left locked"));
  }
  return observed;
}

// Whose lock has a name that is none believes that it is locked, and is not.
void ApplyRun::WarnOfNearMisses() {
  auto locks = ports_.locks.List();
  if (!locks) return;  // What cannot be looked at holds its app, and is told there.
  for (const LockHolder& lock : locks.assume_value()) {
    if (lock.held || lock.notes.empty()) continue;
    Warn({lock.app, lock.app_dir, lock.service},
         WithContext(MakeError(ErrorCode::kInvalidInput, lock.notes.front(),
                               "its app believes that it is locked; mend the app"),
                     lock.path));
  }
}

// A file that a power cut left in pieces is put back before anything is read from it.
void ApplyRun::RecoverConfig() {
  for (auto& [backend, error] : ports_.config.Recover()) {
    Warn({}, WithContext(std::move(error), "recover the configuration in " + backend));
  }
}

// Looks at what the device was rebooted for, the first time after that.
Result<void> ApplyRun::FinishReboot(ObservedState& observed) {
  auto check = CheckReboot(observed, options_.session.plan.config_rules);
  if (!check) return Ok();
  for (Error& error : check->not_in_force) Warn({}, std::move(error));
  LOCKSTEP_TRYV(ports_.store.PutConfigKeys(check->in_force));
  for (const auto& [key, value] : check->in_force) {
    std::erase(observed.config_set, key);
    if (value) observed.config_set.push_back(key);
  }
  std::sort(observed.config_set.begin(), observed.config_set.end());
  observed.reboot->changes.clear();
  LOCKSTEP_TRYV(ports_.store.PutReboot(*observed.reboot));
  Event event;
  event.kind = EventKind::kStepDone;
  event.step = check->step;
  event.step_kind = StepKind::kReboot;
  event.subject = check->why;
  Emit(std::move(event));
  return Ok();
}

void ApplyRun::Warn(const ServiceRef& of, Error error) {
  Event event;
  event.kind = EventKind::kStepFailed;
  event.app = of.app;
  event.service = of.service;
  event.error = std::move(error);
  Emit(std::move(event));
}

// Whoever applies a release by hand asks for it, also where it failed or was to be removed before;
// a loop that begins again has not been asked. A way back that was cut off is finished first: only
// who stopped a container knows that it is not a job that is done.
Result<void> ApplyRun::AskAgain(ObservedState& observed) {
  if (control_ != nullptr) return Ok();
  for (const TargetApp& app : session_.target()->apps) {
    if (!app.release || observed.FindApp(app.uuid) == nullptr) continue;
    AppRecord& record = observed.AppFor(app.uuid);
    const bool stays = std::exchange(record.remove, false);
    const bool again = !record.cutover && record.ForgetFailed(app.release->commit);
    if (!stays && !again) continue;
    LOCKSTEP_TRYV(ports_.store.PutApp(record));
  }
  return Ok();
}

// The locks of an app whose cutover was cut off are its span still: they were never given back.
Result<void> ApplyRun::AdoptSpans(ObservedState& observed) {
  for (const AppRecord& record : observed.apps) {
    const TargetApp* app = session_.target()->FindApp(record.app);
    const std::string to = app != nullptr && app->release ? app->release->commit : std::string();
    if (record.cutover != to) continue;  // To another release: that one is not prepared.
    const bool left = std::any_of(
        observed.locks.begin(), observed.locks.end(),
        [&](const LockHolder& holder) { return holder.ours && holder.app == record.app; });
    if (!left) continue;
    Adopt(observed, record.app, StepRunner::For::kCutover);
  }
  if (observed.RebootPending()) AdoptForReboot(observed);
  NoteSpans(observed);
  return Ok();
}

// The machine may be going down already: no app is to take its lock now.
void ApplyRun::AdoptForReboot(const ObservedState& observed) {
  std::set<std::string> apps;
  for (const LockHolder& holder : observed.locks) {
    if (holder.ours) apps.insert(holder.app);
  }
  for (const std::string& app : runner_.Spans(StepRunner::For::kCutover)) apps.erase(app);
  for (const std::string& app : apps) Adopt(observed, app, StepRunner::For::kReboot);
}

void ApplyRun::Adopt(const ObservedState& observed, const std::string& app,
                     StepRunner::For purpose) {
  if (auto adopted = runner_.Adopt(app, LocksOf(observed, *session_.target(), app), purpose);
      !adopted) {
    Warn({app, {}, {}},
         WithContext(std::move(adopted).assume_error(), "take over the update locks"));
  }
}

void ApplyRun::NoteSpans(ObservedState& observed) {
  observed.spans = runner_.Spans(StepRunner::For::kCutover);
  observed.reboot_spans = runner_.Spans(StepRunner::For::kReboot);
}

}  // namespace lockstep
