// Devices: what runs an app, what happens there by itself, and what hands do to it.
#include <algorithm>
#include <array>
#include <utility>

#include "lockstep/identity.h"
#include "plan_generator_parts.h"

namespace lockstep::test {
namespace {

using Map = Value::Map;
using std::chrono::hours;

constexpr std::array kStates = {
    ContainerState::kExited,  ContainerState::kExited,   ContainerState::kExited,
    ContainerState::kDead,    ContainerState::kPaused,   ContainerState::kRestarting,
    ContainerState::kCreated, ContainerState::kRemoving, ContainerState::kRunning,
};

std::string FreshId(const ObservedState& state, Dice& dice) {
  for (;;) {
    std::string id = "x" + std::to_string(dice.Below(1000));
    const auto& all = state.engine.containers;
    if (std::none_of(all.begin(), all.end(), [&](const auto& c) { return c.id == id; })) return id;
  }
}

bool NameTaken(const ObservedState& state, const std::string& name) {
  const auto& all = state.engine.containers;
  return std::any_of(all.begin(), all.end(), [&](const auto& c) { return c.name == name; });
}

std::string FreeName(const ObservedState& state, std::string name) {
  while (NameTaken(state, name)) name += "x";
  return name;
}

void EnsureImage(const std::string& reference, ObservedState& state) {
  const std::string id = ContentOf(reference);
  for (ObservedImage& image : state.engine.images) {
    if (image.id != id) continue;
    auto& names = image.references;
    if (std::find(names.begin(), names.end(), reference) == names.end()) {
      names.push_back(reference);
    }
    return;
  }
  state.engine.images.push_back({id, {reference}, {}});
}

void SetState(ObservedContainer& container, ContainerState to, Dice& dice) {
  container.state = to;
  container.health = Health::kNone;
  if (to == ContainerState::kExited) {
    constexpr std::array kCodes = {0, 0, 1, 137};
    container.exit_code = dice.Of(kCodes);
  }
  if (to == ContainerState::kRestarting) container.restart_count = 3;
  const bool checked = container.spec && HasHealthCheck(*container.spec);
  if (to == ContainerState::kRunning && checked) container.health = Health::kHealthy;
}

std::vector<ObservedContainer*> OwnedOf(const AppStory& story, ObservedState& state) {
  std::vector<ObservedContainer*> list;
  for (ObservedContainer& container : state.engine.containers) {
    if (container.owned && (container.app == story.uuid || container.app == story.id)) {
      list.push_back(&container);
    }
  }
  return list;
}

void EnsureResources(const AppStory& story, const TargetRelease& release, ObservedState& state) {
  const auto& networks = state.engine.networks;
  for (const auto& [name, config] : release.networks) {
    const auto same = [&, &name = name](const ObservedNetwork& n) {
      return n.app == story.uuid && n.name == name && n.owned;
    };
    if (std::any_of(networks.begin(), networks.end(), same)) continue;
    state.engine.networks.push_back(
        {"n" + std::to_string(networks.size()), name, story.uuid, story.id, true, config});
  }
  const auto& volumes = state.engine.volumes;
  for (const auto& [name, config] : release.volumes) {
    const auto same = [&, &name = name](const ObservedVolume& v) {
      return v.app == story.uuid && v.name == name && v.owned;
    };
    if (std::any_of(volumes.begin(), volumes.end(), same)) continue;
    state.engine.volumes.push_back({name, story.uuid, story.id, true, config});
  }
}

// A container that Lockstep did not make: no hash and no policy among its labels.
void MakeAdopted(ObservedContainer& container, Dice& dice) {
  container.config_hash.clear();
  container.labels.erase(std::string(kLabelConfigHash));
  container.labels.erase(std::string(kLabelRestart));
  container.labels.erase(std::string(kLabelShares));
  if (!container.app_id.empty() && dice.Chance(20)) {
    container.labels.erase(std::string(kLabelAppUuid));
    container.app = container.app_id;
  }
}

LockHolder LockOn(const AppStory& story, const std::string& service, Dice& dice) {
  LockHolder holder;
  holder.app = story.uuid;
  holder.app_dir = story.id.empty() ? story.uuid : story.id;
  holder.service = service;
  holder.kind = static_cast<LockKind>(dice.Below(5));
  holder.path = "/locks/" + holder.app_dir + "/" + service + "/" +
                (dice.Chance(50) ? "updates.lock" : "resin-updates.lock");
  holder.held = dice.Chance(90);
  return holder;
}

std::string SomeService(const AppStory& story, Dice& dice) {
  std::vector<std::string> names = {"nobody"};
  for (const TargetRelease* release : {&story.old, &story.next}) {
    for (const TargetService& service : release->services) names.push_back(service.name);
  }
  return dice.Of(names);
}

void Remember(const AppStory& story, Scenario& scenario, Dice& dice) {
  ObservedState& state = scenario.observed;
  AppRecord record;
  record.app = story.uuid;
  const auto owned = OwnedOf(story, state);
  if (!owned.empty() && !owned.front()->commit.empty()) record.committed = owned.front()->commit;
  if (dice.Chance(6)) record.stopped = {SomeService(story, dice)};
  if (record.committed != story.next.commit && dice.Chance(4)) {
    record.failed = {story.next.commit};
  }
  if (dice.Chance(6) && !state.engine.images.empty()) {
    record.retired = {dice.Of(state.engine.images).id};
  }
  if (dice.Chance(2)) record.purge = {"data"};
  // Dice of their own: what comes after is the same with and without.
  Dice asked(scenario.seed * 31 + static_cast<std::uint64_t>(story.number));
  if (asked.Chance(6) && !owned.empty()) record.restart = {asked.Of(owned)->id};
  if (asked.Chance(3)) record.remove = true;
  if (asked.Chance(6)) record.paused = true;
  if (!record.empty()) state.AppFor(story.uuid) = std::move(record);
}

}  // namespace

ObservedContainer& Deploy(const AppStory& story, const TargetRelease& release,
                          const TargetService& service, ObservedState& state, Dice& dice) {
  EnsureImage(service.spec.image, state);
  ObservedContainer container;
  container.id = FreshId(state, dice);
  container.name =
      FreeName(state, ContainerName(service.name, service.image_id, release.id, release.commit));
  container.image = service.spec.image;
  container.image_id = ContentOf(service.spec.image);
  container.app = story.uuid;
  container.app_id = story.id;
  container.service = service.name;
  container.commit = CommitOfName(container.name);
  container.owned = true;
  container.labels = service.spec.labels;
  container.labels[std::string(kLabelSupervised)] = "true";
  container.labels[std::string(kLabelAppUuid)] = story.uuid;
  if (!story.id.empty()) container.labels[std::string(kLabelAppId)] = story.id;
  container.labels[std::string(kLabelServiceName)] = service.name;
  container.config_hash = ConfigHash(service.spec);
  container.labels[std::string(kLabelConfigHash)] = container.config_hash;
  container.labels[std::string(kLabelRestart)] = RestartPolicyOf(service.spec);
  container.spec = service.spec;
  container.spec->running = true;
  container.restart_policy = RestartPolicyOf(service.spec);
  container.networks = NetworksOf(service.spec);
  container.created_at = state.taken_at - hours(24) + std::chrono::seconds(release.id);
  container.started_at = container.created_at;
  container.lock_dir = "/locks/" + (story.id.empty() ? story.uuid : story.id) + "/" + service.name;
  SetState(container, service.spec.running ? ContainerState::kRunning : ContainerState::kCreated,
           dice);
  state.engine.containers.push_back(std::move(container));
  return state.engine.containers.back();
}

// Says in which namespaces the container lives; `to` finds the one of a service.
void LabelShares(ObservedContainer& container, const ObservedState& state) {
  std::string ids;
  for (const std::string& name : SharedServicesOf(*container.spec)) {
    const ObservedContainer* best = nullptr;
    for (const ObservedContainer& c : state.engine.containers) {
      const bool is = c.owned && c.app == container.app && c.service == name;
      if (is && (best == nullptr || c.created_at > best->created_at)) best = &c;
    }
    ids += (ids.empty() ? "" : ",") + (best == nullptr ? "gone" : best->id);
  }
  if (!ids.empty()) container.labels[std::string(kLabelShares)] = ids;
}

void DeployAll(const AppStory& story, const TargetRelease& release, ObservedState& state,
               Dice& dice) {
  EnsureResources(story, release, state);
  const bool adopted = dice.Chance(30);
  for (const TargetService& service : release.services) {
    ObservedContainer& container = Deploy(story, release, service, state, dice);
    // An engine does not say what a container depends on.
    if (dice.Chance(60)) container.spec->depends_on.clear();
    if (adopted) MakeAdopted(container, dice);
    const std::string policy = RestartPolicyOf(service.spec);
    if (policy == "no" && dice.Chance(60)) {
      SetState(container, ContainerState::kExited, dice);
      container.exit_code = 0;
    }
  }
  if (adopted) return;
  for (ObservedContainer& container : state.engine.containers) {
    if (container.app == story.uuid) LabelShares(container, state);
  }
}

void Live(const AppStory& story, Scenario& scenario, Dice& dice) {
  ObservedState& state = scenario.observed;
  for (ObservedContainer* container : OwnedOf(story, state)) {
    if (container->state == ContainerState::kRunning && dice.Chance(8)) {
      constexpr std::array kOwn = {ContainerState::kExited, ContainerState::kRestarting,
                                   ContainerState::kPaused, ContainerState::kExited};
      SetState(*container, dice.Of(kOwn), dice);
    }
    if (container->state == ContainerState::kRunning && container->health != Health::kNone) {
      constexpr std::array kHealths = {Health::kHealthy, Health::kHealthy, Health::kUnhealthy,
                                       Health::kStarting};
      container->health = dice.Of(kHealths);
    }
  }
  for (const TargetService& service : story.next.services) {
    if (dice.Chance(25)) EnsureImage(service.spec.image, state);
  }
  if (dice.Chance(75)) Remember(story, scenario, dice);
  for (unsigned more = 25; dice.Chance(more); more = 30) TakeLock(story, state, dice);
}

void TakeLock(const AppStory& story, ObservedState& state, Dice& dice) {
  LockHolder lock = LockOn(story, SomeService(story, dice), dice);
  const auto same = [&](const LockHolder& l) { return l.path == lock.path; };
  if (std::none_of(state.locks.begin(), state.locks.end(), same)) {
    state.locks.push_back(std::move(lock));
  }
}

namespace {

// One thing that a hand does. Each leaves a state that an engine can be in.
using Hand = void (*)(const AppStory&, ObservedState&, Dice&);

ObservedContainer* Any(const AppStory& story, ObservedState& state, Dice& dice) {
  const auto owned = OwnedOf(story, state);
  return owned.empty() ? nullptr : dice.Of(owned);
}

void ChangeState(const AppStory& story, ObservedState& state, Dice& dice) {
  if (ObservedContainer* c = Any(story, state, dice)) SetState(*c, dice.Of(kStates), dice);
}

void Remove(const AppStory& story, ObservedState& state, Dice& dice) {
  const ObservedContainer* container = Any(story, state, dice);
  if (container == nullptr) return;
  std::erase_if(state.engine.containers,
                [id = container->id](const ObservedContainer& c) { return c.id == id; });
}

void Rename(const AppStory& story, ObservedState& state, Dice& dice) {
  ObservedContainer* container = Any(story, state, dice);
  if (container == nullptr) return;
  constexpr std::array kNew = {"old_name", "web_1_2_dead", "web_100_3_a00c3.0123abcd", "other"};
  const std::string name = dice.Of(kNew);
  container->name = FreeName(state, dice.Chance(50) ? name : container->name + ".0123abcd");
  container->commit = CommitOfName(container->name);
}

void Duplicate(const AppStory& story, ObservedState& state, Dice& dice) {
  const ObservedContainer* container = Any(story, state, dice);
  if (container == nullptr) return;
  ObservedContainer copy = *container;
  copy.id = FreshId(state, dice);
  copy.name = FreeName(state, dice.Chance(50) ? copy.name + ".0123abcd" : copy.name);
  copy.commit = CommitOfName(copy.name);
  copy.created_at =
      *copy.created_at + std::chrono::seconds(dice.Below(3)) - std::chrono::seconds(1);
  // Two of them cannot publish one port or have one address.
  const bool beside = copy.spec && copy.spec->Find(Field::kPorts) == nullptr &&
                      copy.spec->Find(Field::kNetworks) == nullptr;
  if (!beside || dice.Chance(60)) SetState(copy, ContainerState::kExited, dice);
  if (dice.Chance(40)) copy.restart_policy = "no";
  state.engine.containers.push_back(std::move(copy));
}

void Leave(const AppStory& story, const TargetRelease& release, ContainerState as,
           ObservedState& state, Dice& dice) {
  if (release.services.empty()) return;
  ObservedContainer& container = Deploy(story, release, dice.Of(release.services), state, dice);
  LabelShares(container, state);
  SetState(container, as, dice);
  if (as == ContainerState::kExited && dice.Chance(60)) container.restart_policy = "no";
  if (dice.Chance(20)) container.networks->clear();
}

void LeaveOlder(const AppStory& story, ObservedState& state, Dice& dice) {
  constexpr std::array kAs = {ContainerState::kExited, ContainerState::kDead,
                              ContainerState::kCreated};
  Leave(story, story.older, dice.Of(kAs), state, dice);
}

void HalfMakeNext(const AppStory& story, ObservedState& state, Dice& dice) {
  Leave(story, story.next, ContainerState::kCreated, state, dice);
}

void HalfRunNext(const AppStory& story, ObservedState& state, Dice& dice) {
  Leave(story, story.next, dice.Chance(50) ? ContainerState::kRunning : ContainerState::kExited,
        state, dice);
}

void SetAside(const AppStory& story, ObservedState& state, Dice& dice) {
  ObservedContainer* container = Any(story, state, dice);
  if (container == nullptr) return;
  if (container->config_hash.empty()) {
    state.saved_restart[container->id] = *container->restart_policy;
  }
  container->restart_policy = "no";
  if (dice.Chance(70)) SetState(*container, ContainerState::kExited, dice);
}

void AddStranger(const AppStory& story, ObservedState& state, Dice& dice) {
  const ObservedContainer* model = Any(story, state, dice);
  ObservedContainer stranger;
  if (model != nullptr) {
    stranger = *model;
    stranger.spec.reset();
    stranger.networks.reset();
    stranger.restart_policy.reset();
  } else {
    stranger.image = "r.io/img0:0";
    stranger.image_id = ContentOf(stranger.image);
    stranger.state = ContainerState::kRunning;
    EnsureImage(stranger.image, state);
  }
  stranger.owned = false;
  stranger.id = FreshId(state, dice);
  if (!story.next.services.empty() && dice.Chance(50)) {
    const TargetService& service = dice.Of(story.next.services);
    stranger.name = ContainerName(service.name, service.image_id, story.next.id, story.next.commit);
  } else {
    stranger.name = "stranger";
  }
  stranger.name = FreeName(state, stranger.name);
  state.engine.containers.push_back(std::move(stranger));
}

void Detach(const AppStory& story, ObservedState& state, Dice& dice) {
  ObservedContainer* container = Any(story, state, dice);
  if (container == nullptr || container->networks->empty()) return;
  container->networks->erase(container->networks->begin());
}

void MeddleWithNetworks(const AppStory& story, ObservedState& state, Dice& dice) {
  auto& networks = state.engine.networks;
  switch (dice.Below(3)) {
    case 0:
      networks.push_back({"n" + std::to_string(networks.size()), "unknown", story.uuid, story.id,
                          true, Value(Map{})});
      return;
    case 1:
      networks.push_back({"n" + std::to_string(networks.size()), "theirs", story.uuid, story.id,
                          false, Value(Map{})});
      return;
    default:
      if (networks.empty()) return;
      dice.Of(networks).config = Value(Map{{"labels", Map{{"by", "hand"}}}});
  }
}

void RemoveNetwork(const AppStory& story, ObservedState& state, Dice& dice) {
  // An engine refuses to remove one that a running container is attached to.
  const auto owned = OwnedOf(story, state);
  std::erase_if(state.engine.networks, [&](const ObservedNetwork& network) {
    const auto attached = [&](const ObservedContainer* c) {
      return std::count(c->networks->begin(), c->networks->end(), network.name) != 0;
    };
    if (network.app != story.uuid || dice.Chance(50)) return false;
    const bool used = std::any_of(owned.begin(), owned.end(), [&](const ObservedContainer* c) {
      return c->IsUp() && attached(c);
    });
    if (used) return false;
    for (ObservedContainer* c : owned) std::erase(*c->networks, network.name);
    return true;
  });
}

void MeddleWithVolumes(const AppStory& story, ObservedState& state, Dice& dice) {
  constexpr std::array kNames = {"data", "cache", "unknown"};
  auto& volumes = state.engine.volumes;
  const std::string name = dice.Of(kNames);
  for (ObservedVolume& volume : volumes) {
    if (volume.name == name && volume.app == story.uuid) {
      volume.config = Value(Map{{"labels", Map{{"by", "hand"}}}});
      return;
    }
  }
  volumes.push_back({name, story.uuid, story.id, dice.Chance(50), Value(Map{})});
}

void Untag(const AppStory&, ObservedState& state, Dice& dice) {
  if (!state.engine.images.empty()) dice.Of(state.engine.images).references.clear();
}

void MeddleWithRecord(const AppStory& story, ObservedState& state, Dice& dice) {
  AppRecord& record = state.AppFor(story.uuid);
  switch (dice.Below(5)) {
    case 0:
      record.cutover = story.next.commit;
      break;
    case 1:
      record.committed = dice.Chance(50) ? story.next.commit : story.older.commit;
      break;
    case 2:
      record.committed.reset();
      break;
    case 3:
      record.cutover = story.next.commit;
      record.failed = {story.next.commit};
      break;
    default:
      record.cutover = "unknown";
  }
}

}  // namespace

void Meddle(const AppStory& story, Scenario& scenario, Dice& dice) {
  constexpr std::array<Hand, 18> kHands = {
      ChangeState,   ChangeState,       Remove,      Rename,       Duplicate,
      Duplicate,     LeaveOlder,        LeaveOlder,  HalfMakeNext, HalfRunNext,
      SetAside,      AddStranger,       AddStranger, Detach,       MeddleWithNetworks,
      RemoveNetwork, MeddleWithVolumes, Untag,
  };
  for (std::size_t n = 1 + dice.Below(4); n > 0; --n) {
    dice.Of(kHands)(story, scenario.observed, dice);
  }
  if (dice.Chance(25)) MeddleWithRecord(story, scenario.observed, dice);
  scenario.natural = false;
}

}  // namespace lockstep::test
