// How an update ended: for people, and as an exit status. Pure.
#ifndef LOCKSTEP_INTEGRATION_REPORT_VIEW_H_
#define LOCKSTEP_INTEGRATION_REPORT_VIEW_H_

#include <string>

#include "lockstep/orchestrator.h"
#include "text.h"

namespace lockstep {

// A line or some for each app; what failed is left out (it is an error, and printed as one).
std::string RenderReport(const ApplyReport& report, WallTime now, Style style);

// `held`: an app was waiting for a lock when the update ended.
int ExitStatusOf(const ApplyReport& report, bool held);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_REPORT_VIEW_H_
