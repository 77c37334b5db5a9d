// Making deltas: on a machine that builds them for others, not on a device.
#ifndef LOCKSTEP_RUNTIMES_DELTA_H_
#define LOCKSTEP_RUNTIMES_DELTA_H_

#include <stop_token>
#include <string>

#include "lockstep/result.h"
#include "lockstep/runtimes/docker_engine.h"

namespace lockstep {

struct DeltaRequest {
  std::string base;    // Images that the engine has, by reference or id ...
  std::string target;  // ... what applies to the first gives this one.
  std::string name;    // What the delta is called, with a tag: to be pushed by it.
};

// Has the engine make a delta (balena-engine's POST /images/delta), and waits for it; returns the
// id of the delta. Given up when the engine reports nothing for pull_unpack_timeout. Errors:
// kNotFound (an image is not there), kUnsupported (another kind of engine: it is not asked),
// kNoSpace, and those of every call of RuntimeBackend.
Result<std::string> MakeDelta(const DockerOptions& engine, const DeltaRequest& request,
                              std::stop_token stop);

}  // namespace lockstep

#endif  // LOCKSTEP_RUNTIMES_DELTA_H_
