// With what right an engine asks a registry: the X-Registry-Auth header, and what it means when the
// registry refuses.
#ifndef LOCKSTEP_RUNTIMES_REGISTRY_ACCESS_H_
#define LOCKSTEP_RUNTIMES_REGISTRY_ACCESS_H_

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/result.h"
#include "lockstep/runtimes/registry_credentials.h"

namespace lockstep::docker {

class RegistryAccess {
 public:
  // Asks `source`, which may be empty, for the registry of `reference`. Errors: those of `source`.
  static Result<RegistryAccess> To(std::string_view reference, const CredentialSource& source,
                                   std::stop_token stop);

  // None, or X-Registry-Auth as the Docker Engine API has it: JSON in padded base64url.
  std::vector<std::string> Headers() const;

  // `error` of a call that had these headers: where the registry refuses, with what to do about it.
  Error Explain(Error error) const;

 private:
  std::string registry_;
  std::string server_;
  std::optional<RegistryCredentials> credentials_;
};

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_REGISTRY_ACCESS_H_
