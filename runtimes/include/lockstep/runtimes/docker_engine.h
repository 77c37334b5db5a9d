// A container engine that speaks the Docker Engine API (Docker, balena-engine) as a RuntimeBackend.
#ifndef LOCKSTEP_RUNTIMES_DOCKER_ENGINE_H_
#define LOCKSTEP_RUNTIMES_DOCKER_ENGINE_H_

#include <chrono>
#include <memory>
#include <string>

#include "lockstep/result.h"
#include "lockstep/runtime_backend.h"

namespace lockstep {

// Time-outs are generous on purpose: a device with worn flash is slow, and a time-out only means
// that Lockstep looks again.
struct DockerOptions {
  std::string url = "unix:///var/run/docker.sock";
  std::chrono::milliseconds query_timeout = std::chrono::seconds(30);  // Lists and look-ups.
  std::chrono::milliseconds change_timeout = std::chrono::minutes(2);  // Create, start, remove.
  std::chrono::milliseconds remove_image_timeout = std::chrono::minutes(10);
  // A pull is given up when no byte came for this long, on it or on any other of the engine ...
  std::chrono::milliseconds pull_stall_timeout = std::chrono::seconds(60);
  // ... or, while it unpacks or waits for another pull, when nothing was reported for this long.
  std::chrono::milliseconds pull_unpack_timeout = std::chrono::minutes(10);
};

// Connects lazily: succeeds for any well-formed URL, and the first call tells whether an engine
// answers. Needs API version 1.40 or newer (kUnsupported). Errors: kInvalidInput, kUnsupported (a
// kind of URL that is not known).
Result<std::unique_ptr<RuntimeBackend>> MakeDockerEngine(const DockerOptions& options);

}  // namespace lockstep

#endif  // LOCKSTEP_RUNTIMES_DOCKER_ENGINE_H_
