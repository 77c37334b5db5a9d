// Plans the device's configuration, beside its apps.
#ifndef LOCKSTEP_CONFIG_PLAN_H_
#define LOCKSTEP_CONFIG_PLAN_H_

#include "lockstep/plan.h"
#include "plan_context.h"

namespace lockstep {

// Into `plan`, once its apps are planned: what changes, and the steps for it.
void PlanConfig(const PlanContext& context, Plan& plan);

}  // namespace lockstep

#endif  // LOCKSTEP_CONFIG_PLAN_H_
