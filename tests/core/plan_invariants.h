// What must hold of every plan, of every step when its turn comes, and of a device at rest: the
// invariants of the planner, judged from its inputs and outputs alone.
#ifndef LOCKSTEP_TESTS_CORE_PLAN_INVARIANTS_H_
#define LOCKSTEP_TESTS_CORE_PLAN_INVARIANTS_H_

#include <string>
#include <vector>

#include "lockstep/observed_state.h"
#include "lockstep/plan.h"
#include "lockstep/planner.h"
#include "lockstep/target.h"

namespace lockstep::test {

// The invariants by their numbers, and what else is asked of plans.
enum class Property {
  kI1,      // Nothing is interrupted while an app holds a lock.
  kI2,      // Nothing is interrupted outside a span over all services of the app.
  kI3,      // No cutover before everything is prepared.
  kI4,      // At rest an app runs one release.
  kI5,      // No volume goes unless it is to be purged.
  kI6,      // Strangers are not touched.
  kI7,      // Unchanged services are not touched.
  kI9,      // From everywhere the target is reached.
  kI10,     // In sync means no steps.
  kI11,     // A stopped service of the running release starts without a lock.
  kI12,     // The same input gives the same plan, in whatever order its lists come.
  kI13,     // What no target speaks of is left alone.
  kI14,     // Starts and stops follow the dependencies.
  kI15,     // One app's plan is the same whatever becomes of another.
  kForm,    // The plan is what the header and the formats say.
  kEngine,  // An engine can perform each step when its turn comes.
  kBeside,  // Two containers of one service never run beside each other, but for a hand-over.
  kKept,    // What ran is kept until its successor is committed.
};
constexpr int kProperties = static_cast<int>(Property::kKept) + 1;
const char* PropertyName(Property property);

struct Finding {
  Property property;
  std::string what;
  std::string where = {};  // The target, device and plan that it was found in, if not the first.
};
using Findings = std::vector<Finding>;
// What is left of a finding without names and numbers: two of one kind have one cause, probably.
std::string KindOf(const Finding& finding);

// `plan` was made of the rest.
void CheckPlan(const Target& target, const ObservedState& observed, const PlanOptions& options,
               const Plan& plan, Findings& findings);

// `step` is about to be performed on a device that is in the state `before`.
void CheckStep(const Target& target, const PlanOptions& options, const Step& step,
               const ObservedState& before, Findings& findings);

// Nothing is left to do: `plan`, made of the rest, has no steps. `natural`: see Scenario.
void CheckRest(const Target& target, const Plan& plan, const ObservedState& state, bool natural,
               Findings& findings);
// The same, of one app and whatever its plan says: true where nothing is left to do for it.
bool IsAtRest(const Target& target, const ObservedState& state, const std::string& app);

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_CORE_PLAN_INVARIANTS_H_
