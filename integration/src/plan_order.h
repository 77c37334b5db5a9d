// The steps of a plan in a few lines: what is done beside each other stands on one line, and what
// is done after it below.
#ifndef LOCKSTEP_INTEGRATION_PLAN_ORDER_H_
#define LOCKSTEP_INTEGRATION_PLAN_ORDER_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/explain.h"
#include "lockstep/plan.h"
#include "plan_names.h"
#include "plan_page.h"

namespace lockstep {

// Steps of one kind that need not wait for each other.
struct StepGroup {
  StepKind kind{};
  Phase phase{};
  std::string detail;
  bool disruptive = false;
  std::vector<std::uint32_t> steps;  // Indices into Plan::steps, rising.
};

// The steps of each app, those of the device by the name "": indices into Plan::steps, rising. The
// plan must outlive the answer.
using StepsByApp = std::map<std::string_view, std::vector<std::uint32_t>>;
StepsByApp SortSteps(const Plan& plan);

using Waits = std::vector<std::vector<WaitReason>>;  // ExplainWaits() of the plan.

// Every one of `steps` comes after steps of groups above its own only.
std::vector<StepGroup> GroupSteps(const Plan& plan, const std::vector<std::uint32_t>& steps);

// A numbered entry for each group, by phase, with who holds it up and whether it interrupts.
void WriteOrder(const Plan& plan, const std::vector<std::uint32_t>& steps, const Waits& waits,
                const PlanNames& names, Page& page);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_PLAN_ORDER_H_
