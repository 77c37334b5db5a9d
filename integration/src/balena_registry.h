// The login of a device of balena to balena's registry.
#ifndef LOCKSTEP_INTEGRATION_BALENA_REGISTRY_H_
#define LOCKSTEP_INTEGRATION_BALENA_REGISTRY_H_

#include <optional>
#include <string>

#include "lockstep/runtimes/registry_credentials.h"

namespace lockstep {

// User d_UUID with the device's API key, from balenaOS's config.json at `path`, where `server` is
// the registry that the file itself is about: its `registryEndpoint`, else registry2.DOMAIN where
// its `apiEndpoint` is https://api.DOMAIN. None for every other server: the key is the device's
// right to all that balena knows of it. None too where the file says not enough, is no JSON or
// cannot be read: then it names no registry.
std::optional<RegistryCredentials> BalenaCredentials(const std::string& path,
                                                     const std::string& server);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_BALENA_REGISTRY_H_
