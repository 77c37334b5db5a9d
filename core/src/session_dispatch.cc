// Which steps of the plan run now.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "app_facts.h"
#include "lockstep/explain.h"
#include "lockstep/session.h"
#include "merge_records.h"
#include "step_event.h"

namespace lockstep {
namespace {

bool CountsAsCutting(const Step& step) {
  return step.kind == StepKind::kStopContainer || step.kind == StepKind::kStartContainer;
}

bool MovesService(const Step& step) {
  return CountsAsCutting(step) || step.kind == StepKind::kUpdateContainer;
}

}  // namespace

// A stop that was not yet planned when the locks were taken: what it interrupts is made durable
// too.
void Session::RememberInterrupted(const Step& step, std::vector<Action>& actions) {
  if (observed_.FindApp(step.app) == nullptr) return;
  AppRecord& record = observed_.AppFor(step.app);
  const auto at =
      std::lower_bound(record.interrupted.begin(), record.interrupted.end(), step.subject);
  if (at != record.interrupted.end() && *at == step.subject) return;
  record.interrupted.insert(at, step.subject);
  Save(record, actions);
}

void Session::Run(const Step& step, std::vector<Action>& actions) {
  Running running{step, BuildRequest(step, plan_, observed_, *target_, options_.device)};
  if (RecordIn(running.request) != nullptr)
    running.before = RecordOf(observed_, *target_, step.app);
  if (step.kind == StepKind::kTakeLocks) runs_[step.app].locks_changed = false;
  if (CountsAsCutting(step) && observed_.HasSpan(step.app)) runs_[step.app].cutting = true;
  if (step.kind == StepKind::kStopContainer) RememberInterrupted(step, actions);
  if (step.kind == StepKind::kRenameContainer) RememberRenamed(step, actions);
  actions.push_back(ReportAction{EventOf(EventKind::kStepStarted, step)});
  actions.push_back(RunStepAction{step, running.request});
  running_.emplace(step.id, std::move(running));
  worked_ = true;
}

int Session::CountRunning(std::string_view app) const {
  return static_cast<int>(std::count_if(running_.begin(), running_.end(), [&](const auto& entry) {
    return entry.second.step.app == app;
  }));
}

// Services of the app that are down for this cutover: stopped, and not started yet.
int Session::CountDown(std::string_view app) const {
  std::set<std::string_view> stopping;
  std::set<std::string_view> starting;
  for (const Step& step : plan_.steps) {
    if (step.app != app) continue;
    if (step.kind == StepKind::kStopContainer && running_.count(step.id) == 0) {
      stopping.insert(step.service);
    }
    if (step.kind == StepKind::kStartContainer) starting.insert(step.service);
  }
  return static_cast<int>(
      std::count_if(starting.begin(), starting.end(),
                    [&](std::string_view service) { return stopping.count(service) == 0; }));
}

// After an interrupt only a cutover that has begun goes on, up to giving back its locks.
bool Session::Allowed(const Step& step, const AppRun& run) const {
  if (run.wants_look) return false;
  // What is found out about it is to be of its own failure, and not of its end.
  const bool ends =
      step.kind == StepKind::kRemoveContainer || step.kind == StepKind::kStopContainer;
  if (ends && examined_.contains(step.subject)) return false;
  if (step.kind == StepKind::kTakeLocks && step.phase == Phase::kCutover) {
    if (run.failed && !GoesBack(step.app)) return false;
    if (observed_.HasRebootSpan(step.app)) return false;  // They are given back first.
  }
  // One thing at a time with one service: a plan made while its new container starts does not know
  // yet that the old one is not to.
  const bool moving =
      MovesService(step) && std::any_of(running_.begin(), running_.end(), [&](const auto& entry) {
        const Step& other = entry.second.step;
        return MovesService(other) && other.app == step.app && other.service == step.service;
      });
  if (moving) return false;
  if (!interrupted_) return true;
  if (step.kind == StepKind::kReleaseLocks) return true;  // Nothing is left to do before it.
  if (!observed_.HasSpan(step.app) || !run.cutting) return false;
  return step.phase == Phase::kCutover && step.kind != StepKind::kTakeLocks &&
         step.kind != StepKind::kRenameContainer;
}

// False while a step backs off, and for good once it was given up.
bool Session::ReadyAt(const Step& step, MonoTime now) {
  Recall(step, now);
  const auto it = attempts_.find(step.id);
  if (it == attempts_.end()) return true;
  Attempts& attempts = it->second;
  if (attempts.given_up) return false;
  if (attempts.failed >= options_.max_attempts) {
    const std::string times = std::to_string(attempts.failed) + " times and ";
    const std::string why = step.kind == StepKind::kCreateContainer
                                ? "it was made " + times + "is gone again"
                                : "it was started " + times + "did not stay up";
    const Error error = WithContext(
        MakeError(ErrorCode::kUnavailable, why, "look at the container's log"), Explain(step));
    GiveUp(step, error);
    ReportFailure(step, error);
    Wake(now);
    return false;
  }
  if (now < attempts.not_before) {
    Wake(attempts.not_before);
    return false;
  }
  return true;
}

void Session::Dispatch(MonoTime now, std::vector<Action>& actions) {
  std::vector<const Step*> pulls;
  std::vector<const Step*> stops;
  for (const Step& step : plan_.steps) {
    if (!step.after.empty() || running_.count(step.id) != 0) continue;
    if (step.status == StepStatus::kHeld || step.status == StepStatus::kDeferred) continue;
    if (step.phase == Phase::kConfig && !DeviceAllowed(step)) continue;
    AppRun& run = RunOf(step);
    if (step.kind == StepKind::kAwaitHealth && (!interrupted_ || step.phase == Phase::kCutover)) {
      Await(step, now, actions);
      continue;
    }
    // It was given up, or goes back, in this very pass.
    if (plan_is_old_ && GoesBack(step.app)) continue;
    if (!Allowed(step, run) || !ReadyAt(step, now)) continue;
    if (step.kind == StepKind::kPullImage) {
      pulls.push_back(&step);
    } else if (step.kind == StepKind::kStopContainer) {
      stops.push_back(&step);
    } else if (step.kind == StepKind::kTakeLocks && changed_since_look_) {
      need_look_ = true;  // A full look before each gate.
    } else {
      Run(step, actions);
    }
  }
  DispatchPulls(pulls, now, actions);
  DispatchStops(stops, now, actions);
  LeaveSpans(now, actions);
}

// The slots go round the apps: one app's many images do not keep another's waiting.
void Session::DispatchPulls(const std::vector<const Step*>& pulls, MonoTime,
                            std::vector<Action>& actions) {
  std::map<std::string_view, int> pulling;
  int all = 0;
  for (const auto& [id, running] : running_) {
    if (running.step.kind != StepKind::kPullImage) continue;
    ++pulling[running.step.app];
    ++all;
  }
  std::vector<const Step*> waiting = pulls;
  while (all < options_.parallel_pulls && !waiting.empty()) {
    const auto next = std::min_element(
        waiting.begin(), waiting.end(),
        [&](const Step* a, const Step* b) { return pulling[a->app] < pulling[b->app]; });
    ++pulling[(*next)->app];
    ++all;
    Run(**next, actions);
    waiting.erase(next);
  }
}

// No more services of an app are down at once than asked for, unless nothing else can go on: a
// dependent stays down until what it depends on was made anew.
void Session::DispatchStops(const std::vector<const Step*>& stops, MonoTime,
                            std::vector<Action>& actions) {
  std::map<std::string_view, int> down;
  for (const Step* stop : stops) {
    auto [known, is_first] = down.try_emplace(stop->app, 0);
    if (is_first) known->second = CountDown(stop->app);
    if (known->second < options_.parallel_cutover || CountRunning(stop->app) == 0) {
      ++known->second;
      Run(*stop, actions);
    }
  }
}

// Gives locks back out of turn where the cutover does not go on: it was interrupted before anything
// was, or a step in it was given up.
void Session::LeaveSpans(MonoTime now, std::vector<Action>& actions) {
  if (plan_is_old_) return;
  for (const Step& step : plan_.steps) {
    if (step.kind != StepKind::kReleaseLocks || running_.count(step.id) != 0) continue;
    if (step.after.empty() || CountRunning(step.app) != 0) continue;
    if (!observed_.HasSpan(step.app)) continue;
    const AppRun& run = runs_[step.app];
    const bool unbegun = interrupted_ && !run.cutting;
    if (!unbegun && !(run.failed && !run.wants_look)) continue;
    const bool goes_on = std::any_of(plan_.steps.begin(), plan_.steps.end(), [&](const Step& s) {
      const auto it = attempts_.find(s.id);
      const bool given_up = it != attempts_.end() && it->second.given_up;
      return s.app == step.app && s.after.empty() && s.phase == Phase::kCutover && !given_up;
    });
    if (unbegun || !goes_on) {
      if (ReadyAt(step, now)) Run(step, actions);
    }
  }
}

void Session::Await(const Step& step, MonoTime now, std::vector<Action>& actions) {
  const ObservedContainer* container = observed_.FindContainer(step.subject);
  if (container == nullptr) return;
  const auto report = [&](EventKind kind) { actions.push_back(ReportAction{EventOf(kind, step)}); };
  if (awaiting_.insert(step.id).second) {
    report(EventKind::kStepStarted);
    // A check that answered while the container was being started was not heard.
    need_look_ = need_look_ || container->health == Health::kStarting;
  }
  const Verdict verdict = Judge(step, *container, now);
  if (verdict == Verdict::kWait) {
    waits_for_event_ = true;
    return;
  }
  if (verdict == Verdict::kUnhealthy) {
    // A time-out means look again; a look that is under way may have begun before.
    if (doubted_.insert(step.id).second) need_look_ = true;
    if (need_look_ || looking_) return;
  }
  awaiting_.erase(step.id);
  if (verdict == Verdict::kUnhealthy) {
    runs_[step.app].unhealthy.push_back(step.service);
    ReportUnhealthy(step, *container, now);
    if (RollBack(step)) return Wake(now);
  } else {
    ForgetStarts(container->id);
    report(EventKind::kStepDone);
  }
  ApplyEffect(step, AwaitRequest{step.subject}, StepResult{}, observed_);
  Wake(now);  // What waited for this may go on at once.
}

// Settled: healthy; or, without a health check, up for long enough without a restart; or a job that
// ended well (design, section 5).
Session::Verdict Session::Judge(const Step& step, const ObservedContainer& container,
                                MonoTime now) {
  const Up up = up_.try_emplace(container.id, Up{now, now}).first->second;
  const std::string policy = container.spec ? RestartPolicyOf(*container.spec) : "no";
  if (container.state == ContainerState::kExited) {
    if (container.exit_code == 0 && policy != "always" && policy != "unless-stopped") {
      return Verdict::kSettled;
    }
    if (policy == "no") return Verdict::kUnhealthy;
  } else if (step.detail == "completed") {
    return Verdict::kWait;  // As long as the job takes.
  } else if (container.state == ContainerState::kRunning) {
    const bool checked =
        container.spec ? HasHealthCheck(*container.spec) : container.health != Health::kNone;
    if (container.health == Health::kHealthy) return Verdict::kSettled;
    if (!checked && container.health == Health::kNone) {
      if (now >= up.since + options_.settle) return Verdict::kSettled;
      Wake(up.since + options_.settle);
    }
  }
  const auto budget = container.spec && HasHealthCheck(*container.spec)
                          ? HealthBudgetOf(*container.spec)
                          : std::chrono::milliseconds(0);
  const MonoTime deadline = up.first + std::max(options_.settle_timeout, budget);
  if (now >= deadline) return Verdict::kUnhealthy;
  Wake(deadline);
  return Verdict::kWait;
}

}  // namespace lockstep
