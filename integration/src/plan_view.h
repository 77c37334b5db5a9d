// A plan as text for people. Pure: the same values give the same text.
#ifndef LOCKSTEP_INTEGRATION_PLAN_VIEW_H_
#define LOCKSTEP_INTEGRATION_PLAN_VIEW_H_

#include <string>

#include "lockstep/explain.h"
#include "lockstep/plan.h"
#include "text.h"

namespace lockstep {

struct PlanViewOptions {
  ShowValues values = ShowValues::kNo;
  Style style{};
  int width = 0;  // Columns of the terminal; 0: there is none, and no value is cut.
  // The command that applies this plan, to be proposed: "lockstep apply t.json". Empty: none is.
  std::string apply{};
  bool elsewhere = false;  // `apply` is for another machine than this one.
  bool forced = false;     // The plan, and `apply`, run over update locks.
};

// Each app: by whom it is held and for how long, what changes and why, and the steps in order,
// those that wait for nobody first; then the device, and what a person can do next.
std::string RenderPlan(const Plan& plan, const PlanViewOptions& options);

// "shop: recreate web, db; remove old", the changes of one app on one line.
std::string SummarizeChanges(const AppPlan& app);

// What a step does, its hashes and commits cut short: "stop web", "commit release bbbbbbbb".
std::string DescribeStep(const Step& step);

// "web: /tmp/.../updates.lock (exclusive-file, for 3 min)"; `now` is when it is looked at.
std::string DescribeHolder(const LockHolder& holder, WallTime now);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_PLAN_VIEW_H_
