// What an engine shows to a registry so that it may pull from there.
#ifndef LOCKSTEP_RUNTIMES_REGISTRY_CREDENTIALS_H_
#define LOCKSTEP_RUNTIMES_REGISTRY_CREDENTIALS_H_

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "lockstep/result.h"

namespace lockstep {

// One of: a user name and a password; an identity token; a registry token. All but `username` and
// `source` are secrets: Lockstep sends them to the engine, and writes them nowhere else, not into
// an error nor a log.
struct RegistryCredentials {
  std::string username;
  std::string password;
  std::string identity_token;  // What a login was answered with (OAuth2's refresh token).
  std::string registry_token;  // Sent to the registry as it is (a bearer token).
  std::string source;          // Where they come from, for people: "/root/.docker/config.json".
};

// How Docker's command line, its configuration files and its credential helpers name Docker Hub.
inline constexpr const char* kDockerHubServer = "https://index.docker.io/v1/";

// Asked before each pull and each look at a registry, so that a login counts from the next one on.
// `server` is the registry's host and port ("r.example:5000"), or kDockerHubServer. None: nobody
// logged in there, and the engine asks as a stranger. An error: somebody did, as far as is known,
// and the credentials cannot be had: then nothing is asked of the registry, and the call fails with
// that error. It names the server and what failed, and holds no secret.
//
// Thread-safety: called from several threads at once. Blocking: may block; it bounds its own time,
// and returns kCancelled soon after a stop request. Throws nothing.
using CredentialSource = std::function<Result<std::optional<RegistryCredentials>>(
    const std::string& server, std::stop_token stop)>;

}  // namespace lockstep

#endif  // LOCKSTEP_RUNTIMES_REGISTRY_CREDENTIALS_H_
