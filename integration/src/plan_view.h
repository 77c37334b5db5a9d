// A plan as text for people. Pure: the same values give the same text.
#ifndef LOCKSTEP_INTEGRATION_PLAN_VIEW_H_
#define LOCKSTEP_INTEGRATION_PLAN_VIEW_H_

#include <string>

#include "lockstep/explain.h"
#include "lockstep/plan.h"
#include "text.h"

namespace lockstep {

// What changes and why, who holds it up, and the steps, numbered in a valid order: first each
// app's, then those of the device.
std::string RenderPlan(const Plan& plan, ShowValues values, Style style);

// "shop: recreate web, db; remove old", the changes of one app on one line.
std::string SummarizeChanges(const AppPlan& app);

// What a step does, its hashes and commits cut short: "stop web", "commit release bbbbbbbb".
std::string DescribeStep(const Step& step);

// "web: /tmp/.../updates.lock (exclusive-file, for 3 min)"; `now` is when it is looked at.
std::string DescribeHolder(const LockHolder& holder, WallTime now);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_PLAN_VIEW_H_
