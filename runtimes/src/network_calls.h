// What is asked of an engine about networks.
#ifndef LOCKSTEP_RUNTIMES_NETWORK_CALLS_H_
#define LOCKSTEP_RUNTIMES_NETWORK_CALLS_H_

#include <stop_token>
#include <string>

#include "engine_api.h"
#include "engine_names.h"
#include "known_networks.h"
#include "lockstep/runtime_backend.h"

namespace lockstep::docker {

// An engine may hold several networks of one name, and then refuses any call by the name. So a
// network is found in the engine's list, by its exact name and its owner, and meant by its id from
// then on. Of several that are the app's, the one that containers are on is meant, else the oldest;
// the app's others are removed where no container knows them.
struct NetworkRef {
  AppNames owner;
  std::string name;  // The engine's.
};

// As RuntimeBackend says. `known` is gone by, and kept up.
Result<void> CreateNetwork(EngineApi& api, KnownNetworks& known, const NetworkSpec& spec,
                           std::stop_token stop);
Result<void> ConnectNetwork(EngineApi& api, const std::string& container,
                            const NetworkSpec& network, const Value& endpoint,
                            std::stop_token stop);
// kConflict too where all of that name are somebody else's.
Result<void> RemoveNetwork(EngineApi& api, KnownNetworks& known, const NetworkSpec& network,
                           std::stop_token stop);

// Attaches a container by an endpoint in the engine's words; leaves it where it is attached
// already. Errors: kNotFound (network), kConflict (the network is somebody else's).
Result<void> Connect(EngineApi& api, const KnownNetworks& known, const NetworkRef& network,
                     const std::string& container, const Json& endpoint, std::stop_token stop);

// A container is made on a network by its name alone: sees to it that the name means at most one.
// Errors: kConflict (several are in use, or somebody else's).
Result<void> MakeUnambiguous(EngineApi& api, const NetworkRef& network, std::stop_token stop);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_NETWORK_CALLS_H_
