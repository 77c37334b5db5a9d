// What holds of a plan as it is made: who is left alone, who starts without a lock, and in which
// order services start and stop.
#include <algorithm>

#include "lockstep/identity.h"
#include "plan_invariants_parts.h"

namespace lockstep::test {
namespace {

bool Contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::string PolicyOf(const ObservedContainer& container, const ObservedState& state) {
  const auto label = container.labels.find(std::string(kLabelRestart));
  if (label != container.labels.end()) return label->second;
  const auto saved = state.saved_restart.find(container.id);
  if (saved != state.saved_restart.end()) return saved->second;
  return container.spec ? RestartPolicyOf(*container.spec) : "";
}

bool AlwaysRestarts(const std::string& policy) {
  return policy == "always" || policy == "unless-stopped";
}

// Every service that `from` depends on, over any others that `passes`.
template <typename Edges, typename Passes>
std::set<std::string> Reach(const std::string& from, const Edges& edges, const Passes& passes) {
  std::set<std::string> reached;
  std::vector<std::string> open = {from};
  while (!open.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    for (const std::string& on : edges(name)) {
      if (reached.insert(on).second && passes(on)) open.push_back(on);
    }
  }
  return reached;
}

}  // namespace

std::set<std::string> StopDependencies(const ServiceLook& service, const ObservedState& state) {
  std::set<std::string> names;
  const ObservedContainer* old = nullptr;
  bool new_runs = false;
  for (const ObservedContainer* c : service.containers) {
    const bool of_target = service.target != nullptr && Matches(*c, *service.target, state);
    new_runs = new_runs || (of_target && c->IsUp());
    const bool ran = c->state != ContainerState::kCreated && c->state != ContainerState::kDead;
    if (!ran || of_target) continue;
    if (old != nullptr) return {};  // Of several it is not said which one speaks.
    old = c;
  }
  const bool speaks = old != nullptr && (old->IsUp() || !new_runs);
  if (speaks && old->spec && !old->spec->depends_on.empty()) {
    return DependenciesOf(*old->spec);
  }
  return service.target == nullptr ? names : DependenciesOf(service.target->spec);
}

std::set<std::string> AnyDependencies(const ServiceLook& service) {
  std::set<std::string> names;
  if (service.target != nullptr) names = DependenciesOf(service.target->spec);
  for (const ObservedContainer* c : service.containers) {
    if (c->spec) names.merge(DependenciesOf(*c->spec));
  }
  return names;
}

// One container, as the target wants it, on networks that stay, beside services that stay.
bool PlanJudge::IsUnchanged(const AppLook& look, const std::string& name, int depth) const {
  const auto it = look.services.find(name);
  if (depth > 8 || it == look.services.end() || look.GoesBack()) return false;
  const ServiceLook& service = it->second;
  if (service.target == nullptr || service.containers.size() != 1) return false;
  const ServiceSpec& spec = service.target->spec;
  const ObservedContainer& container = *service.containers[0];
  if (!spec.running || Contains(look.record.stopped, name) ||
      container.state == ContainerState::kCreated || !Matches(container, *service.target, state_)) {
    return false;
  }
  if (Contains(look.record.restart, container.id)) return false;  // Somebody asked.
  for (const std::string& volume : VolumesOf(spec)) {
    if (Contains(look.record.purge, volume)) return false;
  }
  for (const std::string& network : NetworksOf(spec)) {
    const auto wanted = look.release->networks.find(network);
    const bool same = std::any_of(
        state_.engine.networks.begin(), state_.engine.networks.end(), [&](const auto& n) {
          return n.owned && UuidOf(target_, n.app) == look.app && n.name == network &&
                 wanted != look.release->networks.end() && n.config == wanted->second;
        });
    if (!same) return false;
  }
  const auto runs_on = [&](const std::string& other) {
    const auto found = look.services.find(other);
    return found != look.services.end() && IsUnchanged(look, other, depth + 1) &&
           found->second.containers[0]->IsUp();
  };
  std::string shared;
  for (const std::string& other : SharedServicesOf(spec)) {
    if (!runs_on(other)) return false;
    const ObservedContainer& its = *look.services.at(other).containers[0];
    if (its.started_at > container.started_at) return false;  // Its namespace is another one now.
    shared += (shared.empty() ? "" : ",") + its.id;
  }
  const auto label = container.labels.find(std::string(kLabelShares));
  if (label != container.labels.end() && label->second != shared) return false;
  return std::all_of(spec.depends_on.begin(), spec.depends_on.end(), [&](const Dependency& d) {
    return !d.restart || look.services.count(d.service) == 0 || runs_on(d.service);
  });
}

void PlanJudge::JudgeUnchanged(const AppLook& look) {
  for (const auto& [name, service] : look.services) {
    if (!IsUnchanged(look, name, 0)) continue;
    const ObservedContainer& container = *service.containers[0];
    for (const Step& step : plan_.steps) {
      if (step.app != look.app || step.service != name) continue;
      const bool restores = step.kind == StepKind::kUpdateContainer &&
                            step.detail == RestartPolicyOf(service.target->spec) &&
                            container.restart_policy != step.detail;
      const bool starts = step.kind == StepKind::kStartContainer && !container.IsUp();
      if (step.kind == StepKind::kStopContainer || step.kind == StepKind::kRemoveContainer ||
          step.kind == StepKind::kDisconnectNetwork || step.kind == StepKind::kCreateContainer ||
          (step.kind == StepKind::kUpdateContainer && !restores) ||
          (step.kind == StepKind::kStartContainer && !starts)) {
        Add(Property::kI7, step, "though nothing of the service changed");
      }
    }
  }
}

// Whether what it shares runs, or will in its old container, and its networks are there.
bool PlanJudge::CouldStart(const AppLook& look, const ObservedContainer& container) const {
  if (!container.spec) return true;
  for (const std::string& network : NetworksOf(*container.spec)) {
    const auto& all = state_.engine.networks;
    const bool there = std::any_of(all.begin(), all.end(), [&](const ObservedNetwork& n) {
      return n.owned && UuidOf(target_, n.app) == look.app && n.name == network;
    });
    if (!there && look.release->networks.count(network) == 0) return false;
  }
  const auto shared = SharedServicesOf(*container.spec);
  return std::all_of(shared.begin(), shared.end(), [&](const std::string& service) {
    const auto its = look.services.find(service);
    if (its == look.services.end()) return false;
    const auto& all = its->second.containers;
    return std::any_of(all.begin(), all.end(), [&](const ObservedContainer* c) {
      return c->IsUp() ||
             std::any_of(plan_.steps.begin(), plan_.steps.end(), [&](const Step& step) {
               return step.kind == StepKind::kStartContainer && step.subject == c->id &&
                      step.detail == "old";
             });
    });
  });
}

void PlanJudge::JudgeRestarts(const AppLook& look) {
  const AppPlan* app = PlanOf(look.app);
  if (app == nullptr || look.release == nullptr || look.has_span || look.record.cutover ||
      look.target->is_host || look.record.committed.value_or("").empty() ||
      std::any_of(app->gaps.begin(), app->gaps.end(), [](const Gap& g) { return g.blocks; })) {
    return;
  }
  for (const auto& [name, service] : look.services) {
    if (service.containers.size() != 1 || Contains(look.record.stopped, name)) continue;
    const ObservedContainer& container = *service.containers[0];
    const bool given_up = container.start_failed || !CouldStart(look, container);
    if (container.state != ContainerState::kExited || given_up ||
        container.commit != look.record.committed || !AlwaysRestarts(PolicyOf(container, state_))) {
      continue;
    }
    const bool unchanged = IsUnchanged(look, name, 0);
    const bool waits_for_release =
        look.record.committed != look.to() && app->status == PlanStatus::kHeld &&
        !(service.target != nullptr && Matches(container, *service.target, state_));
    if (!unchanged && !waits_for_release) continue;
    bool started = false;
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      const Step& step = plan_.steps[i];
      if (step.kind != StepKind::kStartContainer || step.subject != container.id) continue;
      started = true;
      if (step.status == StepStatus::kHeld || AnyBefore(i, StepKind::kTakeLocks, look.app)) {
        Add(Property::kI11, step, "waits for a lock");
      }
    }
    if (!started) {
      Add(Property::kI11, look.app + "/" + name + " [" + container.id + "]: is not started again");
    }
  }
}

void PlanJudge::JudgeStarts(const AppLook& look) {
  struct Start {
    std::size_t step;
    bool ran;    // Its container did, until this span.
    bool again;  // In the running release: needs no lock, and waits for nobody who needs one.
  };
  std::map<std::string, Start> starts;
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const Step& step = plan_.steps[i];
    if (step.app != look.app || step.kind != StepKind::kStartContainer) continue;
    const TargetService* service = FindTargetService(look.target, step.service);
    const ObservedContainer* container = FindContainer(state_, step.subject);
    if (service == nullptr || (container != nullptr && !Matches(*container, *service, state_))) {
      continue;
    }
    const auto& all = look.services.at(step.service).containers;
    const bool replaces = std::any_of(all.begin(), all.end(), [&](const ObservedContainer* c) {
      return c->IsUp() && !Matches(*c, *service, state_);
    });
    const bool ran = container != nullptr && container->state != ContainerState::kCreated;
    const bool stopped = container != nullptr && Contains(look.record.interrupted, container->id);
    const bool restarts = container != nullptr && container->IsUp();
    const bool again = !replaces && !restarts && (ran || look.record.committed == look.to());
    starts[step.service] = {i, ran && !stopped, again};
    const bool begins = look.record.committed != look.to() && look.record.cutover != look.to();
    if (begins && !look.has_span && !ran && !AnyBefore(i, StepKind::kTakeLocks, look.app)) {
      Add(Property::kI2, step, "of a new release, and not after take-locks");
    }
  }
  const auto edges = [&](const std::string& name) {
    const TargetService* service = FindTargetService(look.target, name);
    return service == nullptr ? std::set<std::string>() : DependenciesOf(service->spec);
  };
  const auto exempt = [&](const Start& a, const Start& b) {
    const bool locked =
        AnyBefore(b.step, StepKind::kTakeLocks, look.app) ||
        (look.has_span && (!b.ran || AnyBefore(b.step, StepKind::kStopContainer, look.app)));
    const bool free = locked && !AnyBefore(a.step, StepKind::kTakeLocks, look.app);
    // What was begun under the locks goes forward without them.
    return (a.again && (locked || !b.again)) || (free && look.record.cutover == look.to());
  };
  for (const auto& [name, start] : starts) {
    const auto on = Reach(name, edges, [&](const auto& other) { return starts.count(other) == 0; });
    for (const std::string& other : on) {
      const auto before = starts.find(other);
      if (before == starts.end() || other == name || exempt(start, before->second)) continue;
      if (!order_.Before(before->second.step, start.step)) {
        Add(Property::kI14, plan_.steps[start.step], "not after the start of " + other);
      }
    }
    if (look.GoesBack()) continue;  // A way back waits for no health.
    for (const Dependency& d : FindTargetService(look.target, name)->spec.depends_on) {
      const auto before = starts.find(d.service);
      if (before == starts.end() || d.condition == DependencyCondition::kStarted ||
          exempt(start, before->second)) {
        continue;
      }
      const bool completed = d.condition == DependencyCondition::kCompletedSuccessfully;
      bool awaited = false;
      for (std::size_t i = 0; i < start.step; ++i) {
        const Step& step = plan_.steps[i];
        awaited =
            awaited || (step.app == look.app && step.kind == StepKind::kAwaitHealth &&
                        step.service == d.service && (step.detail == "completed") == completed &&
                        order_.Before(before->second.step, i) && order_.Before(i, start.step));
      }
      if (!awaited) Add(Property::kI14, plan_.steps[start.step], "does not wait for " + d.service);
    }
  }
  JudgeStartsOfOld(look);
}

// Old containers that are started again: in their own order.
void PlanJudge::JudgeStartsOfOld(const AppLook& look) {
  std::map<std::string, std::size_t> starts;
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const Step& step = plan_.steps[i];
    if (step.app != look.app || step.kind != StepKind::kStartContainer) continue;
    const TargetService* service = FindTargetService(look.target, step.service);
    const ObservedContainer* container = FindContainer(state_, step.subject);
    if (container == nullptr || !container->spec ||
        (service != nullptr && Matches(*container, *service, state_))) {
      continue;
    }
    starts[step.service] = i;
  }
  for (const auto& [name, i] : starts) {
    const ObservedContainer* container = FindContainer(state_, plan_.steps[i].subject);
    for (const Dependency& d : container->spec->depends_on) {
      const auto before = starts.find(d.service);
      if (before == starts.end() || before->first == name) continue;
      const auto edges = [&](const std::string& from) {
        const auto it = look.services.find(from);
        return it == look.services.end() ? std::set<std::string>() : AnyDependencies(it->second);
      };
      const auto all = [](const std::string&) { return true; };
      const bool circle = Reach(d.service, edges, all).count(name) != 0;
      if (!circle && !order_.Before(before->second, i)) {
        Add(Property::kI14, plan_.steps[i], "not after the start of the old " + d.service);
      }
    }
  }
}

void PlanJudge::JudgeStops(const AppLook& look) {
  std::map<std::string, std::size_t> stops;
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const Step& step = plan_.steps[i];
    if (step.app == look.app && step.kind == StepKind::kStopContainer && Interrupts(step, state_)) {
      stops[step.service] = i;
    }
  }
  const auto edges = [&](const std::string& name) {
    const auto it = look.services.find(name);
    if (it == look.services.end()) return std::set<std::string>();
    const auto stop = stops.find(name);
    const TargetService* target = it->second.target;
    // What is of the target, and stays, stops by the target's word.
    const bool replaced = stop != stops.end() &&
                          std::any_of(plan_.steps.begin(), plan_.steps.end(), [&](const Step& s) {
                            return s.app == look.app && s.service == name &&
                                   s.kind == StepKind::kStartContainer && s.detail != "old" &&
                                   s.subject != plan_.steps[stop->second].subject;
                          });
    const bool of_target =
        stop != stops.end() && target != nullptr && !replaced &&
        Matches(*FindContainer(state_, plan_.steps[stop->second].subject), *target, state_);
    return of_target ? DependenciesOf(target->spec) : StopDependencies(it->second, state_);
  };
  const auto any_edges = [&](const std::string& name) {
    const auto it = look.services.find(name);
    return it == look.services.end() ? std::set<std::string>() : AnyDependencies(it->second);
  };
  const auto all = [](const std::string&) { return true; };
  for (const auto& [name, service] : look.services) {
    if (Reach(name, any_edges, all).count(name) != 0) return;  // Where a circle is cut is free.
  }
  for (const auto& [name, stop] : stops) {
    const TargetService* service = FindTargetService(look.target, name);
    if (service != nullptr && service->strategy == Strategy::kHandOver) continue;
    for (const std::string& other : Reach(name, edges, all)) {
      const auto after = stops.find(other);
      if (after == stops.end()) continue;
      if (!order_.Before(stop, after->second)) {
        Add(Property::kI14, plan_.steps[after->second], "not after the stop of " + name);
      }
    }
  }
}

}  // namespace lockstep::test
