// KnownNetworks: what networks were called, a moment ago.
#ifndef LOCKSTEP_RUNTIMES_KNOWN_NETWORKS_H_
#define LOCKSTEP_RUNTIMES_KNOWN_NETWORKS_H_

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "engine_names.h"
#include "json_read.h"
#include "lockstep/observed_state.h"

namespace lockstep::docker {

// The networks that had their name to themselves in the last list, and those that were made since.
// It saves a list for each use of one. It may be wrong by now: who goes by it must bear that the id
// is not there any more, or that the name has come to mean another one as well.
//
// Thread-safe.
class KnownNetworks {
 public:
  void Replace(const Json& list);  // GET /networks
  void Add(const std::string& name, const AppNames& owner, const std::string& id);
  void Forget(const std::string& name);
  // The id, where it is one of the app's.
  std::optional<std::string> Find(const std::string& name, const AppNames& owner) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, ObservedNetwork> networks_;  // By the engine's name.
};

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_KNOWN_NETWORKS_H_
