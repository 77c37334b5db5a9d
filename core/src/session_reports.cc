// What a Session says: its plan, who holds it up, and what became of each app.
#include <algorithm>
#include <utility>

#include "lockstep/session.h"
#include "same_locks.h"
#include "step_event.h"

namespace lockstep {

void Session::ReportPlan(std::vector<Action>& actions) {
  // The first plan, and another only where what it is about changes: progress is no news.
  std::string about;
  for (const AppPlan& app : plan_.apps) {
    about += app.app + " " + app.to.value_or("") + "\n";
    for (const Gap& gap : app.gaps) {
      if (gap.blocks || gap.code == "cutover-interrupted") about += gap.code + "\n";
    }
  }
  for (const ConfigPlan& config : plan_.config) {
    if (config.action == ConfigAction::kRefuse) about += config.key + "\n";
  }
  if (about == reported_plan_) return;
  const bool first = reported_plan_.empty();
  reported_plan_ = std::move(about);
  const bool blocked = std::any_of(plan_.apps.begin(), plan_.apps.end(), [](const AppPlan& app) {
    return app.status == PlanStatus::kBlocked;
  });
  if (!first && plan_.steps.empty() && !blocked) return;
  Event event = EventOf(EventKind::kPlan, std::string());
  event.plan = &plan_;
  actions.push_back(ReportAction{std::move(event)});
}

void Session::ReportHeld(std::vector<Action>& actions) {
  for (const AppPlan& app : plan_.apps) {
    if (app.status != PlanStatus::kHeld) continue;
    AppRun& run = runs_[app.app];
    if (AreSameLocks(run.reported, app.holders)) continue;
    run.reported = app.holders;
    Event event = EventOf(EventKind::kHeld, app.app);
    event.holders = app.holders;
    actions.push_back(ReportAction{std::move(event)});
  }
  ReportDeviceHeld(actions);
}

std::vector<AppReport> Session::Reports() const {
  std::vector<AppReport> reports;
  for (const AppPlan& app : plan_.apps) {
    AppReport report;
    report.app = app.app;
    report.name = app.name;
    report.gaps = app.gaps;
    const auto run = runs_.find(app.app);
    if (run != runs_.end()) report.findings = run->second.findings;
    if (run != runs_.end() && run->second.failed) {
      report.outcome = ApplyOutcome::kFailed;
      report.error = run->second.failed;
    } else if (look_error_ && look_error_->code != ErrorCode::kCancelled &&
               app.status != PlanStatus::kInSync) {
      report.outcome = ApplyOutcome::kFailed;
      report.error = look_error_;
    } else if (app.status == PlanStatus::kHeld ||
               (interrupted_ && run != runs_.end() && !run->second.reported.empty())) {
      report.outcome = ApplyOutcome::kHeld;
      report.holders = app.holders.empty() ? run->second.reported : app.holders;
    } else if (run != runs_.end() && run->second.back_to && !run->second.unhealthy.empty()) {
      report.outcome = ApplyOutcome::kUnhealthy;
      report.unhealthy = run->second.unhealthy;
      report.back_to = run->second.back_to;
    } else if (app.status == PlanStatus::kBlocked) {
      report.outcome = ApplyOutcome::kBlocked;
    } else if (interrupted_ && app.status != PlanStatus::kInSync) {
      report.outcome = timed_out_ ? ApplyOutcome::kTimedOut : ApplyOutcome::kInterrupted;
    } else if (app.status != PlanStatus::kInSync && options_.keep_going) {
      // On its way, or about to be tried again.
      if (run != runs_.end()) report.error = run->second.last_error;
      if (report.error) report.outcome = ApplyOutcome::kFailed;
    } else if (app.status != PlanStatus::kInSync) {
      report.outcome = ApplyOutcome::kFailed;
      report.error = MakeError(ErrorCode::kInternal, "steps are left that nothing waits for",
                               "run it again, and report this if it stays");
    } else if (run != runs_.end() && !run->second.unhealthy.empty()) {
      report.outcome = ApplyOutcome::kUnhealthy;
      report.unhealthy = run->second.unhealthy;
      if (run->second.stays) report.gaps.push_back(*run->second.stays);
    }
    reports.push_back(std::move(report));
  }
  if (auto device = ReportOfDevice()) reports.push_back(*std::move(device));
  return reports;
}

}  // namespace lockstep
