// What a Session does for the device as a whole: its configuration, and the reboot for it.
#include <algorithm>
#include <utility>

#include "lockstep/session.h"
#include "same_locks.h"
#include "step_event.h"

namespace lockstep {
namespace {

bool IsOfDevice(const Step& step) { return step.phase == Phase::kConfig; }

}  // namespace

// What goes wrong on the way to a reboot is no app's fault, though it is an app's lock.
Session::AppRun& Session::RunOf(const Step& step) {
  return runs_[IsOfDevice(step) ? std::string() : step.app];
}

void Session::MakeNextPlan() {
  observed_.stalled.clear();
  for (const auto& [app, run] : runs_) {
    const bool works =
        std::any_of(running_.begin(), running_.end(), [&, name = &app](const auto& entry) {
          return entry.second.step.app == *name && !IsOfDevice(entry.second.step);
        });
    const bool rests = run.failed && !observed_.HasSpan(app) && !works;
    if (!app.empty() && rests) observed_.stalled.push_back(app);
  }
  // Asked to reboot, a machine may stop this process before it answers.
  const bool asked = std::any_of(running_.begin(), running_.end(), [](const auto& entry) {
    return entry.second.step.kind == StepKind::kReboot;
  });
  observed_.reboots_no_more = device_gave_up_ || (interrupted_ && !asked);
  plan_ = MakePlan(observed_, *target_, OptionsNow());
}

// A key that cannot be written keeps no other from being applied; what else fails ends the way to a
// reboot for this run.
void Session::GiveUpOfDevice(const Step& step, Error error) {
  if (step.kind == StepKind::kWriteConfig) {
    observed_.config_failed[step.subject] = Describe(error);
  } else {
    device_gave_up_ = true;
  }
  AppRun& run = runs_[""];
  if (!run.failed) {
    run.last_error = error;
    run.failed = std::move(error);
    run.failed_step = step.id;
  }
}

bool Session::DeviceAllowed(const Step& step) {
  switch (step.kind) {
    case StepKind::kTakeLocks:
      // Taken one after another, and given back where one is held: not before all look free.
      if (locks_unknown_) need_look_ = true;
      return !locks_unknown_;
    case StepKind::kReboot:
      // What was written must be there, and nothing may have happened meanwhile.
      if (changed_since_look_) need_look_ = true;
      return running_.empty() && !looking_ && !changed_since_look_;
    default:
      return true;
  }
}

// A step towards a reboot needs those of every app.
void Session::LoseSpans(const Step& step, std::vector<LockHolder> holders) {
  if (!step.app.empty()) return LoseSpan(step.app, std::move(holders));
  std::map<std::string, std::vector<LockHolder>> lost;
  for (LockHolder& holder : holders) lost[holder.app].push_back(std::move(holder));
  for (auto& [app, of_app] : lost) LoseSpan(app, std::move(of_app));
}

void Session::OnRebootAnswered(const Step& step, const StepResult& result, MonoTime now) {
  if (result.left_to_others) {
    device_gave_up_ = true;  // The locks are given back; the plan says what is still to come.
    return;
  }
  rebooting_ = step;
  goes_down_by_ = now + options_.reboot_timeout;
}

// True while nothing more is to be done, because the machine is going down.
bool Session::GoesDown(MonoTime now, std::vector<Action>& actions) {
  if (!goes_down_by_) return false;
  if (now < *goes_down_by_) {
    if (!interrupted_ || !running_.empty() || looking_) {
      Wake(*goes_down_by_);
    } else {
      finished_ = true;
      actions.push_back(ReportAction{EventOf(EventKind::kDone, std::string())});
    }
    return true;
  }
  goes_down_by_.reset();
  need_look_ = true;
  Error error =
      MakeError(ErrorCode::kDeadlineExceeded, "the machine accepted to reboot, and still runs",
                "look at what keeps it from going down");
  Event event = EventOf(EventKind::kStepFailed, *rebooting_);
  event.error = error;
  actions.push_back(ReportAction{std::move(event)});
  GiveUp(*rebooting_, std::move(error));
  return false;
}

bool Session::DeviceWaits() const {
  const Step* reboot = RebootOf(plan_);
  const bool paused = std::any_of(plan_.apps.begin(), plan_.apps.end(),
                                  [](const AppPlan& app) { return app.paused; });
  if (paused && !options_.keep_going) return false;
  return reboot != nullptr && reboot->status == StepStatus::kDeferred && options_.wait_when_held;
}

std::vector<LockHolder> Session::DeviceHolders() const {
  std::vector<LockHolder> holders;
  for (const AppPlan& app : plan_.apps) {
    holders.insert(holders.end(), app.holders.begin(), app.holders.end());
  }
  return holders;
}

void Session::ReportDeviceHeld(std::vector<Action>& actions) {
  const Step* reboot = RebootOf(plan_);
  if (reboot == nullptr) return;
  std::vector<LockHolder>& reported = runs_[""].reported;
  ReportAction report;
  if (reboot->status == StepStatus::kDeferred) {
    std::vector<LockHolder> holders = DeviceHolders();
    if (AreSameLocks(reported, holders)) return;
    reported = std::move(holders);
    report.event.kind = EventKind::kHeld;
    report.event.holders = reported;
  } else {
    const bool taken = std::none_of(plan_.steps.begin(), plan_.steps.end(), [](const Step& step) {
      return step.kind == StepKind::kTakeLocks && step.phase == Phase::kConfig;
    });
    if (!taken || reported.empty()) return;
    reported.clear();
    report.event.kind = EventKind::kReleased;
  }
  actions.push_back(std::move(report));
}

std::optional<AppReport> Session::ReportOfDevice() const {
  AppReport report;
  report.name = "device";
  const auto run = runs_.find("");
  const auto has = [&](ConfigAction action) {
    return std::any_of(plan_.config.begin(), plan_.config.end(), [&](const ConfigPlan& config) {
      return config.action == action && config.needs_reboot;
    });
  };
  const Step* reboot = RebootOf(plan_);
  const bool deferred = reboot != nullptr && reboot->status == StepStatus::kDeferred;
  if (run != runs_.end() && run->second.failed) {
    report.outcome = ApplyOutcome::kFailed;
    report.error = run->second.failed;
  } else if (Rebooting()) {
    report.outcome = ApplyOutcome::kInterrupted;  // By whoever did not wait for it to go down.
  } else if (deferred || has(ConfigAction::kDefer)) {
    report.outcome = ApplyOutcome::kHeld;
    report.holders = DeviceHolders();
  } else if (interrupted_ && (reboot != nullptr || has(ConfigAction::kApply))) {
    report.outcome = timed_out_ ? ApplyOutcome::kTimedOut : ApplyOutcome::kInterrupted;
  } else if (const auto refused = std::count_if(
                 plan_.config.begin(), plan_.config.end(),
                 [](const ConfigPlan& c) { return c.action == ConfigAction::kRefuse; });
             refused != 0) {
    report.gaps = {{"config-refused",
                    std::to_string(refused) + " of the keys of its configuration not set", false}};
  } else if (observed_.RebootPending()) {
    report.gaps = {
        {"reboot-pending", "what was written takes a reboot, which is left to others", false}};
  } else {
    return std::nullopt;  // All of it went well.
  }
  return report;
}

}  // namespace lockstep
