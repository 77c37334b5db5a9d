// From an engine's URL to a runtime.
#ifndef LOCKSTEP_INTEGRATION_ENGINE_H_
#define LOCKSTEP_INTEGRATION_ENGINE_H_

#include <memory>
#include <string>
#include <vector>

#include "lockstep/result.h"
#include "lockstep/runtime_backend.h"
#include "options.h"

namespace lockstep {

// An engine that is ready for use, for as long as this lives.
class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  virtual RuntimeBackend& backend() = 0;
  // Makes what was done outlive the process: the memory engine's state. Nothing elsewhere.
  virtual Result<void> Save() { return Ok(); }
};

// Errors: kInvalidInput (no URL), kUnsupported (a kind of URL that is not supported), kUnavailable
// (no engine answers), kPermissionDenied (none of those that are there lets us in).
Result<std::unique_ptr<Engine>> OpenEngine(const CommonOptions& options);

// The first of these unix sockets that accepts a connection. Errors: as OpenEngine.
Result<std::string> FirstAnswering(const std::vector<std::string>& sockets);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_ENGINE_H_
