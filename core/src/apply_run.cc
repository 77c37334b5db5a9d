#include "apply_run.h"

#include <algorithm>
#include <set>
#include <utility>

#include "reboot_check.h"
#include "step_event.h"

namespace lockstep {
namespace {

// Steps beside each other at most: pulls, and what the parallelism of cutovers and creates asks
// for.
constexpr std::size_t kWorkers = 8;

}  // namespace

class ApplyRun::EngineSink final : public EventSink {
 public:
  explicit EngineSink(ApplyRun& run) : run_(run) {}
  void OnEvent(const EngineEvent& event) override { run_.Tell(event); }
  void OnGap() override { run_.Tell(EngineGap{}); }

 private:
  ApplyRun& run_;
};

class ApplyRun::LocksSink final : public LockSink {
 public:
  LocksSink(ApplyRun& run, std::string app) : run_(run), app_(std::move(app)) {}
  void OnLocksChanged() override { run_.Tell(LocksChanged{}); }
  void OnPolling(const Error& why) override { run_.Warn({app_, {}, {}}, why); }

 private:
  ApplyRun& run_;
  std::string app_;
};

class ApplyRun::PullSink final : public ProgressSink {
 public:
  PullSink(ApplyRun& run, const Step& step) : run_(run), step_(step) {}
  void OnProgress(const PullProgress& progress) override {
    Event event = EventOf(EventKind::kProgress, step_);
    event.current_bytes = progress.current_bytes;
    event.total_bytes = progress.total_bytes;
    run_.Emit(std::move(event));
  }

 private:
  ApplyRun& run_;
  const Step& step_;
};

ApplyRun::ApplyRun(Orchestrator& orchestrator, Ports ports, const Target& target,
                   const ApplyOptions& options, EventObserver& observer)
    : orchestrator_(orchestrator),
      ports_(ports),
      target_(target),
      options_(options),
      observer_(observer),
      session_(target, options.session),
      runner_(ports) {}

Result<ApplyReport> ApplyRun::Run(std::stop_token interrupt) {
  if (options_.timeout) deadline_ = ports_.clock.Monotonic() + *options_.timeout;
  LOCKSTEP_TRY(ObservedState first, Begin(interrupt));
  session_.OnObserved(std::move(first), ports_.clock.Monotonic());
  {
    const std::stop_callback on_interrupt(interrupt, [this] { Tell(Interrupted{}); });
    workers_.emplace(kWorkers);
    Loop();
    if (session_.Rebooting()) runner_.Abandon();
    workers_.reset();
    waiting_.clear();
    engine_watch_ = {};
    lock_watches_.clear();
  }
  ApplyReport report;
  report.apps = session_.Reports();
  for (const AppReport& app : report.apps) {
    report.outcome = std::max(report.outcome, app.outcome);
  }
  if (session_.look_error() && report.outcome == ApplyOutcome::kInSync) {
    return *session_.look_error();
  }
  return report;
}

Result<ObservedState> ApplyRun::Look(std::stop_token stop) {
  LOCKSTEP_TRY(ObservedState observed, orchestrator_.Look(&target_, std::move(stop)));
  NoteSpans(observed);
  return observed;
}

Result<ObservedState> ApplyRun::Begin(std::stop_token stop) {
  RecoverConfig();
  LOCKSTEP_TRY(ObservedState observed, Look(std::move(stop)));
  if (!options_.if_fingerprint.empty()) {
    const Plan plan = MakePlan(observed, target_, options_.session.plan);
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

// Whoever applies a release by hand asks for it, also where it failed before. A way back that was
// cut off is finished first: only who stopped a container knows that it is not a job that is done.
Result<void> ApplyRun::AskAgain(ObservedState& observed) {
  for (const TargetApp& app : target_.apps) {
    if (!app.release || observed.FindApp(app.uuid) == nullptr) continue;
    AppRecord& record = observed.AppFor(app.uuid);
    if (record.cutover || std::erase(record.failed, app.release->commit) == 0) continue;
    LOCKSTEP_TRYV(ports_.store.PutApp(record));
  }
  return Ok();
}

// The locks of an app whose cutover was cut off are its span still: they were never given back.
Result<void> ApplyRun::AdoptSpans(ObservedState& observed) {
  for (const AppRecord& record : observed.apps) {
    const auto app = std::find_if(target_.apps.begin(), target_.apps.end(),
                                  [&](const TargetApp& a) { return a.uuid == record.app; });
    const std::string to =
        app != target_.apps.end() && app->release ? app->release->commit : std::string();
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
  if (auto adopted = runner_.Adopt(app, LocksOf(observed, target_, app), purpose); !adopted) {
    Warn({app, {}, {}},
         WithContext(std::move(adopted).assume_error(), "take over the update locks"));
  }
}

void ApplyRun::NoteSpans(ObservedState& observed) {
  observed.spans = runner_.Spans(StepRunner::For::kCutover);
  observed.reboot_spans = runner_.Spans(StepRunner::For::kReboot);
}

void ApplyRun::Loop() {
  for (;;) {
    auto actions = session_.Next(ports_.clock.Monotonic());
    // Before the first step, or the first wait: what happens from here on is to be heard.
    if (!engine_watch_.joinable() && !session_.plan().steps.empty()) WatchEngine();
    for (Action& action : actions) Perform(action);
    if (session_.Finished()) return;
    WaitForFacts();
  }
}

void ApplyRun::WaitForFacts() {
  std::vector<Fact> facts;
  {
    std::unique_lock lock(mutex_);
    std::optional<MonoTime> until = session_.WakeAt();
    if (deadline_ && (!until || *deadline_ < *until)) until = deadline_;
    ports_.clock.WaitUntil(arrived_, lock, until, {}, [this] { return !facts_.empty(); });
    facts.swap(facts_);
  }
  for (Fact& fact : facts) Take(fact);
  if (deadline_ && ports_.clock.Monotonic() >= *deadline_) {
    deadline_.reset();
    session_.TimeOut();
    DropLook();
  }
}

void ApplyRun::Tell(Fact fact) {
  {
    const std::scoped_lock lock(mutex_);
    facts_.push_back(std::move(fact));
  }
  arrived_.notify_all();
}

void ApplyRun::Take(Fact& fact) {
  const MonoTime now = ports_.clock.Monotonic();
  if (auto* looked = std::get_if<Looked>(&fact)) {
    if (looked->state) {
      session_.OnObserved(std::move(looked->state).assume_value(), now);
    } else {
      session_.OnLookFailed(std::move(looked->state).assume_error(), now);
    }
  } else if (auto* ended = std::get_if<StepEnded>(&fact)) {
    stops_.erase(ended->step);
    if (ended->result) {
      session_.OnStepDone(ended->step, std::move(ended->result).assume_value(), now);
    } else {
      session_.OnStepFailed(ended->step, std::move(ended->result).assume_error(), now);
    }
  } else if (const auto* event = std::get_if<EngineEvent>(&fact)) {
    session_.OnEngineEvent(*event, now);
  } else if (std::holds_alternative<EngineGap>(fact)) {
    session_.OnEngineGap();
  } else if (std::holds_alternative<LocksChanged>(fact)) {
    session_.OnLocksChanged();
  } else {
    session_.Interrupt();
    DropLook();
  }
}

// Nobody waits for an engine that does not answer once the run is to end; a cutover that goes on
// needs its looks.
void ApplyRun::DropLook() {
  if (runner_.Spans(StepRunner::For::kCutover).empty()) look_stop_.request_stop();
}

void ApplyRun::Perform(Action& action) {
  if (std::holds_alternative<LookAction>(action)) {
    PerformLook();
  } else if (auto* run = std::get_if<RunStepAction>(&action)) {
    PerformStep(*run);
  } else if (const auto* cancel = std::get_if<CancelStepAction>(&action)) {
    if (const auto it = stops_.find(cancel->step); it != stops_.end()) it->second.request_stop();
  } else if (auto* watch = std::get_if<WatchLocksAction>(&action)) {
    WatchLocks(std::move(watch->services));
  } else if (const auto* save = std::get_if<SaveRecordAction>(&action)) {
    // Where this cannot be written a later run tries the release again: no harm but time.
    if (auto saved = ports_.store.PutApp(save->record); !saved) {
      Warn({save->record.app, {}, {}},
           WithContext(std::move(saved).assume_error(), "remember a failed release"));
    }
  } else if (auto* report = std::get_if<ReportAction>(&action)) {
    Emit(std::move(report->event));
  }
}

void ApplyRun::PerformLook() {
  look_stop_ = std::stop_source();
  workers_->Post([this, stop = look_stop_.get_token()] { Tell(Looked{Look(stop)}); });
}

void ApplyRun::PerformStep(RunStepAction& action) {
  std::stop_source& source = stops_[action.step.id];
  source = std::stop_source();
  const bool waits = action.step.kind == StepKind::kAwaitHandover;
  auto run = [this, action = std::move(action), stop = source.get_token()] {
    PullSink progress(*this, action.step);
    Tell(StepEnded{action.step.id, runner_.Run(action.step, action.request, progress, stop)});
  };
  if (waits) {
    // However long it waits for an app's word, no step of another app waits with it.
    waiting_.emplace_back(std::move(run));
  } else {
    workers_->Post(std::move(run));
  }
}

void ApplyRun::WatchEngine() {
  engine_watch_ = std::jthread([this](std::stop_token stop) {
    EngineSink sink(*this);
    // It ends when it is stopped; an engine that has no events is looked at all the same.
    (void)ports_.runtime.Watch(sink, stop);
  });
}

void ApplyRun::WatchLocks(std::vector<ServiceRef> services) {
  if (!lock_watches_.empty()) lock_watches_.back().request_stop();
  // The one before it was asked to end when this one began, and has.
  if (lock_watches_.size() > 1) lock_watches_.erase(lock_watches_.begin());
  if (services.empty()) return;
  lock_watches_.emplace_back([this, services = std::move(services)](std::stop_token stop) {
    LocksSink sink(*this, services.front().app);
    if (auto watched = ports_.locks.Watch(services, sink, stop);
        !watched && !stop.stop_requested()) {
      Warn({services.front().app, {}, {}},
           WithContext(std::move(watched).assume_error(), "watch the update locks"));
    }
  });
}

void ApplyRun::Emit(Event event) {
  const std::scoped_lock lock(emit_mutex_);
  event.seq = ++last_seq_;
  event.time = ports_.clock.Now();
  observer_.OnEvent(event);
}

}  // namespace lockstep
