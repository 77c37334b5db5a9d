// A plan as JSON (lockstep.plan/1).
#ifndef LOCKSTEP_INTEGRATION_PLAN_JSON_H_
#define LOCKSTEP_INTEGRATION_PLAN_JSON_H_

#include <nlohmann/json.hpp>

#include "lockstep/explain.h"
#include "lockstep/plan.h"

namespace lockstep {

// The same plan gives the same JSON. `why` of a step is why it is there, then why it waits:
//   {"code": "lock-held", and the holder as in `holders`}  a lock that an app holds
//   {"code": "gate-held", "step": id}                      it comes after the step that locks hold
//   up
//   {"code": "after-step", "step": id}                     it comes right after this step
// With ShowValues::kNo what may be secret is null, "hidden".
nlohmann::ordered_json PlanToJson(const Plan& plan, ShowValues values = ShowValues::kNo);

// A lock holder: app, service, path, kind, since, and age_s counted from `now`, never negative.
nlohmann::ordered_json HolderToJson(const LockHolder& holder, WallTime now);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_PLAN_JSON_H_
