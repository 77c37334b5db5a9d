// What became of an app, or of the whole run.
#ifndef LOCKSTEP_APP_REPORT_H_
#define LOCKSTEP_APP_REPORT_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lockstep/error.h"
#include "lockstep/findings.h"
#include "lockstep/lock.h"
#include "lockstep/target.h"

namespace lockstep {

// Ordered: the worst one names the whole.
enum class ApplyOutcome { kInSync, kUnhealthy, kHeld, kBlocked, kInterrupted, kTimedOut, kFailed };

struct AppReport {
  std::string app;
  std::string name;
  ApplyOutcome outcome = ApplyOutcome::kInSync;
  std::optional<Error> error;          // kFailed
  std::vector<LockHolder> holders;     // kHeld
  std::vector<Gap> gaps;               // kBlocked; kUnhealthy: no-way-back, release-failed
  std::vector<std::string> unhealthy;  // kUnhealthy: services
  std::optional<std::string> back_to;  // kUnhealthy: the release that it went back to.
  // Of services that failed or are unhealthy, by service: where something was found out.
  std::map<std::string, Findings> findings;
};

}  // namespace lockstep

#endif  // LOCKSTEP_APP_REPORT_H_
