#include "service_view.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <tuple>

#include "dependency_graph.h"

namespace lockstep {
namespace {

bool SameImage(const ObservedContainer& container, const TargetService& service,
               std::string_view local_id) {
  if (!local_id.empty()) return container.image_id == local_id;
  return NormalizedReference(container.image) == NormalizedReference(service.spec.image);
}

// What the target asks for beyond what such a container has anyway.
ServiceSpec AskedOf(const ObservedContainer& container, const TargetService& service) {
  if (!container.implied) return service.spec;
  return WithoutImplied(service.spec, *container.implied);
}

bool SameSpec(const ObservedContainer& container, const TargetService& service,
              std::string_view target_hash) {
  if (!container.config_hash.empty()) return container.config_hash == target_hash;
  if (!container.spec) return false;
  const auto same = [&spec = *container.spec](const ServiceSpec& asked) {
    return spec.environment == asked.environment && spec.labels == asked.labels &&
           spec.fields == asked.fields;
  };
  return container.implied ? same(AskedOf(container, service)) : same(service.spec);
}

// Which of several containers of one service speaks for it: one that is up before one that is not,
// one of the committed release before another, the newer before the older.
bool Better(const ObservedContainer* a, const ObservedContainer* b, const AppFacts& facts) {
  const std::string committed = facts.record.committed.value_or("");
  const auto rank = [&](const ObservedContainer& c) {
    return std::tuple(c.IsUp(), WasInterrupted(facts, c),
                      !committed.empty() && c.commit == committed, c.state != ContainerState::kDead,
                      c.created_at.value_or(WallTime{}), c.id);
  };
  return rank(*a) > rank(*b);
}

// Whether the container has joined the namespaces of those containers that its service is to share.
// One without the label was compared by its specification, which says so itself; but no container
// has joined one that was made after it.
bool SharesRight(const std::vector<ServiceView>& views, const ServiceView& view,
                 const ObservedContainer& container) {
  const auto services = SharedServicesOf(view.target->spec);
  if (services.empty()) return true;
  const auto joined = SharedContainersOf(container.labels);
  std::vector<std::string> wanted;
  for (const std::string& service : services) {
    const auto shared = FindView(views, service);
    if (!shared) continue;  // A gap says so.
    const ObservedContainer* its = views[*shared].future;
    if (its == nullptr) return false;  // Made anew: so must be whoever shares it.
    const bool dated = its->created_at && container.created_at;
    if (joined.empty() && dated && *its->created_at > *container.created_at) return false;
    wanted.push_back(its->id);
  }
  return joined.empty() || joined == wanted;
}

// Which container is the service's future, which its present. What it shares is assigned before it.
void Assign(const std::vector<ServiceView>& views, ServiceView& view,
            std::vector<const ObservedContainer*>& containers, const AppFacts& facts,
            const ImageIndex& images) {
  if (containers.size() > 1) {
    std::sort(containers.begin(), containers.end(),
              [&](const auto* a, const auto* b) { return Better(a, b, facts); });
  }
  std::string_view local_id;
  if (view.target != nullptr) {
    local_id = images.Find(view.target->spec.image);
    view.image_here = !local_id.empty();
  }
  for (const ObservedContainer* container : containers) {
    const bool usable = container->state != ContainerState::kDead;
    const bool ran = usable && container->state != ContainerState::kCreated;
    const bool matches = view.target != nullptr && usable &&
                         SameSpec(*container, *view.target, view.hash) &&
                         SameImage(*container, *view.target, local_id) &&
                         !UsesPurged(facts, *container) && SharesRight(views, view, *container);
    if (matches && view.future == nullptr) {
      view.future = container;
    } else if (!matches && view.present == nullptr && ran) {
      view.present = container;
    } else {
      view.left_over.push_back(container);
    }
  }
}

// Made for this release, by its name or by an older one of the same release beside it, and not
// proven: neither has the release been committed since, nor has it settled before our eyes.
bool IsNew(const ServiceView& view, const AppFacts& facts) {
  if (view.future == nullptr || WasRenamed(facts, *view.future)) return false;
  const bool never_ran = view.future->state == ContainerState::kCreated;
  if (view.future->settled && !never_ran) return false;
  if (view.future->commit != facts.to() && !never_ran) return false;
  if (facts.record.committed != facts.to()) return true;
  return view.present != nullptr && view.present->commit == facts.to() &&
         (facts.record.cutover || !view.future->IsUp());
}

Reason Because(ReasonCode code, std::string field = {}) {
  Reason reason;
  reason.code = code;
  reason.field = std::move(field);
  return reason;
}

void ExplainRecreate(ServiceView& view, const std::vector<ServiceView>& views,
                     const AppFacts& facts, const ImageIndex& images) {
  const ObservedContainer& old = *view.present;
  if (!SameImage(old, *view.target, images.Find(view.target->spec.image))) {
    Reason reason = Because(ReasonCode::kImageChanged);
    reason.field = "image";
    reason.from = old.image;
    reason.to = view.target->spec.image;
    view.why.push_back(std::move(reason));
  }
  if (old.spec) {
    auto fields = DiffSpecs(*old.spec, AskedOf(old, *view.target));
    view.why.insert(view.why.end(), std::make_move_iterator(fields.begin()),
                    std::make_move_iterator(fields.end()));
  } else if (old.config_hash != view.hash) {
    Reason reason = Because(ReasonCode::kFieldChanged, "specification");
    reason.from = old.config_hash;
    reason.to = view.hash;
    view.why.push_back(std::move(reason));
  }
  for (const std::string& service : SharedServicesOf(view.target->spec)) {
    const auto shared = FindView(views, service);
    if (shared && views[*shared].change == ServiceChange::kRecreate) {
      view.why.push_back(Because(ReasonCode::kDependencyRestarts, service));
    }
  }
  if (const ServiceSpec* spec = facts.SpecOf(old)) {
    for (const std::string& volume : PurgedVolumes(facts, *spec)) {
      view.why.push_back(Because(ReasonCode::kVolumeChanged, "volumes." + volume));
    }
  }
}

// Whether the service restarts with `on`, which it depends on and which is stopped in this plan.
bool RestartsWith(const ServiceView& on) {
  const auto up = [](const ObservedContainer* c) { return c != nullptr && c->IsUp(); };
  // While a hand-over goes on the old one runs too: who restarts with the new one has done so.
  if (on.change == ServiceChange::kRecreate) return !up(on.future);
  return on.tied && up(on.future);
}

// Whether `view`, which runs, has lost the namespace that it shares with `on`.
bool HasLost(const ServiceView& view, const ServiceView& on) {
  if (on.future == nullptr) return false;  // Then `view` is made anew as well.
  if (!on.future->IsUp()) return NeedsStart(on);
  if (on.tied) return true;
  const auto& its = on.future->started_at;
  const auto& ours = view.future->started_at;
  return its && ours && *its > *ours;
}

// Finds out whether an unchanged service is to be restarted. `i` comes after all it depends on.
void Tie(std::vector<ServiceView>& views, const DependencyGraph& graph, std::size_t i,
         const AppFacts& facts) {
  ServiceView& view = views[i];
  if (view.future == nullptr || !view.ShouldRun()) return;
  const auto tie = [&](Reason reason) {
    view.tied = true;
    if (view.future->IsUp()) view.why.push_back(std::move(reason));
  };
  if (view.future->IsUp() && IsToRestart(facts, *view.future)) tie(Because(ReasonCode::kAsked));
  if (view.future->lost) tie(Because(ReasonCode::kLost));
  const auto wanted =
      facts.remade.empty() ? std::vector<std::string>{} : NetworksOf(view.target->spec);
  for (const std::string& network : facts.remade) {
    const bool on_it = std::binary_search(wanted.begin(), wanted.end(), network) ||
                       IsAttached(facts, *view.future, network);
    if (!on_it) continue;
    Reason reason = Because(ReasonCode::kNetworkChanged, "networks." + network);
    reason.from = facts.FindNetwork(network)->config;
    reason.to = facts.release()->networks.at(network);
    tie(std::move(reason));
  }
  for (const DependencyEdge& edge : graph.edges[i]) {
    const ServiceView& on = views[edge.on];
    const bool lost = edge.shared && HasLost(view, on);
    if (!lost && !(edge.restart && RestartsWith(on))) continue;
    tie(Because(ReasonCode::kDependencyRestarts, on.name));
  }
  if (view.tied && view.future->IsUp() && !view.is_new) view.change = ServiceChange::kRestart;
}

// Is left as it is, but a person should know.
void ReportState(ServiceView& view) {
  if (view.change == ServiceChange::kNone && !view.left_over.empty()) {
    view.why.push_back(Because(ReasonCode::kLeftOver));
  }
  if (view.future->state == ContainerState::kPaused) {
    view.why.push_back(Because(ReasonCode::kPaused));
  } else if (view.future->state == ContainerState::kRestarting) {
    view.why.push_back(Because(ReasonCode::kRestarting));
  } else if (view.future->health == Health::kUnhealthy) {
    view.why.push_back(Because(ReasonCode::kUnhealthy));
  }
}

// Runs, but a network was detached from it.
bool LacksNetwork(const ServiceView& view, const AppFacts& facts) {
  if (!view.future->IsUp() || !view.future->networks) return false;
  const auto networks = NetworksOf(view.target->spec);
  return std::any_of(networks.begin(), networks.end(), [&](const std::string& network) {
    return !IsAttached(facts, *view.future, network) && !IsRemade(facts, network);
  });
}

void Decide(std::vector<ServiceView>& views, std::size_t i, const AppFacts& facts,
            const ImageIndex& images) {
  ServiceView& view = views[i];
  const auto decide = [&](ServiceChange change, ReasonCode code) {
    view.change = change;
    view.why.push_back(Because(code));
  };
  if (view.target == nullptr) return decide(ServiceChange::kRemove, ReasonCode::kNotInTarget);
  const bool other_release = view.future != nullptr && view.future->commit != facts.to();
  if (view.future == nullptr && view.present == nullptr) {
    return decide(ServiceChange::kCreate, ReasonCode::kMissing);
  }
  if (view.present != nullptr && (view.future == nullptr || view.is_new)) {
    view.change = ServiceChange::kRecreate;
    return ExplainRecreate(view, views, facts, images);
  }
  if (view.future->IsUp() && !view.ShouldRun()) {
    return decide(ServiceChange::kStop, ReasonCode::kShouldNotRun);
  }
  if (NeedsStart(view)) {
    return decide(view.is_new ? ServiceChange::kCreate : ServiceChange::kStart,
                  ReasonCode::kNotRunning);
  }
  if (LacksNetwork(view, facts)) {
    decide(ServiceChange::kReconnect, ReasonCode::kNetworkChanged);
  } else if (other_release) {
    decide(ServiceChange::kRename, ReasonCode::kReleaseChanged);
  }
  ReportState(view);
}

}  // namespace

bool NeedsStart(const ServiceView& view) {
  return view.ShouldRun() && (view.future == nullptr || view.down);
}

bool Restarts(const ServiceView& view) {
  return view.tied && view.future->IsUp() && view.ShouldRun();
}

std::vector<const ObservedContainer*> AllOf(const ServiceView& view) {
  std::vector<const ObservedContainer*> all = view.left_over;
  for (const ObservedContainer* container : {view.present, view.future}) {
    if (container != nullptr) all.push_back(container);
  }
  return all;
}

bool WillStart(const ServiceView& view) { return NeedsStart(view) || Restarts(view); }

bool WantsStart(const AppFacts& facts, const ObservedContainer& container,
                const std::string& restart_policy) {
  if (container.state == ContainerState::kCreated) return true;
  if (container.state != ContainerState::kExited) return false;
  if (WasInterrupted(facts, container)) return true;
  if (restart_policy == "always" || restart_policy == "unless-stopped") return true;
  constexpr std::string_view kOnFailure = "on-failure";
  if (!std::string_view(restart_policy).starts_with(kOnFailure) || container.exit_code == 0) {
    return false;
  }
  int limit = 0;  // "on-failure" alone has none.
  if (restart_policy.size() > kOnFailure.size() + 1) {
    std::from_chars(restart_policy.data() + kOnFailure.size() + 1,
                    restart_policy.data() + restart_policy.size(), limit);
  }
  return limit == 0 || container.restart_count < limit;
}

std::string OriginalPolicy(const ObservedContainer& container, const ObservedState& observed) {
  if (const auto it = container.labels.find(std::string(kLabelRestart));
      it != container.labels.end()) {
    return it->second;
  }
  if (const auto it = observed.saved_restart.find(container.id);
      it != observed.saved_restart.end()) {
    return it->second;
  }
  if (container.spec) return RestartPolicyOf(*container.spec);
  return container.restart_policy.value_or("no");
}

std::string FinalName(const TargetRelease& release, const TargetService& service) {
  return ContainerName(service.name, service.image_id, release.id, release.commit);
}

std::vector<ServiceView> ViewServices(const AppFacts& facts, const ImageIndex& images,
                                      DependencyGraph& start_graph) {
  std::vector<ServiceView> views;
  std::vector<std::size_t> first;  // By view: where its containers begin in those of the app.
  const std::size_t most =
      facts.containers.size() + (facts.release() ? facts.release()->services.size() : 0);
  views.reserve(most);
  first.reserve(most + 1);
  std::size_t next = 0;
  const auto begin_view = [&](const std::string& name) {
    views.emplace_back().name = name;
    first.push_back(next);
  };
  const auto compare = [&](const std::string& name) {
    return next == facts.containers.size() ? 1 : facts.containers[next]->service.compare(name);
  };
  const auto take_container = [&] {
    const std::string& service = facts.containers[next]->service;
    if (views.empty() || views.back().name != service) begin_view(service);
    ++next;
  };
  if (facts.release() != nullptr) {
    for (const TargetService& service : facts.release()->services) {
      int order = compare(service.name);
      for (; order < 0; order = compare(service.name)) take_container();
      begin_view(service.name);
      views.back().target = &service;
      views.back().hash =
          facts.hashes[static_cast<std::size_t>(&service - facts.release()->services.data())];
      for (; order == 0; order = compare(service.name)) ++next;
    }
  }
  while (next != facts.containers.size()) take_container();
  first.push_back(next);

  const std::vector<std::string>& stopped = facts.record.stopped;
  // What a service depends on or shares is decided before it.
  start_graph = StartGraph(views);
  std::vector<const ObservedContainer*> own;
  for (const std::size_t i : start_graph.order) {
    ServiceView& view = views[i];
    own.assign(facts.containers.begin() + static_cast<std::ptrdiff_t>(first[i]),
               facts.containers.begin() + static_cast<std::ptrdiff_t>(first[i + 1]));
    view.stopped = std::find(stopped.begin(), stopped.end(), view.name) != stopped.end();
    for (const DependencyEdge& edge : start_graph.edges[i]) {
      // Without what it shares it cannot run either.
      view.stopped |= edge.shared && !views[edge.on].ShouldRun();
    }
    Assign(views, view, own, facts, images);
    view.is_new = IsNew(view, facts);
    view.down = view.target != nullptr && view.future != nullptr &&
                WantsStart(facts, *view.future, RestartPolicyOf(view.target->spec));
    Decide(views, i, facts, images);
    Tie(views, start_graph, i, facts);
  }
  return views;
}

}  // namespace lockstep
