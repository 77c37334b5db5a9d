#include "lockstep/session.h"

#include <algorithm>
#include <utility>

#include "app_facts.h"
#include "lockstep/explain.h"
#include "merge_records.h"
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
    : target_(std::make_shared<const Target>(std::move(target))), options_(std::move(options)) {
  Identify();
}

// What containers are told of the device is the target's to say where it says it.
void Session::Identify() {
  if (!target_->device_uuid.empty()) options_.device.uuid = target_->device_uuid;
  if (!target_->device_name.empty()) options_.device.name = target_->device_name;
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
  const bool moves =
      step.kind == StepKind::kStartContainer || step.kind == StepKind::kStopContainer;
  const AppRecord* known = moves || done.before ? observed_.FindApp(step.app) : nullptr;
  const AppRecord before = known != nullptr ? *known : AppRecord();
  ApplyEffect(step, done.request, result, observed_);
  if (looking_) since_look_.emplace_back(Done{done, result});
  if (moves && known != nullptr && observed_.AppFor(step.app) != before) {
    Save(observed_.AppFor(step.app), pending_);
  } else if (done.before && known != nullptr && before != *done.before && !ForgetsApp(step)) {
    // It knew the app as it was when it began.
    AppRecord& record = observed_.AppFor(step.app);
    record = MergeRecords(*done.before, record, before);
    Save(record, pending_);
  }
  if (step.kind == StepKind::kPullImage) RetireUnlessUsed(step.app, result.id);
  changed_since_look_ = true;
  Event event = EventOf(EventKind::kStepDone, step);
  event.holders = result.overridden;
  if (!result.left_to_others) pending_.push_back(ReportAction{std::move(event)});
  if (step.kind == StepKind::kTakeLocks && step.phase != Phase::kConfig) forced_.erase(step.app);
  if (step.kind == StepKind::kTakeLocks && step.phase != Phase::kConfig && !run.reported.empty()) {
    run.reported.clear();
    pending_.push_back(ReportAction{EventOf(EventKind::kReleased, step.app)});
  }
  if (step.kind == StepKind::kReleaseLocks) run.cutting = false;
  Forget(step.app, id);
  Attempts& attempts = attempts_[id];
  if (step.kind == StepKind::kReboot) {
    OnRebootAnswered(step, result, now);
  } else if (step.kind == StepKind::kStartContainer || step.kind == StepKind::kCreateContainer) {
    if (step.kind == StepKind::kStartContainer) {
      up_[step.subject] = Up{now, now};
      starts_[step.subject] = id;
    }
    // It may end at once and be started again, or be gone: not for ever, and not in a hurry.
    ++attempts.failed;
    attempts.app = step.app;
    BackOffFrom(step, attempts, now);
  } else if (!MovesLocks(step) && step.kind != StepKind::kCheckImage) {
    claimed_.insert(id);
    believed_.erase(id);
  }
  if (step.kind == StepKind::kCommitRelease && step.detail == "back") NoteWentBack(step);
  if (step.kind == StepKind::kCommitRelease) observed_.short_of_space = false;
  if (step.kind == StepKind::kCommitRelease && !ForgetsApp(step)) {
    pending_.push_back(ReportAction{
        EventOf(step.detail == "back" ? EventKind::kRolledBack : EventKind::kCommitted, step.app)});
  }
  need_look_ = need_look_ || done.heard;
}

// What is saved counts from now on, whatever a look that is under way has read before.
void Session::Save(const AppRecord& record, std::vector<Action>& actions) {
  actions.push_back(SaveRecordAction{record});
  if (looking_) since_look_.emplace_back(record);
}

// Whoever brings an image takes it away one day, also where its target went before a container was
// made of it.
void Session::RetireUnlessUsed(const std::string& app, const std::string& image) {
  if (image.empty()) return;
  AppRecord& record = Record(app);
  std::vector<std::string>& retired = record.retired;
  const auto at = std::lower_bound(retired.begin(), retired.end(), image);
  if (at != retired.end() && *at == image) return;
  retired.insert(at, image);
  Save(record, pending_);
}

// To be changed and saved. One that is new begins with what follows from what runs: without it the
// app would have nothing to go back to.
AppRecord& Session::Record(const std::string& app) {
  if (observed_.FindApp(app) == nullptr) {
    AppRecord record = RecordOf(observed_, *target_, app);
    observed_.AppFor(app) = std::move(record);
  }
  return observed_.AppFor(app);
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
  const bool unwanted = cancelled_.erase(id) != 0;
  if ((interrupted_ || unwanted) && error.code == ErrorCode::kCancelled) return;
  // Nothing is stopped for a download again before the registry has answered again.
  if (step.kind == StepKind::kPullImage) {
    std::erase(observed_.images_answered, step.subject);
    observed_.short_of_space = observed_.short_of_space || error.code == ErrorCode::kNoSpace;
  }
  need_look_ = true;
  RunOf(step).wants_look = true;
  ObservedContainer* container = observed_.FindContainer(step.subject);
  if (error.code == ErrorCode::kDefunct && container != nullptr && !container->IsUp()) {
    container->defunct = true;  // It is made anew, as often as one may be.
    container->state = ContainerState::kDead;
  }
  CountFailure(step, error, now);
  ReportFailure(step, std::move(error));
}

void Session::CountFailure(const Step& step, Error error, MonoTime now) {
  Attempts& attempts = attempts_[step.id];
  ++attempts.failed;
  attempts.app = step.app;
  BackOffFrom(step, attempts, now);
  Remember(step, now);
  if (!IsTransient(error.code) || attempts.failed >= options_.max_attempts) {
    GiveUp(step, std::move(error));
  }
}

void Session::GiveUp(const Step& step, Error error) {
  attempts_[step.id].given_up = true;
  plan_is_old_ = true;
  if (step.phase == Phase::kConfig) return GiveUpOfDevice(step, std::move(error));
  // What is to be replaced and will not start must not keep its successor from coming.
  if (step.kind == StepKind::kStartContainer && step.detail == "old") {
    if (ObservedContainer* old = observed_.FindContainer(step.subject)) old->start_failed = true;
    if (!GoesBack(step.app)) return;  // There it is what is to run.
  }
  AppRun& run = runs_[step.app];
  if (!run.failed) {
    run.last_error = error;
    run.failed = std::move(error);
    run.failed_step = step.id;
  }
  if (!MayGoBack(step)) return;
  AppRecord& record = observed_.AppFor(step.app);
  record.failed.push_back(*record.cutover);
  Save(record, pending_);
}

bool Session::GoesBack(const std::string& app) const {
  const AppRecord* record = observed_.FindApp(app);
  return record != nullptr && record->cutover &&
         std::count(record->failed.begin(), record->failed.end(), *record->cutover) != 0;
}

// A cutover that will not go on: the app goes back to what it came from, where there is that.
bool Session::MayGoBack(const Step& step) const {
  const AppRecord* record = observed_.FindApp(step.app);
  const AppPlan* app = plan_.FindApp(step.app);
  const bool moves = step.phase == Phase::kCutover && step.kind != StepKind::kTakeLocks &&
                     step.kind != StepKind::kReleaseLocks &&
                     step.kind != StepKind::kRenameContainer;
  return moves && app != nullptr && app->way_back && record != nullptr && record->cutover &&
         !record->committed.value_or("").empty() && !GoesBack(step.app);
}

void Session::OnEngineEvent(const EngineEvent& event, MonoTime now) {
  if (!has_state_) return;
  ObservedContainer* container = observed_.FindContainer(event.container);
  if (container == nullptr) return LookSoon(now);
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
      if (const auto up = up_.find(container->id);
          up != up_.end() && now - up->second.since >= options_.settle) {
        ForgetStarts(container->id);
      }
      LookSoon(now);
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
  resting_ = false;
  if (finished_) return actions;
  if (interrupted_) CancelWhatMayWait(actions);
  TakeUpRequests(actions);
  if (has_state_) {
    if (GoesDown(now, actions)) return actions;
    TakeUpTarget();
    TryAgain(now);
    MakeNextPlan();
    CheckClaims(now);
    if (std::exchange(plan_is_old_, false)) MakeNextPlan();
    DoubtClaims();
    CancelWhatIsNotPlanned(actions);
    DropIdleForce();
    ReportPlan(actions);
    Dispatch(now, actions);
    ReportHeld(actions);
    WatchHeldLocks(actions);
  }
  StartLook(now, actions);
  CheckFinished(now, actions);
  return actions;
}

void Session::CancelWhatMayWait(std::vector<Action>& actions) {
  for (const auto& [id, running] : running_) {
    const bool cutover = running.step.phase == Phase::kCutover;
    if (!cutover && cancelled_.insert(id).second) actions.push_back(CancelStepAction{id});
  }
}

void Session::CheckFinished(MonoTime now, std::vector<Action>& actions) {
  if (!running_.empty() || looking_ || wake_at_ || !examined_.empty()) return;
  if (need_look_ && !interrupted_) return;
  if (has_state_ && !interrupted_) {
    if (waits_for_event_) return;
    if (AnyWaits()) return;
    // The last word is what the engine says.
    if (changed_since_look_) return BeginLook(now, actions);
  }
  if (options_.keep_going && !interrupted_) return Rest(actions);
  finished_ = true;
  actions.push_back(ReportAction{EventOf(EventKind::kDone, std::string())});
}

bool Session::Waits(const AppPlan& app) const {
  const auto run = runs_.find(app.app);
  // Nobody but an agent is there to be told to go on.
  if (app.paused && !options_.keep_going) return false;
  return app.status == PlanStatus::kHeld && options_.wait_when_held &&
         (run == runs_.end() || !run->second.failed);
}

bool Session::AnyWaits() const {
  return DeviceWaits() || std::any_of(plan_.apps.begin(), plan_.apps.end(),
                                      [&](const AppPlan& app) { return Waits(app); });
}

// Whatever is believed of locks and containers since: without its engine nobody knows.
bool Session::AnyWasHeld() const {
  return options_.wait_when_held && std::any_of(runs_.begin(), runs_.end(), [](const auto& entry) {
           return !entry.second.reported.empty() && !entry.second.failed;
         });
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
    for (ServiceRef& ref : LocksOf(observed_, *target_, app.app)) wanted.push_back(std::move(ref));
  }
  if (wanted == watched_locks_) return;
  watched_locks_ = wanted;
  actions.push_back(WatchLocksAction{std::move(wanted)});
}

}  // namespace lockstep
