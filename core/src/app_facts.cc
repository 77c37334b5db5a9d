#include "app_facts.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace lockstep {

AppNames::AppNames(const Target& target) {
  for (const TargetApp& app : target.apps) {
    if (!app.id.empty()) uuid_of_id_.emplace(app.id, app.uuid);
  }
}

const std::string& AppNames::Uuid(const std::string& app) const {
  const auto it = uuid_of_id_.find(app);
  return it == uuid_of_id_.end() ? app : it->second;
}

namespace {

template <typename T>
void SortByName(std::vector<const T*>& list) {
  std::sort(list.begin(), list.end(), [](const T* a, const T* b) { return a->name < b->name; });
}

AppRecord MakeRecord(const ObservedState& observed, const std::string& app,
                     const std::vector<const ObservedContainer*>& containers) {
  if (const AppRecord* record = observed.FindApp(app)) return *record;
  AppRecord record;
  record.app = app;
  // Without a store the committed release is the one that runs, if it is one.
  std::set<std::string_view> commits;
  for (const ObservedContainer* container : containers) {
    if (container->state != ContainerState::kCreated) commits.insert(container->commit);
  }
  if (commits.size() == 1) record.committed = *commits.begin();
  return record;
}

void Complete(AppFacts& facts, const ObservedState& observed) {
  std::sort(facts.containers.begin(), facts.containers.end(), [](const auto* a, const auto* b) {
    return std::tie(a->service, a->id) < std::tie(b->service, b->id);
  });
  SortByName(facts.networks);
  SortByName(facts.volumes);
  facts.record = MakeRecord(observed, facts.app, facts.containers);
  if (facts.release() == nullptr) return;
  for (const auto& [name, config] : facts.release()->networks) {
    const ObservedNetwork* there = facts.FindNetwork(name);
    const bool known = there != nullptr && !there->config.is_null();
    if (known && !(there->config == config)) facts.remade.push_back(name);
  }
  facts.hashes.reserve(facts.release()->services.size());
  for (const TargetService& service : facts.release()->services) {
    facts.hashes.push_back(ConfigHash(service.spec));
  }
}

}  // namespace

AppRecord RecordOf(const ObservedState& observed, const Target& target, const std::string& app) {
  const AppNames names(target);
  std::vector<const ObservedContainer*> containers;
  for (const ObservedContainer& container : observed.engine.containers) {
    const bool counts = container.owned && container.state != ContainerState::kRemoving;
    if (counts && names.Uuid(container.app) == app) containers.push_back(&container);
  }
  return MakeRecord(observed, app, containers);
}

FactsByApp GatherFacts(const ObservedState& observed, const Target& target) {
  FactsByApp facts;
  const AppNames names(target);
  for (const TargetApp& app : target.apps) {
    AppFacts& own = facts[app.uuid];
    own.app = app.uuid;
    own.app_id = app.id;
    own.target = &app;
  }
  const auto facts_of = [&](const std::string& app, const std::string& app_id) -> AppFacts& {
    const std::string& uuid = names.Uuid(app);
    AppFacts& own = facts[uuid];
    if (own.app.empty()) own.app = uuid;
    if (own.app_id.empty()) own.app_id = app_id;
    return own;
  };
  AppFacts* last = nullptr;  // Of the container before: most are of one app.
  for (const ObservedContainer& container : observed.engine.containers) {
    if (!container.owned || container.state == ContainerState::kRemoving) continue;
    const bool same = last != nullptr && last->app == container.app && !last->app_id.empty();
    if (!same) last = &facts_of(container.app, container.app_id);
    last->containers.push_back(&container);
  }
  for (const ObservedNetwork& network : observed.engine.networks) {
    if (network.owned) facts_of(network.app, network.app_id).networks.push_back(&network);
  }
  for (const ObservedVolume& volume : observed.engine.volumes) {
    // A volume alone makes no app: volumes outlive theirs.
    const auto it = facts.find(names.Uuid(volume.app));
    if (volume.owned && it != facts.end()) it->second.volumes.push_back(&volume);
  }
  for (const AppRecord& record : observed.apps) {
    if (!record.retired.empty() || !record.purge.empty() || record.remove) facts_of(record.app, {});
  }
  const auto specs = std::make_shared<SpecsByHash>();
  for (auto& [app, own] : facts) {
    Complete(own, observed);
    specs->Add(own);
  }
  for (auto& [app, own] : facts) own.specs = specs;
  return facts;
}

const ObservedNetwork* AppFacts::FindNetwork(const std::string& name) const {
  const auto it = std::lower_bound(networks.begin(), networks.end(), name,
                                   [](const ObservedNetwork* network, const std::string& wanted) {
                                     return network->name < wanted;
                                   });
  return it != networks.end() && (*it)->name == name ? *it : nullptr;
}

const ObservedVolume* AppFacts::FindVolume(const std::string& name) const {
  const auto it = std::lower_bound(volumes.begin(), volumes.end(), name,
                                   [](const ObservedVolume* volume, const std::string& wanted) {
                                     return volume->name < wanted;
                                   });
  return it != volumes.end() && (*it)->name == name ? *it : nullptr;
}

bool IsRemade(const AppFacts& facts, const std::string& network) {
  return std::binary_search(facts.remade.begin(), facts.remade.end(), network);
}

std::vector<std::string> PurgedVolumes(const AppFacts& facts, const ServiceSpec& spec) {
  const auto& purge = facts.record.purge;
  if (purge.empty()) return {};
  std::vector<std::string> volumes = VolumesOf(spec);
  std::erase_if(volumes, [&](const std::string& volume) {
    return std::find(purge.begin(), purge.end(), volume) == purge.end();
  });
  return volumes;
}

bool UsesPurged(const AppFacts& facts, const ObservedContainer& container) {
  if (facts.record.purge.empty()) return false;
  const ServiceSpec* spec = facts.SpecOf(container);
  return spec != nullptr && !PurgedVolumes(facts, *spec).empty();
}

bool WasInterrupted(const AppFacts& facts, const ObservedContainer& container) {
  const auto& interrupted = facts.record.interrupted;
  return std::binary_search(interrupted.begin(), interrupted.end(), container.id);
}

bool WasRenamed(const AppFacts& facts, const ObservedContainer& container) {
  return container.state != ContainerState::kCreated && facts.record.renamed.contains(container.id);
}

bool IsToRestart(const AppFacts& facts, const ObservedContainer& container) {
  const auto& ids = facts.record.restart;
  return std::find(ids.begin(), ids.end(), container.id) != ids.end();
}

bool KillsFirst(Strategy strategy) {
  return strategy == Strategy::kKillThenDownload || strategy == Strategy::kDeleteThenDownload;
}

bool AppFacts::HasFailed() const {
  return release() != nullptr &&
         std::find(record.failed.begin(), record.failed.end(), to()) != record.failed.end();
}

const ServiceSpec* AppFacts::SpecOf(const ObservedContainer& container) const {
  if (container.spec) return &*container.spec;
  return specs == nullptr ? nullptr : specs->Find(container.config_hash);
}

const ServiceSpec* SpecsByHash::Find(std::string_view hash) const {
  if (specs_.empty()) {
    for (const AppFacts* facts : apps_) {
      for (std::size_t i = 0; i < facts->hashes.size(); ++i) {
        specs_.emplace(facts->hashes[i], &facts->release()->services[i].spec);
      }
    }
  }
  const auto it = specs_.find(hash);
  return it == specs_.end() ? nullptr : it->second;
}

bool IsAttached(const AppFacts& facts, const ObservedContainer& container,
                const std::string& network) {
  if (container.networks) {
    return std::find(container.networks->begin(), container.networks->end(), network) !=
           container.networks->end();
  }
  const ServiceSpec* spec = facts.SpecOf(container);
  if (spec == nullptr) return false;
  const auto networks = NetworksOf(*spec);
  return std::binary_search(networks.begin(), networks.end(), network);
}

}  // namespace lockstep
