// Why steps wait.
#include <utility>

#include "lockstep/explain.h"

namespace lockstep {
namespace {

bool WaitsForLocks(const Step& step) {
  return step.status == StepStatus::kHeld || step.status == StepStatus::kDeferred;
}

// The locks that hold up a step of `app`; of the device where that is empty: those of every app.
void AddHolders(const Plan& plan, const std::string& app, std::vector<WaitReason>& reasons) {
  for (const AppPlan& each : plan.apps) {
    if (!app.empty() && each.app != app) continue;
    for (const LockHolder& holder : each.holders) {
      if (holder.held && !holder.ours) reasons.push_back({WaitCode::kLockHeld, 0, &holder});
    }
  }
}

std::string HolderWords(const LockHolder& holder) {
  return holder.service.empty() ? holder.path : holder.service;
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
  for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    gates[i] = i;
    if (WaitsForLocks(step)) {
      for (const std::uint32_t each : before[i]) {
        if (WaitsForLocks(plan.steps[each])) gates[i] = gates[each];
      }
      if (gates[i] == i) {
        AddHolders(plan, step.app, waits[i]);
      } else {
        waits[i].push_back({WaitCode::kGateHeld, gates[i], nullptr});
      }
    }
    for (const std::uint32_t each : before[i]) {
      waits[i].push_back({WaitCode::kAfterStep, each, nullptr});
    }
  }
  return waits;
}

std::string Explain(const WaitReason& reason, const Plan& plan) {
  if (reason.code == WaitCode::kLockHeld) {
    return reason.holder == nullptr ? "waits for an update lock"
                                    : "waits for the update lock of " + HolderWords(*reason.holder);
  }
  if (reason.step >= plan.steps.size()) return "waits for another step";
  const std::string step = Explain(plan.steps[reason.step]);
  return (reason.code == WaitCode::kGateHeld ? "waits behind: " : "comes after: ") + step;
}

}  // namespace lockstep
