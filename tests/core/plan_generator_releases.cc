// Releases: what a fleet's owner writes, and how it goes on from one to the next.
#include <algorithm>
#include <array>
#include <utility>

#include "lockstep/identity.h"
#include "plan_generator_parts.h"

namespace lockstep::test {
namespace {

using List = Value::List;
using Map = Value::Map;

constexpr std::array kNames = {"api", "bus", "cam", "db", "job", "log", "web"};
constexpr std::array kPolicies = {"always", "always",     "always",      "unless-stopped",
                                  "no",     "on-failure", "on-failure:2"};

// "r/img2:3", another tag of the same content, or its digest.
std::string Reference(std::size_t image, std::size_t version, Dice& dice) {
  const std::string name = "r.io/img" + std::to_string(image);
  const std::string number = std::to_string(version);
  if (dice.Chance(60)) return name + ":" + number;
  return dice.Chance(50) ? name + ":" + number + "-same" : name + "@sha256:" + number;
}

void SetStrategy(TargetService& service, Strategy strategy) {
  service.strategy = strategy;
  if (strategy == Strategy::kDownloadThenKill) {
    service.spec.labels.erase(std::string(kLabelStrategy));
  } else {
    service.spec.labels[std::string(kLabelStrategy)] = StrategyName(strategy);
  }
}

void ChangeImage(TargetService& service, Dice& dice) {
  service.spec.image = Reference(dice.Below(3), dice.Below(3), dice);
  service.image_id = static_cast<std::int64_t>(100 + dice.Below(20));
}

void ChangeEnvironment(TargetService& service, Dice& dice) {
  service.spec.environment["A"] = std::to_string(dice.Below(3));
  if (dice.Chance(30)) service.spec.environment.erase("A");
}

void ChangeRestart(TargetService& service, Dice& dice) {
  service.spec.Set(Field::kRestart, Value(dice.Of(kPolicies)));
}

void ChangeHealth(TargetService& service, Dice& dice) {
  const Value check(Map{{"test", List{"CMD", "check", std::to_string(dice.Below(2))}}});
  service.spec.Set(Field::kHealthcheck, dice.Chance(70) ? check : Value());
}

void ChangeUser(TargetService& service, Dice& dice) {
  service.spec.Set(Field::kUser, dice.Chance(50) ? Value("nobody") : Value());
}

void ChangeLabel(TargetService& service, Dice& dice) {
  service.spec.labels["team"] = std::to_string(dice.Below(2));
}

using Change = void (*)(TargetService&, Dice&);
constexpr std::array<Change, 9> kChanges = {ChangeImage,       ChangeImage,       ChangeImage,
                                            ChangeEnvironment, ChangeEnvironment, ChangeRestart,
                                            ChangeHealth,      ChangeUser,        ChangeLabel};

// What must not clash between the services of one release is given out once each.
class Writer {
 public:
  Writer(TargetRelease& release, int number, Dice& dice)
      : release_(release),
        number_(number),
        dice_(dice),
        order_(dice.Chance(90) ? 0 : dice.Next()) {}

  void AddService(const std::string& name) {
    TargetService service;
    service.name = name;
    service.id = 10 * number_ + name.front() - 'a';
    ChangeImage(service, dice_);
    ChangeRestart(service, dice_);
    if (dice_.Chance(40)) ChangeEnvironment(service, dice_);
    if (dice_.Chance(15)) ChangeHealth(service, dice_);
    if (dice_.Chance(6)) service.spec.running = false;
    auto& services = release_.services;
    const auto at = std::find_if(services.begin(), services.end(),
                                 [&](const TargetService& s) { return s.name > name; });
    services.insert(at, std::move(service));
  }

  void Connect(TargetService& service) {
    ServiceSpec& spec = service.spec;
    spec.Set(Field::kNetworkMode, {});
    spec.Set(Field::kNetworks, {});
    if (dice_.Chance(8) && release_.services.size() > 1) {
      const std::string& other = dice_.Of(release_.services).name;
      if (other != service.name) return Share(service, other);
    }
    if (dice_.Chance(5)) return spec.Set(Field::kNetworkMode, Value("host"));
    Map networks;
    if (dice_.Chance(80)) networks.push_back({"default", Map{}});
    if (dice_.Chance(25) || networks.empty()) {
      Map endpoint;
      if (dice_.Chance(25)) endpoint.push_back({"ipv4_address", FreeAddress()});
      networks.push_back({"front", Value(std::move(endpoint))});
    }
    spec.Set(Field::kNetworks, Value(std::move(networks)));
  }

  void Publish(TargetService& service) {
    service.spec.Set(Field::kPorts, {});
    for (int tries = 0; tries < 4; ++tries) {
      const auto port = std::to_string(8000 + 100 * number_ + static_cast<int>(dice_.Below(4)));
      const Value ports(List{Value(":" + port + ":80/tcp")});
      if (!Taken(Field::kPorts, ports)) return service.spec.Set(Field::kPorts, ports);
    }
  }

  void Mount(TargetService& service) {
    Map volume = {{"type", "volume"}, {"target", "/data"}};
    volume.push_back({"source", dice_.Chance(70) ? "data" : "cache"});
    service.spec.Set(Field::kVolumes, Value(List{Value(std::move(volume))}));
  }

  // On services that stand before it in an order of its own, so that cycles are rare.
  void Depend(std::size_t i) {
    TargetService& service = release_.services[i];
    std::erase_if(service.spec.depends_on, [&](const Dependency&) { return dice_.Chance(50); });
    for (std::size_t j = 0; j < release_.services.size(); ++j) {
      const std::string& other = release_.services[j].name;
      const bool backwards = Rank(other) >= Rank(service.name);
      if (backwards ? !(other != service.name && dice_.Chance(1)) : !dice_.Chance(30)) continue;
      AddDependency(service, other);
    }
    if (dice_.Chance(1)) AddDependency(service, "zz");
  }

  // Whoever takes a service out of a release mends those that depended on it, nearly always.
  void ForgetMissing() {
    for (TargetService& service : release_.services) {
      std::erase_if(service.spec.depends_on, [&](const Dependency& dependency) {
        const auto is = [&](const TargetService& s) { return s.name == dependency.service; };
        return std::none_of(release_.services.begin(), release_.services.end(), is) &&
               dice_.Chance(95);
      });
    }
  }

  // Everything that services name is there, and nothing clashes.
  void Finish() {
    std::map<std::string, Value> networks = std::move(release_.networks);
    std::map<std::string, Value> volumes = std::move(release_.volumes);
    release_.networks.clear();
    release_.volumes.clear();
    const auto keep = [](auto& to, auto& from, const std::string& name) {
      const auto it = from.find(name);
      to.emplace(name, it == from.end() ? Value(Map{}) : it->second);
    };
    for (const TargetService& service : release_.services) {
      for (const auto& name : NetworksOf(service.spec)) keep(release_.networks, networks, name);
      for (const auto& name : VolumesOf(service.spec)) keep(release_.volumes, volumes, name);
    }
    if (dice_.Chance(10)) keep(release_.networks, networks, "spare");
    if (dice_.Chance(5)) keep(release_.volumes, volumes, "spare");
    const auto redefine = [&](auto& definitions) {
      for (auto& [name, config] : definitions) {
        if (dice_.Chance(6))
          config = Value(Map{{"labels", Map{{"v", std::to_string(dice_.Below(3))}}}});
      }
    };
    redefine(release_.networks);
    redefine(release_.volumes);
    for (TargetService& service : release_.services) MendShares(service);
    for (TargetService& service : release_.services) {
      for (Dependency& dependency : service.spec.depends_on) MendCondition(dependency);
    }
  }

 private:
  // Most releases know one order of their services; a few turn it round.
  std::uint64_t Rank(const std::string& name) const {
    std::uint64_t seed = order_;
    for (const char c : name) seed = seed * 131 + static_cast<unsigned char>(c);
    return Dice(seed).Next();
  }

  // Nobody can share the namespace of what ends.
  void MendShares(const TargetService& sharer) {
    for (const std::string& name : SharedServicesOf(sharer.spec)) {
      for (TargetService& service : release_.services) {
        if (service.name != name) continue;
        service.spec.running = true;
        service.spec.Set(Field::kRestart, Value("always"));
      }
    }
  }

  // What an engine always starts again never completes: nobody could wait for it.
  void MendCondition(Dependency& dependency) const {
    if (dependency.condition != DependencyCondition::kCompletedSuccessfully) return;
    for (const TargetService& service : release_.services) {
      const std::string policy = RestartPolicyOf(service.spec);
      if (service.name == dependency.service && policy != "no" && !policy.starts_with("on-")) {
        dependency.condition = DependencyCondition::kStarted;
      }
    }
  }

  void Share(TargetService& service, const std::string& other) {
    service.spec.Set(Field::kNetworkMode, Value("service:" + other));
    service.spec.Set(Field::kPorts, {});
    if (Rank(other) < Rank(service.name)) AddDependency(service, other);
  }

  void AddDependency(TargetService& service, const std::string& on) {
    auto& list = service.spec.depends_on;
    const auto same = [&](const Dependency& d) { return d.service == on; };
    if (std::any_of(list.begin(), list.end(), same)) return;
    Dependency dependency;
    dependency.service = on;
    constexpr std::array kConditions = {
        DependencyCondition::kStarted, DependencyCondition::kStarted, DependencyCondition::kHealthy,
        DependencyCondition::kCompletedSuccessfully};
    dependency.condition = dice_.Of(kConditions);
    dependency.restart = dice_.Chance(20);
    dependency.required = dice_.Chance(80);
    list.push_back(std::move(dependency));
    std::sort(list.begin(), list.end(),
              [](const Dependency& a, const Dependency& b) { return a.service < b.service; });
  }

  bool Taken(Field field, const Value& value) const {
    return std::any_of(release_.services.begin(), release_.services.end(),
                       [&](const TargetService& service) {
                         const Value* have = service.spec.Find(field);
                         return have != nullptr && *have == value;
                       });
  }

  std::string FreeAddress() {
    const auto used = [&](const std::string& address) {
      return std::any_of(release_.services.begin(), release_.services.end(),
                         [&](const TargetService& service) {
                           const Value* networks = service.spec.Find(Field::kNetworks);
                           const Value* front = networks ? networks->Find("front") : nullptr;
                           const Value* have = front ? front->Find("ipv4_address") : nullptr;
                           return have != nullptr && *have == Value(address);
                         });
    };
    for (std::size_t host = 2 + dice_.Below(3);; ++host) {
      std::string address = "10.0." + std::to_string(number_) + "." + std::to_string(host);
      if (!used(address)) return address;
    }
  }

  TargetRelease& release_;
  int number_;
  Dice& dice_;
  std::uint64_t order_;
};

TargetRelease FirstRelease(int number, Dice& dice) {
  TargetRelease release;
  Writer writer(release, number, dice);
  constexpr std::array<std::size_t, 10> kSizes = {0, 1, 1, 2, 2, 3, 3, 4, 5, 6};
  const std::size_t size = dice.Of(kSizes);
  std::vector<std::string> names(kNames.begin(), kNames.end());
  dice.Shuffle(names);
  names.resize(size);
  for (const std::string& name : names) writer.AddService(name);
  const bool all_plain = dice.Chance(60);
  for (TargetService& service : release.services) {
    if (dice.Chance(20)) writer.Publish(service);
    writer.Connect(service);
    if (dice.Chance(20)) writer.Mount(service);
    if (!all_plain && dice.Chance(50)) SetStrategy(service, static_cast<Strategy>(dice.Below(4)));
  }
  for (std::size_t i = 0; i < release.services.size(); ++i) writer.Depend(i);
  writer.Finish();
  return release;
}

}  // namespace

std::string ContentOf(std::string_view reference) {
  std::string content(reference);
  if (const auto same = content.rfind("-same"); same != std::string::npos) content.resize(same);
  if (const auto digest = content.find("@sha256:"); digest != std::string::npos) {
    content.replace(digest, 8, ":");
  }
  return "content " + content;
}

TargetRelease Evolve(const TargetRelease& release, int number, const std::string& commit,
                     Dice& dice) {
  TargetRelease next = release;
  Writer writer(next, number, dice);
  if (dice.Chance(85)) {
    next.commit = commit;
    ++next.id;
  }
  std::erase_if(next.services, [&](const TargetService&) { return dice.Chance(8); });
  if (dice.Chance(20)) {
    const std::string name = dice.Of(kNames);
    const auto same = [&](const TargetService& service) { return service.name == name; };
    if (std::none_of(next.services.begin(), next.services.end(), same)) writer.AddService(name);
  }
  writer.ForgetMissing();
  const unsigned eagerness = dice.Chance(20) ? 0 : dice.Chance(50) ? 30 : 80;
  for (std::size_t i = 0; i < next.services.size(); ++i) {
    TargetService& service = next.services[i];
    if (!dice.Chance(eagerness)) continue;
    dice.Of(kChanges)(service, dice);
    if (dice.Chance(15)) writer.Publish(service);
    if (dice.Chance(10)) writer.Connect(service);
    if (dice.Chance(10)) writer.Mount(service);
    if (dice.Chance(10)) writer.Depend(i);
    if (dice.Chance(5)) service.spec.running = !service.spec.running;
    if (dice.Chance(5)) SetStrategy(service, static_cast<Strategy>(dice.Below(4)));
  }
  writer.Finish();
  return next;
}

AppStory MakeStory(int number, Dice& dice) {
  AppStory story;
  story.number = number;
  story.uuid = std::string("app") + static_cast<char>('A' + number);
  if (dice.Chance(80)) story.id = std::to_string(number + 1);
  const auto commit = [&](int n) {
    return std::string(1, static_cast<char>('a' + number)) + "00c" + std::to_string(n);
  };
  story.older = FirstRelease(number, dice);
  story.older.commit = commit(1);
  story.older.id = 1;
  story.old = Evolve(story.older, number, commit(2), dice);
  story.next = Evolve(story.old, number, commit(3), dice);
  return story;
}

TargetApp AsTarget(const AppStory& story, const TargetRelease& release) {
  TargetApp app;
  app.uuid = story.uuid;
  app.id = story.id;
  app.name = "name of " + story.uuid;
  app.release = release;
  return app;
}

}  // namespace lockstep::test
