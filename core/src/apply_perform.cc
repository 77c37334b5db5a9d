// What a Session wants done, done: each action by the port that it is for.
#include <utility>

#include "apply_run.h"
#include "step_event.h"

namespace lockstep {

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
    rate_.Add(run_.ports_.clock.Monotonic(), progress.current_bytes);
    event.bytes_per_second = rate_.bytes_per_second();
    event.layers = progress.layers;
    run_.Note(step_.id, progress);
    run_.Emit(std::move(event));
  }

 private:
  ApplyRun& run_;
  const Step& step_;
  TransferRate rate_;
};

void ApplyRun::Perform(Action& action) {
  if (auto* look = std::get_if<LookAction>(&action)) {
    PerformLook(*look);
  } else if (auto* run = std::get_if<RunStepAction>(&action)) {
    PerformStep(*run);
  } else if (const auto* cancel = std::get_if<CancelStepAction>(&action)) {
    if (const auto it = stops_.find(cancel->step); it != stops_.end()) it->second.request_stop();
  } else if (const auto* examine = std::get_if<ExamineAction>(&action)) {
    PerformExamination(examine->container);
  } else if (auto* watch = std::get_if<WatchLocksAction>(&action)) {
    WatchLocks(std::move(watch->services));
  } else if (const auto* save = std::get_if<SaveRecordAction>(&action)) {
    // Where this cannot be written a later run tries again what failed: no harm but time.
    const AppRecord& record = save->record;
    auto saved = record.empty() ? ports_.store.EraseApp(record.app) : ports_.store.PutApp(record);
    if (!saved) {
      Warn({record.app, {}, {}},
           WithContext(std::move(saved).assume_error(), "remember what has failed"));
    }
  } else if (auto* report = std::get_if<ReportAction>(&action)) {
    Emit(std::move(report->event));
  }
}

void ApplyRun::PerformLook(LookAction& action) {
  look_stop_ = std::stop_source();
  Workers().Post([this, stop = look_stop_.get_token(), target = std::move(action.target),
                  seen = std::move(action.seen)]() mutable {
    Tell(Looked{Look(*target, stop, std::move(seen))});
  });
}

// What cannot be found out is left out: the failure itself is known.
void ApplyRun::PerformExamination(const std::string& container) {
  Workers().Post([this, container, stop = examine_stop_.get_token()] {
    auto findings = ports_.runtime.Examine(container, stop);
    Tell(Examined{container, findings ? std::move(findings).assume_value() : Findings()});
  });
}

void ApplyRun::PerformStep(RunStepAction& action) {
  const StepId id = action.step.id;
  std::stop_source& source = stops_[id];
  source = std::stop_source();
  const bool waits = action.step.kind == StepKind::kAwaitHandover;
  auto run = [this, action = std::move(action), stop = source.get_token()] {
    PullSink progress(*this, action.step);
    Tell(StepEnded{action.step.id, runner_.Run(action.step, action.request, progress, stop)});
  };
  if (waits) {
    // However long it waits for an app's word, no step of another app waits with it.
    waiting_.insert_or_assign(id, std::jthread(std::move(run)));
  } else {
    Workers().Post(std::move(run));
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

void ApplyRun::Note(StepId pull, const PullProgress& progress) {
  if (control_ == nullptr) return;
  const std::scoped_lock lock(pulls_mutex_);
  pulls_[pull] = progress;
}

void ApplyRun::Emit(Event event) {
  const std::scoped_lock lock(emit_mutex_);
  event.seq = ++last_seq_;
  event.time = ports_.clock.Now();
  observer_.OnEvent(event);
}

}  // namespace lockstep
