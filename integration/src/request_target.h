// The target that a person's request for one app is carried out with.
#ifndef LOCKSTEP_INTEGRATION_REQUEST_TARGET_H_
#define LOCKSTEP_INTEGRATION_REQUEST_TARGET_H_

#include <optional>
#include <string>

#include "lockstep/observed_state.h"
#include "lockstep/requests.h"
#include "lockstep/result.h"
#include "lockstep/target.h"

namespace lockstep {

// A target of that app alone: the app as the last target has it, where that can be gone on with,
// else as it runs. Where a removal is asked for, or nothing of the app is there to go on with, a
// target that names nothing. `last`: none where no target is known. Errors: those of AppAsItRuns.
Result<Target> TargetForRequest(AppRequestKind kind, const std::string& app,
                                const ObservedState& observed, const std::optional<Target>& last);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_REQUEST_TARGET_H_
