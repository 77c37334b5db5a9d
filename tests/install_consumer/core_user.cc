// A program that plans, and needs nothing but core.
#include <lockstep/planner.h>

int main() {
  const lockstep::Plan plan = lockstep::MakePlan({}, {});
  return plan.status == lockstep::PlanStatus::kInSync && plan.steps.empty() ? 0 : 1;
}
