// An app as it runs, in the words of a target: for what is asked of an app whose target is not
// known.
#ifndef LOCKSTEP_RUNNING_APP_H_
#define LOCKSTEP_RUNNING_APP_H_

#include <string>

#include "lockstep/observed_state.h"
#include "lockstep/result.h"
#include "lockstep/target.h"

namespace lockstep {

// The committed release of `app` (a uuid) as its containers, networks and volumes say: a plan with
// it leaves all of them as they are. `observed` must know what the containers were made from.
// Errors: kNotFound (nothing of it is there), kConflict (it is between two releases), kUnsupported
// (what a container was made from is not known).
Result<TargetApp> AppAsItRuns(const ObservedState& observed, const std::string& app);

}  // namespace lockstep

#endif  // LOCKSTEP_RUNNING_APP_H_
