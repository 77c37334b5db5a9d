// A Session that never finishes: other targets while it works, requests, and rest.
#include <algorithm>
#include <utility>

#include "back_off.h"
#include "lockstep/session.h"
#include "step_event.h"

namespace lockstep {
namespace {

constexpr int kMostDoublings = 6;

bool Differs(const TargetApp* a, const TargetApp* b) {
  if (a == nullptr || b == nullptr) return a != b;
  return *a != *b;
}

std::set<std::string> AppsOf(const Target& a, const Target& b) {
  std::set<std::string> apps;
  for (const TargetApp& app : a.apps) apps.insert(app.uuid);
  for (const TargetApp& app : b.apps) apps.insert(app.uuid);
  return apps;
}

void Put(Target& target, const std::string& app, const TargetApp* as) {
  std::erase_if(target.apps, [&](const TargetApp& a) { return a.uuid == app; });
  if (as == nullptr) return;
  const auto at = std::find_if(target.apps.begin(), target.apps.end(),
                               [&](const TargetApp& a) { return a.uuid > app; });
  target.apps.insert(at, *as);
}

}  // namespace

void Session::SetTarget(Target target) {
  wanted_ = std::make_shared<const Target>(std::move(target));
}

// True while the app is on a way that is not to be left half done.
bool Session::IsPutOff(const std::string& app) const {
  if (observed_.HasSpan(app)) return true;
  return std::any_of(running_.begin(), running_.end(), [&](const auto& entry) {
    const Step& step = entry.second.step;
    return step.app == app && (step.phase == Phase::kCutover || step.kind == StepKind::kTakeLocks);
  });
}

void Session::TakeUpTarget() {
  if (!wanted_) return;
  // A device that is about to reboot does that for what was written.
  if (!observed_.reboot_spans.empty() || goes_down_by_) return;
  Target next = *wanted_;
  const std::set<std::string> apps = AppsOf(*target_, *wanted_);
  bool whole = true;
  for (const std::string& app : apps) {
    const TargetApp* now = target_->FindApp(app);
    if (!Differs(now, wanted_->FindApp(app)) || !IsPutOff(app)) continue;
    Put(next, app, now);
    whole = false;
  }
  if (whole) wanted_.reset();
  if (next == *target_) return;
  for (const std::string& app : apps) {
    if (Differs(target_->FindApp(app), next.FindApp(app))) BeginAnew(app);
  }
  if (next.config != target_->config) BeginAnew("");
  target_ = std::make_shared<const Target>(std::move(next));
  Identify();
  need_look_ = true;
  changed_since_look_ = true;
  idle_looks_ = 0;
}

// What went wrong on the way to another target is of no interest now.
void Session::BeginAnew(const std::string& app) {
  forced_.erase(app);
  std::erase(options_.plan.force_spent, app);
  std::erase_if(attempts_, [&](const auto& entry) { return entry.second.app == app; });
  if (app.empty()) {
    device_gave_up_ = false;
    observed_.config_failed.clear();
  }
  AppRun& run = runs_[app];
  run.failed.reset();
  run.failed_step.reset();
  run.again_at.reset();
  run.failures = 0;
  run.last_error.reset();
  run.unhealthy.clear();
  run.findings.clear();
}

// Downloads, that is: all else is over soon.
void Session::CancelWhatIsNotPlanned(std::vector<Action>& actions) {
  if (!options_.keep_going) return;
  for (const auto& [id, running] : running_) {
    if (running.step.kind != StepKind::kPullImage || cancelled_.contains(id)) continue;
    const bool planned = std::any_of(plan_.steps.begin(), plan_.steps.end(),
                                     [&id = id](const Step& step) { return step.id == id; });
    if (planned) continue;
    cancelled_.insert(id);
    actions.push_back(CancelStepAction{id});
  }
}

// A force waits for locks, and for nothing else that may come later.
void Session::DropIdleForce() {
  if (forced_.empty() || need_look_ || asked_look_ || looking_) return;
  for (const AppPlan& app : plan_.apps) {
    if (app.status == PlanStatus::kInSync) forced_.erase(app.app);
  }
}

// An app that failed rests for a while, and is then begun with again. What fails for good in one
// run of a command may not do so for years.
void Session::TryAgain(MonoTime now) {
  if (!options_.keep_going || interrupted_) return;
  for (auto& [app, run] : runs_) {
    if (!run.failed || (!app.empty() && observed_.HasSpan(app)) || CountRunning(app) != 0) continue;
    if (!run.again_at) {
      const BackOff back_off{options_.back_off, options_.longest_back_off, observed_.boot_id};
      // After the attempts that each of its steps had.
      run.again_at = now + Delay(back_off, run.failed_step.value_or(StepId{}),
                                 options_.max_attempts + ++run.failures);
    }
    if (now < *run.again_at) {
      Wake(*run.again_at);
      continue;
    }
    run.again_at.reset();
    run.failed.reset();
    run.failed_step.reset();
    for (auto& [id, attempts] : attempts_) {
      if (attempts.app != app) continue;
      attempts.before += std::exchange(attempts.failed, 0);
      attempts.given_up = false;
    }
    if (app.empty()) {
      device_gave_up_ = false;
      observed_.config_failed.clear();
    }
    need_look_ = true;
  }
}

// What happened at rest was nobody's step: what it comes to, a look says.
void Session::LookSoon(MonoTime now) {
  if (!options_.keep_going || look_at_) return;
  look_at_ = now + options_.look_after * (1 << std::min(idle_looks_, kMostDoublings));
}

// A container that stayed up was well: when it ends one day, that is another matter.
void Session::ForgetStarts(const std::string& container) {
  const auto it = starts_.find(container);
  if (it == starts_.end()) return;
  attempts_.erase(it->second);
  starts_.erase(it);
}

void Session::Rest(std::vector<Action>& actions) {
  resting_ = true;
  idle_looks_ = worked_ ? 0 : idle_looks_ + 1;
  awaiting_.clear();
  cancelled_.clear();
  doubted_.clear();
  forced_.clear();
  for (const AppPlan& app : plan_.apps) {
    if (app.status != PlanStatus::kInSync) continue;
    std::erase_if(attempts_, [&](const auto& entry) {
      // How often a container was started counts until it has stayed up.
      const bool starts = std::any_of(starts_.begin(), starts_.end(), [&](const auto& start) {
        return start.second == entry.first;
      });
      return entry.second.app == app.app && !starts;
    });
    AppRun& run = runs_[app.app];
    run.failures = 0;
    run.last_error.reset();
  }
  if (!std::exchange(worked_, false)) return;
  actions.push_back(ReportAction{EventOf(EventKind::kDone, std::string())});
}

std::set<StepId> Session::running() const {
  std::set<StepId> steps;
  for (const auto& [id, running] : running_) steps.insert(id);
  return steps;
}

PlanOptions Session::OptionsNow() const {
  PlanOptions options = options_.plan;
  const bool all = options.force && options.force_apps.empty();
  if (forced_.empty() || all) return options;
  options.force = true;
  options.force_apps.insert(options.force_apps.end(), forced_.begin(), forced_.end());
  return options;
}

void Session::TakeUp(const UpdateRequest& request, std::vector<Action>& actions) {
  if (request.cancel) {
    forced_.clear();
    for (const auto& [id, running] : running_) {
      if (running.step.kind != StepKind::kPullImage || !cancelled_.insert(id).second) continue;
      actions.push_back(CancelStepAction{id});
    }
  }
  std::vector<std::string> apps = request.apps;
  if (apps.empty()) {
    for (const AppPlan& app : plan_.apps) apps.push_back(app.app);
    BeginAnew("");
  }
  for (const std::string& app : apps) {
    BeginAnew(app);
    if (!request.force) continue;
    forced_.insert(app);
    AppRecord& record = Record(app);
    const TargetApp* wanted = target_->FindApp(app);
    if (record.cutover || wanted == nullptr || !wanted->release) continue;
    if (!record.ForgetFailed(wanted->release->commit)) continue;
    Save(record, actions);
  }
}

void Session::TakeUp(const AppRequest& request, std::vector<Action>& actions) {
  auto record = RecordAfter(request, observed_, *target_);
  if (!record) {
    Event event = EventOf(EventKind::kStepFailed, request.app);
    event.error = std::move(record).assume_error();
    actions.push_back(ReportAction{std::move(event)});
    return;
  }
  observed_.AppFor(request.app) = record.assume_value();
  Save(record.assume_value(), actions);
  BeginAnew(request.app);
  if (request.force) forced_.insert(request.app);
}

void Session::OnUpdateRequest(const UpdateRequest& request) { PutRequest(request); }
void Session::OnAppRequest(const AppRequest& request) { PutRequest(request); }

// Whoever asks the same again and again while a look takes its time fills no memory with it.
void Session::PutRequest(Request request) {
  std::erase(requests_, request);
  requests_.push_back(std::move(request));
}

// Not while a look is under way: it may have read records as they were before the request.
void Session::TakeUpRequests(std::vector<Action>& actions) {
  if (!has_state_ || looking_ || interrupted_) return;
  for (const auto& request : std::exchange(requests_, {})) {
    std::visit([&](const auto& of) { TakeUp(of, actions); }, request);
    asked_look_ = true;
    idle_looks_ = 0;
  }
}

// What does not run has nothing to restart: it was stopped for it, has ended, or is gone.
void Session::ForgetRestarts() {
  for (AppRecord& record : observed_.apps) {
    const auto forgotten = std::erase_if(record.restart, [&](const std::string& id) {
      const ObservedContainer* container = observed_.FindContainer(id);
      return container == nullptr || !container->IsUp();
    });
    if (forgotten != 0) Save(record, pending_);
  }
}

}  // namespace lockstep
