#include "config_plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "lockstep/config_key.h"
#include "step_list.h"

namespace lockstep {
namespace {

class ConfigPlanner {
 public:
  ConfigPlanner(const PlanContext& context, const Target& target, Plan& plan)
      : observed_(context.observed), target_(target), plan_(plan), steps_(plan.steps, "") {}

  void Make() {
    std::set<std::string> keys;
    for (const auto& [key, value] : target_.config) keys.insert(key);
    // What the target no longer names goes, if it was Lockstep that set it.
    for (const std::string& key : observed_.config_set) keys.insert(key);
    for (const std::string& key : keys) PlanKey(key);
  }

 private:
  static std::optional<std::string> ValueIn(const std::map<std::string, std::string>& config,
                                            const std::string& key) {
    const auto it = config.find(key);
    return it == config.end() ? std::nullopt : std::optional(it->second);
  }

  void PlanKey(const std::string& key) {
    ConfigPlan config;
    config.key = key;
    config.from = ValueIn(observed_.config, key);
    config.to = ValueIn(target_.config, key);
    if (config.from == config.to) return;
    if (config.from && config.to && IsSameSetting(*config.from, *config.to)) return;
    if (IsAgentSetting(key)) {
      config.action = ConfigAction::kApply;
      const bool overrides = key == kOverrideLocksKey && config.to && IsOn(*config.to) &&
                             !(config.from && IsOn(*config.from));
      Add(StepKind::kWriteConfig, "", key, overrides ? DeleteLocks() : StepIndices{},
          config.to.value_or(""));
    } else {
      config.action = ConfigAction::kRefuse;
      config.message = "no configuration backend owns this key";
    }
    plan_.config.push_back(std::move(config));
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
      const bool goes = std::any_of(plan_.steps.begin(), plan_.steps.end(), [&](const Step& step) {
        return step.kind == StepKind::kDeleteLock && step.subject == path;
      });
      if (!goes) deletes.push_back(Add(StepKind::kDeleteLock, holder->service, path, {}));
    }
    return deletes;
  }

  StepIndex Add(StepKind kind, const std::string& service, const std::string& subject,
                StepIndices after, const std::string& detail = {}) {
    const bool waits = !after.empty();
    const StepIndex step =
        steps_.Add(kind, Phase::kConfig, service, subject, std::move(after), detail);
    steps_[step].status = waits ? StepStatus::kWaiting : StepStatus::kReady;
    return step;
  }

  const ObservedState& observed_;
  const Target& target_;
  Plan& plan_;
  StepList steps_;
};

}  // namespace

void PlanConfig(const PlanContext& context, const Target& target, Plan& plan) {
  // A target that speaks for one app says nothing of the device.
  if (target.whole_device) ConfigPlanner(context, target, plan).Make();
}

}  // namespace lockstep
