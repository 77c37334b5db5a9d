// A release that does not become healthy: its app goes back to the one before it, where that is
// wanted and there is a way. The way itself is the planner's (app_go_back.cc).
#include <algorithm>
#include <utility>

#include "lockstep/rollback.h"
#include "lockstep/session.h"
#include "step_event.h"

namespace lockstep {

bool Session::WantsRollback(const std::string& app) const {
  const TargetApp* target = target_->FindApp(app);
  if (target == nullptr || !target->release) return false;
  return RollbackOf(*target->release).value_or(options_.rollback);
}

// One service takes the whole app with it. False where the release stays as it is.
bool Session::RollBack(const Step& step) {
  if (!GoesBack(step.app)) {
    if (!WantsRollback(step.app)) return false;
    const AppPlan* app = plan_.FindApp(step.app);
    const AppRecord* known = observed_.FindApp(step.app);
    if (app == nullptr) return false;
    // Without a record the release was not begun: there is nothing to go back from.
    const bool begun = known != nullptr && known->cutover && known->cutover == app->to;
    if (!begun || !app->no_way_back.empty()) {
      StayUnhealthy(*app);
      return false;
    }
    observed_.AppFor(step.app).failed.push_back(*known->cutover);
    // It was for the way forward: going back is a cutover of its own.
    options_.plan.force_spent.push_back(step.app);
  }
  AppRecord& record = observed_.AppFor(step.app);
  std::vector<std::string>& services = record.unhealthy[*record.cutover];
  if (std::count(services.begin(), services.end(), step.service) == 0) {
    services.push_back(step.service);
  }
  Save(record, pending_);
  plan_is_old_ = true;
  return true;
}

// There is no way back: said once.
void Session::StayUnhealthy(const AppPlan& app) {
  AppRun& run = runs_[app.app];
  if (run.stays) return;
  const std::string why = app.no_way_back.empty() ? "nothing was stopped for it" : app.no_way_back;
  run.stays =
      Gap{"no-way-back",
          "release " + app.to.value_or("") + " stays though it is not healthy: " + why, false};
  Event event = EventOf(EventKind::kStepFailed, app.app);
  event.error = MakeError(ErrorCode::kUnavailable, run.stays->message, "send a release that works");
  pending_.push_back(ReportAction{std::move(event)});
}

// The app runs the release before again. What was unhealthy may have been seen by an earlier
// process.
void Session::NoteWentBack(const Step& commit) {
  AppRun& run = runs_[commit.app];
  run.back_to = commit.subject;
  const AppRecord* record = observed_.FindApp(commit.app);
  const AppPlan* app = plan_.FindApp(commit.app);
  if (record == nullptr || app == nullptr || !app->to) return;
  const auto seen = record->unhealthy.find(*app->to);
  if (seen != record->unhealthy.end()) run.unhealthy = seen->second;
}

// A container that the cutover takes over: before it has another name, its name is made durable.
void Session::RememberRenamed(const Step& step, std::vector<Action>& actions) {
  if (!RememberName(step, observed_)) return;
  Save(observed_.AppFor(step.app), actions);
}

}  // namespace lockstep
