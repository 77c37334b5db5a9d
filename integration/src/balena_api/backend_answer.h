// What an answer of the backend that is no success means, and when to ask again.
#ifndef LOCKSTEP_INTEGRATION_BALENA_API_BACKEND_ANSWER_H_
#define LOCKSTEP_INTEGRATION_BALENA_API_BACKEND_ANSWER_H_

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "balena_api/http_request.h"
#include "lockstep/error.h"
#include "lockstep/lock.h"

namespace lockstep {

// kPermissionDenied (401, 403: the key is refused), kNotFound (404), else kUnavailable or
// kBadReply. `site`: for people. Nothing of the body is in it but what can be shown.
Error BackendError(const HttpReply& reply, const std::string& site);

// Retry-After (RFC 9110): seconds, or a date, which counts from the answer's own Date, since the
// device's clock may be wrong. Up to 24 h; none where there is none, or nothing that can be read.
std::optional<std::chrono::milliseconds> RetryAfter(const HttpReply& reply, WallTime now);

// Numbers from [0, 1), evenly: of the machine. To be called by one thread.
std::function<double()> MakeRandom();

// How long to wait after failures in a row: 15 s, then twice as long each time, up to `most`; up to
// a quarter less, so that a fleet does not come at once.
class BackOff {
 public:
  std::chrono::milliseconds Next(std::chrono::milliseconds most, double random);
  void Reset() { failures_ = 0; }

 private:
  int failures_ = 0;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_BALENA_API_BACKEND_ANSWER_H_
