// Where this device's logins to registries are.
#ifndef LOCKSTEP_INTEGRATION_REGISTRY_LOGINS_H_
#define LOCKSTEP_INTEGRATION_REGISTRY_LOGINS_H_

#include "lockstep/runtimes/registry_credentials.h"
#include "options.h"

namespace lockstep {

// Docker's config.json, where a person logs in; then that of balenaOS. Copies what it needs.
CredentialSource RegistryLogins(const CommonOptions& options);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_REGISTRY_LOGINS_H_
