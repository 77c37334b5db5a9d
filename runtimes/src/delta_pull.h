// Pulling an image by what it differs from another one.
#ifndef LOCKSTEP_RUNTIMES_DELTA_PULL_H_
#define LOCKSTEP_RUNTIMES_DELTA_PULL_H_

#include <stop_token>
#include <string>
#include <string_view>

#include "engine_api.h"
#include "lockstep/runtime_backend.h"
#include "pull_watch.h"

namespace lockstep::docker {

// Whether such an engine applies deltas. Others take one for an image like any other, and cannot
// run it.
bool AppliesDeltas(std::string_view engine_kind);

// As RuntimeBackend::PullImage says: by the delta, where there is one and it can be, else whole.
Result<std::string> PullByDelta(EngineApi& api, PullWatch& watch, const PullRequest& request,
                                ProgressSink& progress, std::stop_token stop);

// Success for an image, as it was inspected after its pull, that is none of the deltas. One that is
// loses the name it was pulled by. Error: kUnsupported.
Result<void> RefuseDelta(EngineApi& api, const Json& image, const std::string& reference,
                         std::string_view what, std::stop_token stop);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_DELTA_PULL_H_
