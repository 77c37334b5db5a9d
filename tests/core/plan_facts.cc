#include "plan_facts.h"

#include <algorithm>
#include <functional>

#include "lockstep/image_reference.h"

namespace lockstep::test {

const TargetApp* FindTargetApp(const Target& target, std::string_view app) {
  const auto it = std::find_if(target.apps.begin(), target.apps.end(),
                               [&](const TargetApp& a) { return a.uuid == app; });
  return it == target.apps.end() ? nullptr : &*it;
}

const TargetService* FindTargetService(const TargetApp* app, std::string_view service) {
  if (app == nullptr || !app->release) return nullptr;
  const auto& services = app->release->services;
  const auto it = std::find_if(services.begin(), services.end(),
                               [&](const TargetService& s) { return s.name == service; });
  return it == services.end() ? nullptr : &*it;
}

const ObservedContainer* FindContainer(const ObservedState& state, std::string_view id) {
  const auto& all = state.engine.containers;
  const auto it =
      std::find_if(all.begin(), all.end(), [&](const ObservedContainer& c) { return c.id == id; });
  return it == all.end() ? nullptr : &*it;
}

std::string LocalImage(const ObservedState& state, std::string_view reference) {
  const std::string wanted = NormalizedReference(reference);
  for (const ObservedImage& image : state.engine.images) {
    for (const std::string& name : image.references) {
      if (NormalizedReference(name) == wanted) return image.id;
    }
  }
  return {};
}

std::string UuidOf(const Target& target, const std::string& app) {
  for (const TargetApp& known : target.apps) {
    if (!known.id.empty() && known.id == app) return known.uuid;
  }
  return app;
}

bool AppLook::HasFailed() const {
  return release != nullptr && std::count(record.failed.begin(), record.failed.end(), to()) != 0;
}

bool AppLook::GoesBack() const { return HasFailed() && record.cutover == to(); }

namespace {

void FillIn(AppLook& look, const Target& target, const ObservedState& state,
            const PlanOptions& options) {
  if (look.target != nullptr && look.target->release) {
    look.release = &*look.target->release;
    for (const TargetService& service : look.release->services) {
      look.services[service.name].target = &service;
    }
  }
  look.record.app = look.app;
  const auto record = std::find_if(state.apps.begin(), state.apps.end(),
                                   [&](const AppRecord& r) { return r.app == look.app; });
  if (record != state.apps.end()) {
    look.record = *record;
  } else {
    std::set<std::string> commits;
    for (const auto& [name, service] : look.services) {
      for (const ObservedContainer* c : service.containers) {
        if (c->state != ContainerState::kCreated) commits.insert(c->commit);
      }
    }
    if (commits.size() == 1) look.record.committed = *commits.begin();
  }
  look.has_span = std::count(state.spans.begin(), state.spans.end(), look.app) != 0;
  look.paused = look.record.paused && !look.has_span;
  look.forced = IsForced(target, state, options, look.app) && !look.paused;
  for (const LockHolder& holder : state.locks) {
    if (holder.app == look.app && holder.held && !holder.ours &&
        look.services.count(holder.service) != 0) {
      look.holders.push_back(&holder);
    }
  }
}

}  // namespace

std::map<std::string, AppLook> LookAt(const Target& target, const ObservedState& state,
                                      const PlanOptions& options) {
  std::map<std::string, AppLook> looks;
  for (const TargetApp& app : target.apps) looks[app.uuid].target = &app;
  for (const ObservedContainer& c : state.engine.containers) {
    if (!c.owned || c.state == ContainerState::kRemoving) continue;
    looks[UuidOf(target, c.app)].services[c.service].containers.push_back(&c);
  }
  for (const ObservedNetwork& network : state.engine.networks) {
    if (network.owned) looks[UuidOf(target, network.app)];
  }
  for (const AppRecord& record : state.apps) {
    if (!record.retired.empty() || !record.purge.empty() || record.remove) looks[record.app];
  }
  for (auto& [app, look] : looks) {
    look.app = app;
    FillIn(look, target, state, options);
  }
  return looks;
}

bool IsForced(const Target& target, const ObservedState& state, const PlanOptions& options,
              std::string_view app) {
  const auto& config = target.whole_device ? target.config : state.config;
  const auto overrides = config.find("BALENA_SUPERVISOR_OVERRIDE_LOCK");
  if (overrides != config.end() && overrides->second == "1") return true;
  const auto& named = options.force_apps;
  return options.force && (named.empty() || std::count(named.begin(), named.end(), app) != 0);
}

bool IsToRun(const TargetApp* app, const TargetService& service, const AppRecord& record) {
  const auto& stopped = record.stopped;
  if (!service.spec.running) return false;
  if (std::find(stopped.begin(), stopped.end(), service.name) != stopped.end()) return false;
  // Services may share each other in a circle.
  std::set<std::string> known = {service.name};
  std::vector<std::string> open = SharedServicesOf(service.spec);
  while (!open.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    const TargetService* other = FindTargetService(app, name);
    if (other == nullptr || !known.insert(name).second) continue;
    if (!other->spec.running || std::count(stopped.begin(), stopped.end(), name) != 0) return false;
    for (std::string& further : SharedServicesOf(other->spec)) open.push_back(std::move(further));
  }
  return true;
}

bool Matches(const ObservedContainer& container, const TargetService& service,
             const ObservedState& state) {
  if (container.state == ContainerState::kDead) return false;
  const std::string local = LocalImage(state, service.spec.image);
  const bool same_image = local.empty() ? NormalizedReference(container.image) ==
                                              NormalizedReference(service.spec.image)
                                        : container.image_id == local;
  if (!same_image) return false;
  if (!container.config_hash.empty()) return container.config_hash == ConfigHash(service.spec);
  return container.spec && container.spec->environment == service.spec.environment &&
         container.spec->labels == service.spec.labels &&
         container.spec->fields == service.spec.fields;
}

std::set<std::string> DependenciesOf(const ServiceSpec& spec) {
  std::set<std::string> names;
  for (const Dependency& dependency : spec.depends_on) names.insert(dependency.service);
  for (const std::string& service : SharedServicesOf(spec)) names.insert(service);
  return names;
}

bool HasCycle(const TargetRelease& release) {
  std::set<std::string> left;
  for (const TargetService& service : release.services) left.insert(service.name);
  for (bool removed = true; removed;) {
    removed = false;
    for (const TargetService& service : release.services) {
      if (left.count(service.name) == 0) continue;
      const auto on = DependenciesOf(service.spec);
      if (std::none_of(on.begin(), on.end(), [&](const auto& o) { return left.count(o) != 0; })) {
        left.erase(service.name);
        removed = true;
      }
    }
  }
  return !left.empty();
}

bool IsLate(Strategy strategy) {
  return strategy == Strategy::kKillThenDownload || strategy == Strategy::kDeleteThenDownload;
}

std::set<std::string> MadeInSpan(const AppLook& look, const Target& target,
                                 const ObservedState& state) {
  std::set<std::string> made;
  if (look.release == nullptr) return made;
  const auto remade = [&](const std::string& name) {
    return std::any_of(state.engine.networks.begin(), state.engine.networks.end(),
                       [&](const ObservedNetwork& network) {
                         return network.owned && UuidOf(target, network.app) == look.app &&
                                network.name == name &&
                                network.config != look.release->networks.at(name);
                       });
  };
  const auto& purge = look.record.purge;
  for (const TargetService& service : look.release->services) {
    const auto networks = NetworksOf(service.spec);
    const auto volumes = VolumesOf(service.spec);
    if (IsLate(service.strategy) || std::any_of(networks.begin(), networks.end(), remade) ||
        std::any_of(volumes.begin(), volumes.end(), [&](const std::string& volume) {
          return std::count(purge.begin(), purge.end(), volume) != 0;
        })) {
      made.insert(service.name);
    }
  }
  for (std::size_t before = 0; before != made.size();) {
    before = made.size();
    for (const TargetService& service : look.release->services) {
      for (const std::string& shared : SharedServicesOf(service.spec)) {
        if (made.count(shared) != 0) made.insert(service.name);
      }
    }
  }
  return made;
}

bool Interrupts(const Step& step, const ObservedState& state) {
  if (step.kind == StepKind::kReboot) return true;
  if (step.kind != StepKind::kStopContainer && step.kind != StepKind::kRemoveContainer &&
      step.kind != StepKind::kDisconnectNetwork) {
    return false;
  }
  const ObservedContainer* container = FindContainer(state, step.subject);
  return container != nullptr && container->IsUp();
}

bool Interrupts(const Plan& plan, std::size_t step, const ObservedState& state) {
  if (!Interrupts(plan.steps[step], state)) return false;
  const auto end = plan.steps.begin() + static_cast<std::ptrdiff_t>(step);
  return std::none_of(plan.steps.begin(), end, [&](const Step& before) {
    return before.kind == StepKind::kStopContainer && before.subject == plan.steps[step].subject;
  });
}

std::set<std::string> HostPortsOf(const ServiceSpec& spec) {
  std::set<std::string> ports;
  const Value* field = spec.Find(Field::kPorts);
  if (field == nullptr || field->AsList() == nullptr) return ports;
  for (const Value& port : *field->AsList()) {
    // ":8080:80/tcp"; generated ones have no address.
    const std::string& text = *port.AsString();
    ports.insert(text.substr(1, text.find(':', 1) - 1) + text.substr(text.rfind('/')));
  }
  return ports;
}

std::set<std::string> AddressesOf(const ServiceSpec& spec) {
  std::set<std::string> addresses;
  const Value* networks = spec.Find(Field::kNetworks);
  if (networks == nullptr || networks->AsMap() == nullptr) return addresses;
  for (const auto& [name, endpoint] : *networks->AsMap()) {
    const Value* address = endpoint.Find("ipv4_address");
    if (address != nullptr) addresses.insert(name + " " + *address->AsString());
  }
  return addresses;
}

Order::Order(const Plan& plan)
    : words_((plan.steps.size() + 63) / 64), bits_(plan.steps.size() * words_, 0) {
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    for (const std::uint32_t before : plan.steps[i].after) {
      if (before >= i) continue;  // Not well-formed: found elsewhere.
      for (std::size_t w = 0; w < words_; ++w) {
        bits_[i * words_ + w] |= bits_[before * words_ + w];
      }
      bits_[i * words_ + before / 64] |= std::uint64_t{1} << (before % 64);
    }
  }
}

}  // namespace lockstep::test
