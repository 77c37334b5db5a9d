// Why steps wait.
#include <string_view>
#include <unordered_map>

#include "lockstep/explain.h"

namespace lockstep {
namespace {

bool WaitsForLocks(const Step& step) {
  return step.status == StepStatus::kHeld || step.status == StepStatus::kDeferred;
}

void AddHolders(const AppPlan& app, std::vector<WaitReason>& reasons) {
  for (const LockHolder& holder : app.holders) {
    if (holder.held && !holder.ours) reasons.push_back({WaitCode::kLockHeld, 0, &holder});
  }
}

}  // namespace

std::string_view WaitCodeName(WaitCode code) {
  switch (code) {
    case WaitCode::kLockHeld:
      return "lock-held";
    case WaitCode::kGateHeld:
      return "gate-held";
    case WaitCode::kAfterStep:
      return "after-step";
  }
  return "unknown";
}

std::vector<std::vector<WaitReason>> ExplainWaits(const Plan& plan) {
  const auto before = DirectPredecessors(plan);
  std::vector<std::vector<WaitReason>> waits(plan.steps.size());
  std::vector<std::uint32_t> gates(plan.steps.size());  // Where the waiting for locks begins.
  std::unordered_map<std::string_view, const AppPlan*> apps;
  for (const AppPlan& app : plan.apps) apps.emplace(app.app, &app);
  for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    gates[i] = i;
    if (WaitsForLocks(step)) {
      for (const std::uint32_t each : before[i]) {
        if (WaitsForLocks(plan.steps[each])) gates[i] = gates[each];
      }
      if (gates[i] != i) {
        waits[i].push_back({WaitCode::kGateHeld, gates[i], nullptr});
      } else if (step.status == StepStatus::kDeferred) {  // A reboot waits for those of every app.
        for (const AppPlan& each : plan.apps) AddHolders(each, waits[i]);
      } else if (const auto app = apps.find(step.app); app != apps.end()) {
        AddHolders(*app->second, waits[i]);
      }
    }
    for (const std::uint32_t each : before[i]) {
      waits[i].push_back({WaitCode::kAfterStep, each, nullptr});
    }
  }
  return waits;
}

std::string WhoHolds(const LockHolder& holder) {
  if (holder.IsPause()) return holder.holder;
  return holder.service.empty() ? holder.path : holder.service;
}

std::string Explain(const WaitReason& reason, const Plan& plan) {
  if (reason.code == WaitCode::kLockHeld) {
    if (reason.holder == nullptr) return "waits for an update lock";
    return (reason.holder->IsPause() ? "waits: " : "waits for the update lock of ") +
           WhoHolds(*reason.holder);
  }
  if (reason.step >= plan.steps.size()) return "waits for another step";
  const std::string step = Explain(plan.steps[reason.step]);
  return (reason.code == WaitCode::kGateHeld ? "waits behind: " : "comes after: ") + step;
}

}  // namespace lockstep
