// What is asked of an engine about images.
#ifndef LOCKSTEP_RUNTIMES_IMAGE_CALLS_H_
#define LOCKSTEP_RUNTIMES_IMAGE_CALLS_H_

#include <optional>
#include <stop_token>
#include <string>

#include "engine_api.h"
#include "lockstep/runtime_backend.h"
#include "pull_stream.h"
#include "pull_watch.h"

namespace lockstep::docker {

// As RuntimeBackend::CheckImage says.
Result<void> CheckImage(EngineApi& api, const std::string& reference, std::stop_token stop);

// Why a pull that has not moved for so long is given up; none where it may go on.
std::optional<Error> StalledPull(const PullStream::Stall& stall, const DockerOptions& options);

// As RuntimeBackend::PullImage says. All pulls of one engine share `watch`.
Result<std::string> PullImage(EngineApi& api, PullWatch& watch, const PullRequest& request,
                              ProgressSink& progress, std::stop_token stop);

// As RuntimeBackend::RemoveImage says. kConflict too where somebody else gave the image a name.
Result<void> RemoveImage(EngineApi& api, const std::string& image_id, std::stop_token stop);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_IMAGE_CALLS_H_
