// What the engine knows of a container that fails.
#ifndef LOCKSTEP_RUNTIMES_EXAMINATION_H_
#define LOCKSTEP_RUNTIMES_EXAMINATION_H_

#include <stop_token>
#include <string>

#include "engine_api.h"
#include "lockstep/findings.h"

namespace lockstep::docker {

// Two calls. Where what it printed cannot be read, the findings say why.
Result<Findings> Examine(EngineApi& api, const std::string& id, std::stop_token stop);

// The reply to a look into the container, without what it printed.
Findings ReadFindings(const Json& container);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_EXAMINATION_H_
