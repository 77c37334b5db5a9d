// Docker's config.json, where `docker login` puts what it learns
// (https://docs.docker.com/reference/cli/docker/#configuration-files).
#ifndef LOCKSTEP_INTEGRATION_DOCKER_CONFIG_H_
#define LOCKSTEP_INTEGRATION_DOCKER_CONFIG_H_

#include <optional>
#include <stop_token>
#include <string>

#include "helper_process.h"
#include "lockstep/result.h"
#include "lockstep/runtimes/registry_credentials.h"

namespace lockstep {

// `named`, else DOCKER_CONFIG, else .docker in the user's home; config.json in there. Empty where
// nobody knows the home.
std::string DockerConfigFile(const std::string& named);

// The credentials for `server` (see CredentialSource) that the file at `path` has or names a helper
// for: credHelpers first, then credsStore, then auths, as Docker does. None where there is no such
// file. It is read anew each time; only what concerns `server` is looked at.
// Errors: kInvalidInput (larger than 1 MiB, no JSON, a field of the wrong type; with the place),
// kPermissionDenied, kUnavailable, and those of the helper. None holds a secret.
Result<std::optional<RegistryCredentials>> CredentialsInDockerConfig(const std::string& path,
                                                                     const std::string& server,
                                                                     const ProcessLimits& limits,
                                                                     std::stop_token stop);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_DOCKER_CONFIG_H_
