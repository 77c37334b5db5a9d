#include "config_plan.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lockstep/config_key.h"
#include "step_list.h"

namespace lockstep {
namespace {

// Sets these steps apart from those of an app's own update.
constexpr std::string_view kForReboot = "reboot";

bool SetsOverride(const ConfigPlan& config) {
  return config.key == kOverrideLocksKey && config.to && IsOn(*config.to) &&
         !(config.from && IsOn(*config.from));
}

bool AnyPaused(const Plan& plan) {
  return std::any_of(plan.apps.begin(), plan.apps.end(),
                     [](const AppPlan& app) { return app.paused; });
}

class ConfigPlanner {
 public:
  ConfigPlanner(const PlanContext& context, Plan& plan)
      : context_(context),
        observed_(context.observed),
        plan_(plan),
        deferred_(AnyPaused(plan) || (!context.override_locks && !context.reboot_holders.empty())) {
  }

  void Make() {
    plan_.config = context_.config.plans;
    plan_.configuration = context_.config.configuration;
    for (ConfigPlan& config : plan_.config) {
      if (config.action != ConfigAction::kApply) continue;
      if (!config.needs_reboot) {
        Add(StepKind::kWriteConfig, "", "", config.key,
            SetsOverride(config) ? DeleteLocks() : StepIndices{}, config.to.value_or(""));
      } else if (deferred_) {
        config.action = ConfigAction::kDefer;
      }
    }
    const bool wants = context_.config.wants_reboot && !observed_.reboots_no_more;
    StepIndices before = wants ? LastSteps() : StepIndices{};
    // Locks that were taken for a reboot are kept as long as that is the next thing to come.
    keeps_locks_ = wants && !deferred_ && !updates_come_first_;
    if (!keeps_locks_) {
      for (const std::string& app : observed_.reboot_spans) {
        before.push_back(Add(StepKind::kReleaseLocks, app, "", "", {}, kForReboot));
      }
    }
    if (wants) Reboot(std::move(before));
  }

 private:
  // Write and reboot together, under the locks of every app; updates go first.
  void Reboot(StepIndices before) {
    const StepIndices locked = TakeLocks(std::move(before));
    StepIndices written = locked;
    for (const ConfigPlan& config : plan_.config) {
      if (!IsWritten(config) || !config.needs_reboot) continue;
      written.push_back(
          AddToReboot(StepKind::kWriteConfig, "", config.key, locked, config.to.value_or("")));
    }
    AddToReboot(StepKind::kReboot, "", "", std::move(written));
  }

  // The ends of what goes before: no app is in the middle of its update, or on its way back, when
  // the device reboots. One that has failed is not waited for, and one that is blocked has no
  // steps.
  StepIndices LastSteps() {
    std::vector<bool> is_last(plan_.steps.size(), true);
    for (const Step& step : plan_.steps) {
      for (const StepIndex before : step.after) is_last[before] = false;
    }
    const auto& stalled = observed_.stalled;
    StepIndices last;
    for (StepIndex i = 0; i < is_last.size(); ++i) {
      const Step& step = plan_.steps[i];
      if (std::binary_search(stalled.begin(), stalled.end(), step.app)) continue;
      updates_come_first_ |= !step.app.empty();
      if (is_last[i]) last.push_back(i);
    }
    return last;
  }

  // Of every app that has services. Behind the first one, so that a plan grows no faster than the
  // number of apps.
  StepIndices TakeLocks(StepIndices after) {
    const std::size_t steps_before = plan_.steps.size();
    StepIndices taken;
    for (const AppPlan& app : plan_.apps) {
      const bool kept = keeps_locks_ && observed_.HasRebootSpan(app.app);
      if (app.services.empty() || kept) continue;
      const StepIndex take = AddToReboot(StepKind::kTakeLocks, app.app, "", after, kForReboot);
      if (taken.empty()) after = {take};
      taken.push_back(take);
    }
    if (taken.empty()) return after;
    if (context_.override_locks) Append(taken, DeleteLocksOf(taken, steps_before));
    return taken;
  }

  // Those that the lasting override runs over.
  StepIndices DeleteLocksOf(const StepIndices& taken, std::size_t before) {
    StepIndices deletes;
    for (const auto& [path, holder] : context_.reboot_holders) {
      const auto take =
          std::find_if(taken.begin(), taken.end(),
                       [&, app = &holder->app](StepIndex i) { return plan_.steps[i].app == *app; });
      if (take == taken.end() || Goes(path, before)) continue;
      deletes.push_back(
          Add(StepKind::kDeleteLock, holder->app, holder->service, path, {*take}, kForReboot));
    }
    return deletes;
  }

  // True where a step among the first `before` deletes it.
  bool Goes(std::string_view path, std::size_t before) const {
    return std::any_of(plan_.steps.begin(),
                       plan_.steps.begin() + static_cast<std::ptrdiff_t>(before),
                       [&](const Step& step) {
                         return step.kind == StepKind::kDeleteLock && step.subject == path;
                       });
  }

  // Those that apps hold when the override is set; later ones go by the spans that meet them. So do
  // those of an app that is about to be updated.
  StepIndices DeleteLocks() {
    std::map<std::string, const LockHolder*> holders;  // By path, whichever order they came in.
    for (const LockHolder& holder : observed_.locks) {
      if (holder.held && !holder.ours) holders.emplace(holder.path, &holder);
    }
    StepIndices deletes;
    for (const auto& [path, holder] : holders) {
      if (Goes(path, plan_.steps.size())) continue;
      deletes.push_back(Add(StepKind::kDeleteLock, "", holder->service, path, {}));
    }
    return deletes;
  }

  StepIndex Add(StepKind kind, std::string_view app, std::string_view service,
                std::string_view subject, StepIndices after, std::string_view detail = {}) {
    const bool waits = !after.empty();
    StepList steps(plan_.steps, app);
    const StepIndex step =
        steps.Add(kind, Phase::kConfig, service, subject, std::move(after), detail);
    steps[step].status = waits ? StepStatus::kWaiting : StepStatus::kReady;
    return step;
  }

  StepIndex AddToReboot(StepKind kind, std::string_view app, std::string_view subject,
                        StepIndices after, std::string_view detail = {}) {
    const StepIndex step = Add(kind, app, "", subject, std::move(after), detail);
    if (deferred_) plan_.steps[step].status = StepStatus::kDeferred;
    return step;
  }

  const PlanContext& context_;
  const ObservedState& observed_;
  Plan& plan_;
  const bool deferred_;
  bool updates_come_first_ = false;
  bool keeps_locks_ = false;
};

}  // namespace

const Step* RebootOf(const Plan& plan) {
  const bool ends = !plan.steps.empty() && plan.steps.back().kind == StepKind::kReboot;
  return ends ? &plan.steps.back() : nullptr;
}

void PlanConfig(const PlanContext& context, Plan& plan) { ConfigPlanner(context, plan).Make(); }

}  // namespace lockstep
