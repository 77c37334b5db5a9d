// What an error reply of an engine means.
#ifndef LOCKSTEP_RUNTIMES_ENGINE_ERRORS_H_
#define LOCKSTEP_RUNTIMES_ENGINE_ERRORS_H_

#include <initializer_list>
#include <string_view>

#include "http_client.h"
#include "lockstep/result.h"

namespace lockstep::docker {

// The reply of a call that failed, as an error.
Error FailureOf(const HttpReply& reply, std::string_view what);

// Much that an engine means is in its words alone.
inline bool Says(const HttpReply& reply, std::string_view words) {
  return reply.body.find(words) != std::string::npos;
}

// Whether what was to be made has the name of something that is there. Podman has no status of its
// own for that.
bool IsNameTaken(const HttpReply& reply);

// Success for any of these statuses.
Result<void> Done(const Result<HttpReply>& reply, std::initializer_list<long> good,
                  std::string_view what);

// What a reply that began with status 200 says went wrong, as an error.
Error StreamFailure(std::string_view said, std::string_view what);

// The code that the words of a message have, else `otherwise`.
ErrorCode CodeOfMessage(std::string_view message, ErrorCode otherwise);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_ENGINE_ERRORS_H_
