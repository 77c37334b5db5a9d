// What is asked of an engine about images.
#ifndef LOCKSTEP_RUNTIMES_IMAGE_CALLS_H_
#define LOCKSTEP_RUNTIMES_IMAGE_CALLS_H_

#include <stop_token>
#include <string>
#include <string_view>

#include "engine_api.h"

namespace lockstep::docker {

// As RuntimeBackend::CheckImage says.
Result<void> CheckImage(EngineApi& api, const std::string& reference, std::stop_token stop);

// Takes this name off its image; with the last one the image goes.
Result<void> RemoveImageName(EngineApi& api, const std::string& name, std::string_view what,
                             std::stop_token stop);

// As RuntimeBackend::RemoveImage says. kConflict too where somebody else gave the image a name.
Result<void> RemoveImage(EngineApi& api, const std::string& image_id, std::stop_token stop);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_IMAGE_CALLS_H_
