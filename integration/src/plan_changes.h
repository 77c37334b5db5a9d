// What a plan changes, and why, for people.
#ifndef LOCKSTEP_INTEGRATION_PLAN_CHANGES_H_
#define LOCKSTEP_INTEGRATION_PLAN_CHANGES_H_

#include "lockstep/explain.h"
#include "lockstep/plan.h"
#include "plan_names.h"
#include "plan_page.h"

namespace lockstep {

// An entry for each kind of change: first the services that differ, with what differs, then the
// others by name, last those that stay as they are. A value too long for the page is cut to where
// it differs.
void WriteChanges(const AppPlan& app, const PlanNames& names, ShowValues values, Page& page);

// Configuration of the device, as key, from and to.
void WriteConfig(const Plan& plan, Page& page);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_PLAN_CHANGES_H_
