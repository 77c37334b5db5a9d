// From a specification to what the engine is asked for.
#ifndef LOCKSTEP_RUNTIMES_CREATE_REQUEST_H_
#define LOCKSTEP_RUNTIMES_CREATE_REQUEST_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "json_read.h"
#include "lockstep/runtime_backend.h"

namespace lockstep::docker {

struct CreateRequest {
  Json body;  // Of POST /containers/create.
  // Networks to connect before it starts, by their engine name: the create call takes one only.
  std::vector<std::pair<std::string, Json>> further_networks;
};

// `shared`: the ids of the containers that `service:X` means, by X (see SharedServicesOf).
CreateRequest MakeCreateRequest(const ContainerSpec& spec,
                                const std::map<std::string, std::string>& shared);

// From this minor version of the API on, a MAC address belongs to the container's endpoint in a
// network; before, to the container as a whole.
inline constexpr int kMacAddressOfEndpoint = 44;
// Puts it there; left where it is for a container without a network of its own.
void MoveMacAddress(CreateRequest& request);

// How a container is attached to a network of its app: `endpoint` is the canonical value under that
// network's name. The service's name is always an alias.
Json EndpointSettings(const Value& endpoint, const std::string& service);

// "on-failure:3" -> {"Name": "on-failure", "MaximumRetryCount": 3}
Json RestartPolicyJson(const std::string& policy);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_CREATE_REQUEST_H_
