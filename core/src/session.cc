#include "lockstep/session.h"

#include <algorithm>
#include <utility>

#include "lockstep/explain.h"
#include "step_event.h"

namespace lockstep {
namespace {

// What they did is this process's own to know, and is undone where an app's lock comes between.
bool MovesLocks(const Step& step) {
  return step.kind == StepKind::kTakeLocks || step.kind == StepKind::kReleaseLocks;
}

// The container a step works on; empty where it works on none that exists.
std::string_view ContainerOf(const StepRequest& request) {
  if (const auto* start = std::get_if<StartContainerRequest>(&request)) return start->container;
  if (const auto* stop = std::get_if<StopContainerRequest>(&request)) return stop->container;
  if (const auto* remove = std::get_if<RemoveContainerRequest>(&request)) return remove->container;
  return {};
}

}  // namespace

Session::Session(Target target, SessionOptions options)
    : target_(std::move(target)), options_(std::move(options)) {}

void Session::OnObserved(ObservedState observed, MonoTime now) {
  if (!std::exchange(looking_, false)) need_look_ = false;  // Nobody was asked: a first look.
  look_failures_ = 0;
  look_error_.reset();
  CarryOver(observed);
  observed_ = std::move(observed);
  has_state_ = true;
  changed_since_look_ = !since_look_.empty();
  for (const Done& done : since_look_) {
    ApplyEffect(done.what.step, done.what.request, done.result, observed_);
  }
  since_look_.clear();
  check_claims_ = !changed_since_look_;
  if (!need_look_) locks_unknown_ = false;
  for (auto& [app, run] : runs_) {
    run.wants_look = false;
    run.wants_gate_look = false;
  }
  for (const ObservedContainer& container : observed_.engine.containers) {
    if (container.owned && container.IsUp()) up_.try_emplace(container.id, Up{now, now});
  }
}

// What a look cannot see, and was known before it.
void Session::CarryOver(ObservedState& next) const {
  std::map<std::string_view, const ObservedContainer*> before;
  for (const ObservedContainer& container : observed_.engine.containers) {
    before.emplace(container.id, &container);
  }
  std::map<std::string, const ServiceSpec*> wanted;
  for (const TargetApp& app : target_.apps) {
    if (!app.release) continue;
    for (const TargetService& service : app.release->services) {
      wanted.emplace(ConfigHash(service.spec), &service.spec);
    }
  }
  for (ObservedContainer& container : next.engine.containers) {
    if (const auto spec = wanted.find(container.config_hash);
        container.owned && !container.spec && spec != wanted.end()) {
      container.spec = *spec->second;
    }
    const auto it = before.find(container.id);
    if (it == before.end()) continue;
    const ObservedContainer& old = *it->second;
    const bool same = old.IsUp() == container.IsUp();
    container.settled = old.settled && same;
    container.handed_over = old.handed_over && same;
    container.start_failed = old.start_failed && same;
    if (same && !container.started_at) container.started_at = old.started_at;
    if (!container.restart_policy) container.restart_policy = old.restart_policy;
  }
  next.images_answered = observed_.images_answered;
  next.images_pulled = observed_.images_pulled;
  next.config_failed = observed_.config_failed;
}

void Session::OnLookFailed(Error error, MonoTime now) {
  looking_ = false;
  ++look_failures_;
  look_error_ = std::move(error);
  // A cutover is not left because its engine restarts.
  const bool again = look_failures_ < options_.max_attempts || !observed_.spans.empty();
  if (IsTransient(look_error_->code) && again && !interrupted_) {
    need_look_ = true;
    look_not_before_ = now + options_.back_off * (1 << std::min(look_failures_ - 1, 5));
  } else {
    finished_ = running_.empty();
    interrupted_ = true;
  }
}

void Session::OnStepDone(StepId id, StepResult result, MonoTime now) {
  const auto it = running_.find(id);
  if (it == running_.end()) return;
  Running done = std::move(it->second);
  running_.erase(it);
  const Step& step = done.step;
  AppRun& run = runs_[step.app];
  if (!result.holders.empty() && std::all_of(result.holders.begin(), result.holders.end(),
                                             [](const LockHolder& h) { return h.ours; })) {
    // Lockstep is in its own way: what is known of its locks is not so.
    running_.emplace(id, std::move(done));
    return OnStepFailed(id, MakeError(ErrorCode::kConflict, "Lockstep itself has these locks"),
                        now);
  }
  if (!result.holders.empty()) {
    // Held is no failure: the locks were not to be had, or an app took one in the middle of the
    // span, and the step was not performed.
    attempts_.erase(id);
    LoseSpans(step, std::move(result.holders));
    if (std::exchange(run.locks_changed, false)) OnLocksChanged();
    return;
  }
  const std::vector<std::string> interrupted = InterruptedOf(step.app);
  ApplyEffect(step, done.request, result, observed_);
  if (step.kind == StepKind::kStartContainer && interrupted != InterruptedOf(step.app)) {
    pending_.push_back(SaveRecordAction{observed_.AppFor(step.app)});
  }
  changed_since_look_ = true;
  Event event = EventOf(EventKind::kStepDone, step);
  event.holders = result.overridden;
  if (!result.left_to_others) pending_.push_back(ReportAction{std::move(event)});
  if (step.kind == StepKind::kTakeLocks && step.phase != Phase::kConfig && !run.reported.empty()) {
    run.reported.clear();
    pending_.push_back(ReportAction{EventOf(EventKind::kReleased, step.app)});
  }
  if (step.kind == StepKind::kReleaseLocks) run.cutting = false;
  Attempts& attempts = attempts_[id];
  if (step.kind == StepKind::kReboot) {
    OnRebootAnswered(step, result, now);
  } else if (step.kind == StepKind::kStartContainer) {
    up_[step.subject] = Up{now, now};
    // It may end at once and be started again: not for ever, and not in a hurry.
    ++attempts.failed;
    attempts.not_before = now + options_.back_off * (1 << std::min(attempts.failed - 1, 10));
  } else if (!MovesLocks(step)) {
    claimed_.insert(id);
  }
  if (step.kind == StepKind::kCommitRelease) {
    pending_.push_back(ReportAction{
        EventOf(step.detail == "back" ? EventKind::kRolledBack : EventKind::kCommitted, step.app)});
  }
  need_look_ = need_look_ || done.heard;
  if (looking_) since_look_.push_back({std::move(done), std::move(result)});
}

std::vector<std::string> Session::InterruptedOf(const std::string& app) const {
  const AppRecord* record = observed_.FindApp(app);
  return record == nullptr ? std::vector<std::string>{} : record->interrupted;
}

void Session::LoseSpan(const std::string& app, std::vector<LockHolder> holders) {
  std::erase(observed_.spans, app);
  std::erase(observed_.reboot_spans, app);
  std::erase_if(observed_.locks, [&](const LockHolder& holder) { return holder.app == app; });
  for (LockHolder& holder : holders) observed_.locks.push_back(std::move(holder));
  runs_[app].cutting = false;
}

void Session::OnStepFailed(StepId id, Error error, MonoTime now) {
  const auto it = running_.find(id);
  if (it == running_.end()) return;
  const Step step = std::move(it->second.step);
  running_.erase(it);
  changed_since_look_ = true;  // It may have had its effect all the same.
  if (interrupted_ && error.code == ErrorCode::kCancelled) return;
  // Nothing is stopped for a download again before the registry has answered again.
  if (step.kind == StepKind::kPullImage) std::erase(observed_.images_answered, step.subject);
  Event event = EventOf(EventKind::kStepFailed, step);
  event.error = error;
  pending_.push_back(ReportAction{std::move(event)});
  need_look_ = true;
  RunOf(step).wants_look = true;
  CountFailure(step, std::move(error), now);
}

void Session::CountFailure(const Step& step, Error error, MonoTime now) {
  Attempts& attempts = attempts_[step.id];
  ++attempts.failed;
  if (!IsTransient(error.code) || attempts.failed >= options_.max_attempts) {
    GiveUp(step, std::move(error));
  } else {
    attempts.not_before = now + options_.back_off * (1 << std::min(attempts.failed - 1, 10));
  }
}

// A step that was reported as done and that a look still finds to be done counts as failed, so that
// nothing loops for ever. A start has its own count: its container may have ended again.
void Session::CheckClaims(MonoTime now) {
  if (!std::exchange(check_claims_, false)) return;
  for (const Step& step : plan_.steps) {
    if (claimed_.erase(step.id) == 0) continue;
    CountFailure(
        step,
        WithContext(MakeError(ErrorCode::kBadReply, "reported as done, but it had no effect",
                              "look at the engine's log"),
                    Explain(step)),
        now);
  }
  for (const StepId confirmed : claimed_) attempts_.erase(confirmed);
  claimed_.clear();
}

void Session::GiveUp(const Step& step, Error error) {
  attempts_[step.id].given_up = true;
  plan_is_old_ = true;
  if (step.phase == Phase::kConfig) return GiveUpOfDevice(step, std::move(error));
  // What is to be replaced and will not start must not keep its successor from coming.
  if (step.kind == StepKind::kStartContainer && step.detail == "old") {
    if (ObservedContainer* old = observed_.FindContainer(step.subject)) old->start_failed = true;
    return;
  }
  AppRun& run = runs_[step.app];
  if (!run.failed) run.failed = std::move(error);
  if (!MayGoBack(step)) return;
  AppRecord& record = observed_.AppFor(step.app);
  record.failed.push_back(*record.cutover);
  pending_.push_back(SaveRecordAction{record});
}

bool Session::GoesBack(const std::string& app) const {
  const AppRecord* record = observed_.FindApp(app);
  return record != nullptr && record->cutover &&
         std::count(record->failed.begin(), record->failed.end(), *record->cutover) != 0;
}

// A cutover that will not go on: the app goes back to what it came from, where there is that.
bool Session::MayGoBack(const Step& step) const {
  const AppRecord* record = observed_.FindApp(step.app);
  const auto app = std::find_if(plan_.apps.begin(), plan_.apps.end(),
                                [&](const AppPlan& a) { return a.app == step.app; });
  const bool moves = step.phase == Phase::kCutover && step.kind != StepKind::kTakeLocks &&
                     step.kind != StepKind::kReleaseLocks &&
                     step.kind != StepKind::kRenameContainer;
  return moves && app != plan_.apps.end() && app->way_back && record != nullptr &&
         record->cutover && !record->committed.value_or("").empty() && !GoesBack(step.app);
}

void Session::OnEngineEvent(const EngineEvent& event, MonoTime now) {
  if (!has_state_) return;
  ObservedContainer* container = observed_.FindContainer(event.container);
  if (container == nullptr) return;
  // What our own steps do is known when they are done.
  for (auto& [id, running] : running_) {
    if (ContainerOf(running.request) != event.container) continue;
    // But what ends while it is being started is seen by a look alone.
    running.heard = running.heard || (running.step.kind == StepKind::kStartContainer &&
                                      event.kind == EngineEventKind::kDied);
    return;
  }
  need_look_ = need_look_ || looking_;  // The look under way may be older than this.
  switch (event.kind) {
    case EngineEventKind::kStarted:
      if (container->state == ContainerState::kRunning) break;  // Old news: of our own start.
      if (container->state == ContainerState::kRestarting) ++container->restart_count;
      container->state = ContainerState::kRunning;
      container->settled = false;
      container->started_at = observed_.NextStart();
      up_.try_emplace(container->id, Up{now, now}).first->second.since = now;
      break;
    case EngineEventKind::kDied: {
      if (!container->IsUp()) break;  // Of our own stop.
      // Whether the engine starts it again is the engine's to know; a look tells when it matters.
      const std::string policy = container->spec ? RestartPolicyOf(*container->spec) : "no";
      const bool revived = policy == "always" || policy == "unless-stopped" ||
                           (policy != "no" && event.exit_code != 0);
      container->state = revived ? ContainerState::kRestarting : ContainerState::kExited;
      container->exit_code = event.exit_code;
      container->health = Health::kNone;
      break;
    }
    case EngineEventKind::kHealth:
      container->health = event.health;
      break;
    case EngineEventKind::kRemoved:
      std::erase_if(observed_.engine.containers,
                    [&](const ObservedContainer& c) { return c.id == event.container; });
      break;
    case EngineEventKind::kOther:
      break;
  }
}

void Session::OnEngineGap() { need_look_ = true; }

void Session::OnLocksChanged() {
  // Being free for an instant is no promise: taking them decides. Until then nobody is known to
  // hold any. An attempt that is under way may have looked before the change.
  std::erase_if(observed_.locks, [](const LockHolder& holder) { return !holder.ours; });
  locks_unknown_ = true;
  // However long ago a registry answered: before the first stop it does so again.
  observed_.images_answered.clear();
  for (const auto& [id, running] : running_) {
    if (running.step.kind == StepKind::kTakeLocks) runs_[running.step.app].locks_changed = true;
  }
}

void Session::Interrupt() { interrupted_ = true; }

void Session::TimeOut() {
  if (goes_down_by_) return;  // That has a time-out of its own.
  if (!interrupted_) timed_out_ = true;
  interrupted_ = true;
}

void Session::Wake(MonoTime at) {
  if (!wake_at_ || at < *wake_at_) wake_at_ = at;
}

std::vector<Action> Session::Next(MonoTime now) {
  std::vector<Action> actions = std::exchange(pending_, {});
  wake_at_.reset();
  waits_for_event_ = false;
  if (finished_) return actions;
  if (interrupted_) CancelWhatMayWait(actions);
  if (has_state_) {
    if (GoesDown(now, actions)) return actions;
    MakeNextPlan();
    CheckClaims(now);
    if (std::exchange(plan_is_old_, false)) MakeNextPlan();
    ReportPlan(actions);
    Dispatch(now, actions);
    ReportHeld(actions);
    WatchHeldLocks(actions);
  }
  StartLook(now, actions);
  CheckFinished(actions);
  return actions;
}

void Session::CancelWhatMayWait(std::vector<Action>& actions) {
  for (const auto& [id, running] : running_) {
    const bool cutover = running.step.phase == Phase::kCutover;
    if (!cutover && cancelled_.insert(id).second) actions.push_back(CancelStepAction{id});
  }
}

void Session::StartLook(MonoTime now, std::vector<Action>& actions) {
  if (!need_look_ || looking_ || (interrupted_ && !has_state_)) return;
  if (now < look_not_before_) return Wake(look_not_before_);
  need_look_ = false;
  looking_ = true;
  since_look_.clear();
  actions.push_back(LookAction{});
}

void Session::CheckFinished(std::vector<Action>& actions) {
  if (!running_.empty() || looking_ || wake_at_) return;
  if (need_look_ && !interrupted_) return;
  if (has_state_ && !interrupted_) {
    if (waits_for_event_) return;
    const bool app_waits = std::any_of(plan_.apps.begin(), plan_.apps.end(),
                                       [&](const AppPlan& app) { return Waits(app); });
    if (app_waits || DeviceWaits()) return;
    if (changed_since_look_) {  // The last word is what the engine says.
      looking_ = true;
      actions.push_back(LookAction{});
      return;
    }
  }
  finished_ = true;
  actions.push_back(ReportAction{EventOf(EventKind::kDone, std::string())});
}

bool Session::Waits(const AppPlan& app) const {
  const auto run = runs_.find(app.app);
  return app.status == PlanStatus::kHeld && options_.wait_when_held &&
         (run == runs_.end() || !run->second.failed);
}

void Session::WatchHeldLocks(std::vector<Action>& actions) {
  std::vector<ServiceRef> wanted;
  // While an attempt is under way the watch stays: a release in that moment must not be missed, and
  // each new watch makes everybody try again.
  std::set<std::string_view> trying;
  for (const auto& [id, running] : running_) {
    if (running.step.kind == StepKind::kTakeLocks) trying.insert(running.step.app);
  }
  // Those of a reboot are taken one after another: the watch stands until it has them all.
  const bool of_device = DeviceWaits() || (RebootOf(plan_) != nullptr && !watched_locks_.empty());
  for (const AppPlan& app : plan_.apps) {
    const bool tries = trying.count(app.app) != 0 && !watched_locks_.empty();
    if ((!Waits(app) && !tries && !of_device) || interrupted_) continue;
    for (ServiceRef& ref : LocksOf(observed_, target_, app.app)) wanted.push_back(std::move(ref));
  }
  if (wanted == watched_locks_) return;
  watched_locks_ = wanted;
  actions.push_back(WatchLocksAction{std::move(wanted)});
}

}  // namespace lockstep
