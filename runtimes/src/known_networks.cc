#include "known_networks.h"

#include <set>
#include <utility>

#include "resources.h"

namespace lockstep::docker {

void KnownNetworks::Replace(const Json& list) {
  std::map<std::string, ObservedNetwork> known;
  std::set<std::string> several;
  if (list.is_array()) {
    for (const Json& json : list) {
      const std::string name = Text(json, "Name");
      if (!known.try_emplace(name, ReadNetwork(json)).second) several.insert(name);
    }
  }
  for (const std::string& name : several) known.erase(name);
  const std::lock_guard lock(mutex_);
  networks_ = std::move(known);
}

void KnownNetworks::Add(const std::string& name, const AppNames& owner, const std::string& id) {
  ObservedNetwork network;
  network.id = id;
  network.app = owner.app;
  network.app_id = owner.app_id;
  network.owned = true;
  const std::lock_guard lock(mutex_);
  networks_[name] = std::move(network);
}

void KnownNetworks::Forget(const std::string& name) {
  const std::lock_guard lock(mutex_);
  networks_.erase(name);
}

std::optional<std::string> KnownNetworks::Find(const std::string& name,
                                               const AppNames& owner) const {
  const std::lock_guard lock(mutex_);
  const auto it = networks_.find(name);
  if (it == networks_.end() || it->second.id.empty() || !IsOfApp(it->second, owner)) {
    return std::nullopt;
  }
  return it->second.id;
}

}  // namespace lockstep::docker
