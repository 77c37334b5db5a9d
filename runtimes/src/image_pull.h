// The pull of an image: what is asked, what comes of it, and when it is given up.
#ifndef LOCKSTEP_RUNTIMES_IMAGE_PULL_H_
#define LOCKSTEP_RUNTIMES_IMAGE_PULL_H_

#include <optional>
#include <stop_token>
#include <string>

#include "engine_api.h"
#include "lockstep/runtime_backend.h"
#include "pull_stream.h"
#include "pull_watch.h"

namespace lockstep::docker {

// Why a pull that has not moved for so long is given up; none where it may go on.
std::optional<Error> StalledPull(const PullStream::Stall& stall, const DockerOptions& options);

// As RuntimeBackend::PullImage says, but for deltas. All pulls of one engine share `watch`.
Result<std::string> PullImage(EngineApi& api, PullWatch& watch, const std::string& reference,
                              ProgressSink& progress, std::stop_token stop);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_IMAGE_PULL_H_
