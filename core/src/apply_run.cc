#include "apply_run.h"

#include <algorithm>
#include <utility>

#include "lockstep/device_fit.h"

namespace lockstep {
namespace {

// Steps beside each other at most: pulls, and what the parallelism of cutovers and creates asks
// for.
constexpr std::size_t kWorkers = 8;

}  // namespace

ApplyRun::ApplyRun(Orchestrator& orchestrator, Ports ports, Target target,
                   const ApplyOptions& options, EventObserver& observer)
    : orchestrator_(orchestrator),
      ports_(ports),
      options_(options),
      observer_(observer),
      session_(std::move(target), options.session),
      runner_(ports) {}

Result<ApplyReport> ApplyRun::Run(std::stop_token interrupt) {
  if (options_.timeout) deadline_ = ports_.clock.Monotonic() + *options_.timeout;
  LOCKSTEP_TRY(ObservedState first, Begin(interrupt));
  session_.OnObserved(std::move(first), ports_.clock.Monotonic());
  Loop(std::move(interrupt));
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

void ApplyRun::Loop(std::stop_token interrupt) {
  const std::stop_callback on_interrupt(interrupt, [this] { Tell(Interrupted{}); });
  do {
    if (std::exchange(moved_, false)) GoOn();
    AnswerViewers();
    if (!session_.Finished()) WaitForFacts();
  } while (!session_.Finished());
  examine_stop_.request_stop();
  if (session_.Rebooting()) runner_.Abandon();
  workers_.reset();
  waiting_.clear();
  engine_watch_ = {};
  lock_watches_.clear();
}

void ApplyRun::GoOn() {
  auto actions = session_.Next(ports_.clock.Monotonic());
  view_.reset();
  // Before the first step, or the first wait: what happens from here on is to be heard.
  const bool listens = control_ != nullptr || !session_.plan().steps.empty();
  if (!engine_watch_.joinable() && listens) WatchEngine();
  for (Action& action : actions) Perform(action);
  if (session_.AtRest()) Rest();
}

// No thread is kept for work that may come in days.
void ApplyRun::Rest() {
  workers_.reset();
  waiting_.clear();
}

WorkerPool& ApplyRun::Workers() {
  if (!workers_) workers_.emplace(kWorkers);
  return *workers_;
}

bool ApplyRun::KeepGoing(RunControl& control, std::stop_token interrupt) {
  control_ = &control;
  control.Attach([this] { Tell(Asked{}); });
  if (auto first = BeginWhenPossible(interrupt)) {
    session_.OnObserved(*std::move(first), ports_.clock.Monotonic());
    control.Open();
    Loop(std::move(interrupt));
  }
  control.Detach();
  return session_.Rebooting();
}

std::optional<ObservedState> ApplyRun::BeginWhenPossible(const std::stop_token& interrupt) {
  std::string said;
  for (int failures = 0;; ++failures) {
    auto first = Begin(interrupt);
    if (first) return std::move(first).assume_value();
    if (interrupt.stop_requested()) return std::nullopt;
    std::string why = Describe(first.assume_error());
    // Once is enough for what stays as it is.
    if (why != said) Warn({}, std::move(first).assume_error());
    said = std::move(why);
    std::unique_lock lock(mutex_);
    const MonoTime again =
        ports_.clock.Monotonic() + options_.session.back_off * (1 << std::min(failures, 5));
    ports_.clock.WaitUntil(arrived_, lock, again, interrupt, [] { return false; });
  }
}

void ApplyRun::TakeRequests() {
  RunControl::Asked asked = control_->Take();
  if (asked.target) {
    session_.SetTarget(FitToDevice(*std::exchange(asked.target, {}), options_.session.device));
    moved_ = true;
  }
  for (const RunControl::Request& request : asked.requests) {
    if (const auto* update = std::get_if<UpdateRequest>(&request)) {
      session_.OnUpdateRequest(*update);
    } else {
      session_.OnAppRequest(std::get<AppRequest>(request));
    }
    moved_ = true;
  }
  viewers_ = std::move(asked.viewers);
}

void ApplyRun::AnswerViewers() {
  if (viewers_.empty()) return;
  const auto view = View();
  for (const RunControl::Viewer& viewer : std::exchange(viewers_, {})) viewer(view);
}

std::shared_ptr<const RunView> ApplyRun::View() {
  {
    const std::scoped_lock lock(pulls_mutex_);
    if (view_ && view_->pulls == pulls_) return view_;
  }
  auto view = std::make_shared<RunView>();
  view->target = session_.target();
  view->observed = session_.observed();
  view->plan = session_.plan();
  view->apps = session_.Reports();
  view->running = session_.running();
  view->look_error = session_.look_error();
  view->at_rest = session_.AtRest();
  {
    const std::scoped_lock lock(pulls_mutex_);
    view->pulls = pulls_;
  }
  return view_ = std::move(view);
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
  moved_ = facts.empty();  // Woken by time alone.
  for (Fact& fact : facts) {
    if (std::holds_alternative<Asked>(fact)) continue;
    moved_ = true;
    Take(fact);
  }
  if (control_ != nullptr) TakeRequests();
  if (deadline_ && ports_.clock.Monotonic() >= *deadline_) {
    deadline_.reset();
    moved_ = true;
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
    waiting_.erase(ended->step);
    {
      const std::scoped_lock lock(pulls_mutex_);
      pulls_.erase(ended->step);
    }
    if (ended->result) {
      session_.OnStepDone(ended->step, std::move(ended->result).assume_value(), now);
    } else {
      session_.OnStepFailed(ended->step, std::move(ended->result).assume_error(), now);
    }
  } else if (const auto* examined = std::get_if<Examined>(&fact)) {
    session_.OnExamined(examined->container, examined->findings);
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
  examine_stop_.request_stop();
  if (runner_.Spans(StepRunner::For::kCutover).empty()) look_stop_.request_stop();
}

}  // namespace lockstep
