// A program that keeps the logins to registries, in the protocol of docker-credential-helpers
// (https://github.com/docker/docker-credential-helpers): "docker-credential-NAME get".
#ifndef LOCKSTEP_INTEGRATION_CREDENTIAL_HELPER_H_
#define LOCKSTEP_INTEGRATION_CREDENTIAL_HELPER_H_

#include <optional>
#include <stop_token>
#include <string>

#include "helper_process.h"
#include "lockstep/result.h"
#include "lockstep/runtimes/registry_credentials.h"

namespace lockstep {

// Asks docker-credential-`name`, looked for in PATH, for `server`; none where it has none. Errors
// name both, and hold nothing of an answer that may be a secret: kInvalidInput (no name of a
// helper, or there is none of that name), kUnavailable (it fails), kBadReply (it answers something
// else), kDeadlineExceeded, kCancelled, kPermissionDenied.
Result<std::optional<RegistryCredentials>> AskCredentialHelper(const std::string& name,
                                                               const std::string& server,
                                                               const ProcessLimits& limits,
                                                               std::stop_token stop);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_CREDENTIAL_HELPER_H_
