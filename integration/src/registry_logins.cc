#include "registry_logins.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "balena_registry.h"
#include "config_backends/known_backends.h"
#include "docker_config.h"

namespace lockstep {
namespace {

Result<std::optional<RegistryCredentials>> LoginTo(const std::string& server,
                                                   const CommonOptions& options,
                                                   std::stop_token stop) {
  std::optional<RegistryCredentials> found;
  if (const std::string docker = DockerConfigFile(options.docker_config); !docker.empty()) {
    LOCKSTEP_TRY(found, CredentialsInDockerConfig(docker, server, {}, std::move(stop)));
  }
  // Found anew each time: the boot partition may be mounted later.
  if (!found) found = BalenaCredentials(FindConfigPlaces(options).boot + "/config.json", server);
  spdlog::debug("login to {}: {}", server, found ? found->source : "none");
  return found;
}

}  // namespace

CredentialSource RegistryLogins(const CommonOptions& options) {
  return [options](const std::string& server, std::stop_token stop) {
    return LoginTo(server, options, std::move(stop));
  };
}

}  // namespace lockstep
