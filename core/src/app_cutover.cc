// The middle of an app's plan: what is down is started, the gate, stopping the old and starting the
// new, and giving the locks back.
#include <algorithm>
#include <utility>

#include "app_planner.h"
#include "claims.h"

namespace lockstep {

// One that was set aside gets its restart policy back before it is started.
void AppPlanner::Restore(const ServiceView& view, const ObservedContainer& container,
                         StepIndices& after) {
  if (container.state != ContainerState::kExited) return;
  const std::string policy = OriginalPolicy(container, context_.observed);
  if (container.restart_policy == policy && set_aside_.count(&container) == 0) return;
  after = {steps_.Add(StepKind::kUpdateContainer, Phase::kCutover, view.name, container.id,
                      std::move(after), policy)};
}

// Starts what ran until now again: the service is down, and the new one is not to start yet.
void AppPlanner::StartAgain(std::size_t i, const ObservedContainer& old, StepIndices after) {
  const ServiceView& view = views_[i];
  for (const ObservedContainer* other : AllOf(view)) {
    if (other == &old || other->IsUp()) continue;
    if (const auto aside = SetAside(i, *other, {})) after.push_back(*aside);
  }
  if (const ServiceSpec* spec = facts_.SpecOf(old)) {
    Append(after, Connect(view, old, *spec, Phase::kCutover, {}));
  }
  Restore(view, old, after);
  work_[i].old_start = steps_.Add(StepKind::kStartContainer, Phase::kCutover, view.name, old.id,
                                  std::move(after), "old");
  span_starts_.push_back(*work_[i].old_start);
}

// Whether an engine could start what ran before: its networks are there, and what it shares runs.
bool AppPlanner::CouldStart(const ObservedContainer& container) {
  const ServiceSpec* spec = facts_.SpecOf(container);
  if (spec == nullptr) return true;
  const auto networks = NetworksOf(*spec);
  const bool attachable = std::all_of(networks.begin(), networks.end(), [&](const auto& network) {
    return facts_.FindNetwork(network) != nullptr || networks_made_.count(network) != 0;
  });
  if (!attachable || TakesFromOthers(container, *spec)) return false;
  const auto ids = SharedContainersOf(container.labels);
  const auto services = SharedServicesOf(*spec);
  return std::all_of(services.begin(), services.end(), [&](const std::string& service) {
    const auto on = FindView(views_, service);
    if (!on) return false;
    const Work& work = work_[*on];
    const auto joined = [&](const std::string& id) {
      return ids.empty() || std::find(ids.begin(), ids.end(), id) != ids.end();
    };
    if (work.old_start) return joined(all_steps_[*work.old_start].subject);
    const ServiceView& its = views_[*on];
    const bool alone = its.present == nullptr && work.stops.empty();
    const ObservedContainer* old = alone ? its.future : its.present;
    return old != nullptr && old->IsUp() && joined(old->id);
  });
}

// Whether another container that runs, and goes on for now, has a port or an address of it.
bool AppPlanner::TakesFromOthers(const ObservedContainer& container, const ServiceSpec& spec) {
  const auto wanted = ClaimsOf(spec);
  if (wanted.empty()) return false;
  if (!claimed_) {
    claimed_.emplace();
    for (const ServiceView& view : views_) {
      for (const ObservedContainer* other : AllOf(view)) {
        if (!other->IsUp() || (going_back_ && StopsBack(view, other))) continue;
        const ServiceSpec* its = facts_.SpecOf(*other);
        if (its == nullptr) continue;
        for (std::string& claim : ClaimsOf(*its)) claimed_->emplace(std::move(claim), other);
      }
    }
  }
  return std::any_of(wanted.begin(), wanted.end(), [&](const std::string& claim) {
    const auto it = claimed_->find(claim);
    return it != claimed_->end() && it->second != &container &&
           !CommonClaim(spec, *facts_.SpecOf(*it->second)).empty();
  });
}

// Services of the running release that are down start again without a lock. So do those that a
// cutover left down when an app took a lock in the middle of it (design, "Cut off in a cutover").
void AppPlanner::StartWhatIsDown() {
  const bool cut_off = CutoverBegun() && held_;
  const bool new_runs = std::any_of(views_.begin(), views_.end(), [&](const ServiceView& view) {
    return view.is_new && view.future->IsUp();
  });
  if (cut_off) {
    plan_.gaps.push_back(
        {"cutover-interrupted",
         "an app took a lock in the middle of the cutover: what runs goes on, what "
         "was down is started, and the rest waits for the lock",
         false});
  }
  for (const std::size_t i : stop_graph().order) {
    const ServiceView& view = views_[i];
    if (view.present == nullptr || view.stopped) continue;
    if (view.future != nullptr && view.future->IsUp()) continue;
    if (view.future != nullptr && !view.is_new && NeedsStart(view)) continue;  // That one starts.
    if (!view.ShouldRun() && view.target != nullptr && view.present->commit == facts_.to())
      continue;
    // Its successor was committed: what is left of it only waits to be removed.
    const bool committed = facts_.record.committed == facts_.to();
    if (committed &&
        (view.present->commit != facts_.to() || (view.future != nullptr && !NeedsStart(view)))) {
      continue;
    }
    if (view.present->start_failed ||
        !WantsStart(facts_, *view.present, OriginalPolicy(*view.present, context_.observed))) {
      continue;
    }
    // What takes its place can start at once.
    if (!gated_ || (!held_ && prepared_.empty())) continue;
    if (!CouldStart(*view.present)) continue;
    const ServiceSpec* spec = facts_.SpecOf(*view.present);
    const bool shares = spec != nullptr && !SharedServicesOf(*spec).empty();
    const bool with_old =
        cut_off ? !new_runs || (view.future == nullptr && !shares)
                : !CutoverBegun() && !has_span_ &&
                      (view.target != nullptr || facts_.record.committed != facts_.to());
    if (!with_old) continue;
    StepIndices after;
    for (const DependencyEdge& edge : stop_graph().edges[i]) {
      if (work_[edge.on].old_start) after.push_back(*work_[edge.on].old_start);
    }
    StartAgain(i, *view.present, std::move(after));
  }
  // The gate waits for these, so that all that runs then is known and stopped; no span does.
  Append(prepared_, span_starts_);
  span_starts_.clear();
}

void AppPlanner::TakeLocks() {
  if (!gated_) return;
  if (has_span_) {
    gate_ = prepared_;  // Nothing is interrupted before its successor is ready, in any span.
    return;
  }
  gate_ = {
      steps_.Add(StepKind::kTakeLocks, Phase::kCutover, "", "", prepared_, forced_ ? "force" : "")};
  if (forced_) DeleteLocks();
}

// The locks that force runs over: those of services that are interrupted. The lasting override
// leaves none.
void AppPlanner::DeleteLocks() {
  const StepIndices take = gate_;
  for (const LockHolder& holder : plan_.holders) {
    const ServiceView& view = views_[*FindView(views_, holder.service)];
    const bool interrupted =
        IsInterrupted(view) || (going_back_ && view.future != nullptr && view.future->IsUp());
    if (!interrupted && !context_.override_locks) continue;
    gate_.push_back(
        steps_.Add(StepKind::kDeleteLock, Phase::kCutover, holder.service, holder.path, take));
  }
}

void AppPlanner::StopOld() {
  dependents_stopped_.resize(views_.size());
  if (!changed_) return SetAsideWhatIsDown();
  StopWave(true, gate_);
  late_pulls_ = DownloadLate();
  StepIndices gate = gate_;
  Append(gate, late_pulls_);
  StopWave(false, gate);
  // Who restarts with a hand-over is stopped before its new container starts: once that runs,
  // nothing tells that they have to be.
  for (std::size_t i = 0; i < views_.size(); ++i) {
    if (!Restarts(views_[i])) continue;
    for (const DependencyEdge& edge : start_graph_.edges[i]) {
      if (work_[edge.on].hand_over) Append(work_[edge.on].before_start, work_[i].stops);
    }
  }
}

// Nothing is stopped, but an old container must not come back beside what starts.
void AppPlanner::SetAsideWhatIsDown() {
  for (std::size_t i = 0; i < views_.size(); ++i) {
    if (!WillStart(views_[i])) continue;
    std::vector<const ObservedContainer*> old = views_[i].left_over;
    if (views_[i].present != nullptr) old.push_back(views_[i].present);
    for (const ObservedContainer* container : old) {
      if (const auto aside = SetAside(i, *container, {})) work_[i].before_start.push_back(*aside);
    }
  }
}

// Dependents before dependencies: who waits for whom is found from the far end.
void AppPlanner::StopWave(bool first, const StepIndices& gate) {
  std::vector<bool> passed(views_.size(), false);
  for (auto it = stop_graph().order.rbegin(); it != stop_graph().order.rend(); ++it) {
    const std::size_t i = *it;
    if (work_[i].first_wave != first) continue;
    const ServiceView& view = views_[i];
    StepIndices& dependents = dependents_stopped_[i];
    SortUnique(dependents);
    StepIndices after = gate;
    Append(after, dependents);
    // The old one of a hand-over stops later, and not before what it depends on.
    if (view.present != nullptr && !work_[i].hand_over) Stop(i, *view.present, after);
    for (const ObservedContainer* container : view.left_over) Stop(i, *container, after);
    if (view.future != nullptr && (!view.ShouldRun() || Restarts(view))) {
      Stop(i, *view.future, after);
    }
    passed[i] = true;
    const StepIndices& stops = work_[i].stops;
    for (const DependencyEdge& edge : stop_graph().edges[i]) {
      if (passed[edge.on]) continue;  // An edge of a cycle.
      Append(dependents_stopped_[edge.on], stops.empty() ? dependents : stops);
    }
  }
}

void AppPlanner::Stop(std::size_t i, const ObservedContainer& container, const StepIndices& after) {
  const ServiceView& view = views_[i];
  StepIndices down = after;
  const bool started = work_[i].old_start && &container == view.present;
  if (container.IsUp() || started) {
    const StepIndex stop = AddStop(i, container, after);
    work_[i].before_start.push_back(stop);
    down = {stop};
    if (&container != view.future) Free(container, stop);
  } else if (&container != view.present || !work_[i].start_gated) {
    down.clear();  // What does not run, and is not to, can be set aside at any time.
  }
  // What is removed at once cannot come back.
  const bool stays = &container != view.future && !work_[i].removed_early;
  if (!stays) return;
  if (const auto aside = SetAside(i, container, std::move(down))) {
    work_[i].before_start.push_back(*aside);
  }
}

// Remembers what only one container can have, for whoever takes it next.
void AppPlanner::Free(const ObservedContainer& container, StepIndex stop) {
  const ServiceSpec* spec = facts_.SpecOf(container);
  if (spec == nullptr) return;
  for (std::string& claim : ClaimsOf(*spec)) freed_[std::move(claim)].push_back(stop);
}

// The stops that free what only one container can have and the new one of view `i` needs.
StepIndices AppPlanner::FreeOf(std::size_t i) const {
  StepIndices stops;
  if (freed_.empty()) return stops;
  for (const std::string& claim : ClaimsOf(views_[i].target->spec)) {
    if (const auto it = freed_.find(claim); it != freed_.end()) Append(stops, it->second);
  }
  return stops;
}

StepIndex AppPlanner::AddStop(std::size_t i, const ObservedContainer& container, StepIndices after,
                              std::string_view detail) {
  const StepIndex stop = steps_.Add(StepKind::kStopContainer, Phase::kCutover, views_[i].name,
                                    container.id, std::move(after), detail);
  steps_[stop].disruptive = true;
  steps_[stop].why = views_[i].why;
  stopped_.push_back(stop);
  work_[i].stops.push_back(stop);
  return stop;
}

// Keeps the engine from reviving an old container beside its successor after a power cut.
std::optional<StepIndex> AppPlanner::SetAside(std::size_t i, const ObservedContainer& container,
                                              StepIndices after) {
  if (container.state == ContainerState::kCreated || container.state == ContainerState::kDead) {
    return std::nullopt;
  }
  const std::string original = OriginalPolicy(container, context_.observed);
  const bool restored =
      work_[i].old_start && all_steps_[*work_[i].old_start].subject == container.id;
  const std::string policy = restored ? original : container.restart_policy.value_or(original);
  if (policy == "no" || !set_aside_.insert(&container).second) return std::nullopt;
  return steps_.Add(StepKind::kUpdateContainer, Phase::kCutover, views_[i].name, container.id,
                    std::move(after), "no");
}

// False where the dependency is met as things are: no step of this plan is to be waited for.
bool AppPlanner::WaitsFor(const DependencyEdge& edge) const {
  const ServiceView& on = views_[edge.on];
  // One that is not to run would be waited for in vain.
  if (edge.condition == DependencyCondition::kStarted || !on.ShouldRun()) return false;
  if (on.future == nullptr || WillStart(on)) return true;
  // One whose time ran out counts as settled: a release goes on without it, and says so.
  if (on.future->settled) return false;
  if (edge.condition == DependencyCondition::kCompletedSuccessfully) {
    return on.future->state != ContainerState::kExited || on.future->exit_code != 0;
  }
  return on.future->health != Health::kHealthy;
}

void AppPlanner::StartNew() {
  for (const std::size_t i : start_graph_.order) {
    Work& work = work_[i];
    // It cannot start while another container has what it needs.
    work.start_gated |= gated_ && WillStart(views_[i]) && !FreeOf(i).empty();
    FindLateness(i);
    if (!WillStart(views_[i])) {
      // Whoever depends on this one waits for what this one would have waited for.
      for (const DependencyEdge& edge : start_graph_.edges[i]) {
        Append(work.started, work_[edge.on].started);
      }
      SortUnique(work.started);
    } else if (!work.late) {
      Start(i);
    }
  }
}

// One that runs on waits for nothing itself, but passes on what comes late.
void AppPlanner::FindLateness(std::size_t i) {
  Work& work = work_[i];
  if (work.in_span) return;
  const bool starts = WillStart(views_[i]);
  for (const DependencyEdge& edge : start_graph_.edges[i]) {
    const Work& on = work_[edge.on];
    const bool waits = starts && WaitsFor(edge);
    work.late |= on.late || waits;
    if (WillStart(views_[edge.on]) && on.start_gated) continue;
    work.late_free |= on.late_free || (waits && !on.start_gated);
  }
  if (!starts) return;
  if (!work.start_gated) work.late = work.late_free;
  work.late_free = work.late;
}

// The starts, and the waits for health, of what view `i` depends on. One that needs no lock does
// not wait for one that does: what it depends on runs in its old container until then.
StepIndices AppPlanner::StartsBefore(std::size_t i, bool gated) {
  StepIndices after;
  for (const DependencyEdge& edge : start_graph_.edges[i]) {
    for (const StepIndex start : work_[edge.on].started) {
      if (gated || gated_starts_.count(start) == 0) after.push_back(start);
    }
    if (WaitsFor(edge) && (gated || !work_[edge.on].start_gated)) {
      after.push_back(Await(edge.on, edge.condition, work_[i].in_span));
    }
  }
  return after;
}

void AppPlanner::Start(std::size_t i) {
  const ServiceView& view = views_[i];
  Work& work = work_[i];
  const bool gated = work.start_gated;
  StepIndices after = StartsBefore(i, gated);
  if (gated) Append(after, gate_);
  Append(after, work.before_start);
  if (view.future != nullptr) Restore(view, *view.future, after);
  if (work.create) after.push_back(*work.create);
  Append(after, FreeOf(i));
  if (work.hand_over) Append(after, late_pulls_);
  const StepIndex start =
      steps_.Add(StepKind::kStartContainer, Phase::kCutover, view.name, StartSubject(view),
                 std::move(after), work.hand_over ? "hand-over" : "");
  if (view.change == ServiceChange::kStart) steps_[start].why = view.why;
  work.started = {start};
  if (gated) gated_starts_.insert(start);
  const bool of_release = gated || (changed_ && (view.is_new || view.future == nullptr));
  if (work.late) {
    if (gated) Append(steps_[start].after, released_);
    late_starts_.push_back(start);
  } else {
    (of_release ? span_starts_ : free_starts_).push_back(start);
  }
}

StepIndex AppPlanner::Await(std::size_t i, DependencyCondition condition, bool in_span) {
  Work& work = work_[i];
  const bool completed = condition == DependencyCondition::kCompletedSuccessfully;
  std::optional<StepIndex>& await = completed ? work.completed : work.settled;
  if (!await) {
    // Of one that runs on, what it depends on itself is no concern.
    await = steps_.Add(StepKind::kAwaitHealth, in_span ? Phase::kCutover : Phase::kSettle,
                       views_[i].name, StartSubject(views_[i]),
                       WillStart(views_[i]) ? work.started : StepIndices{},
                       completed ? "completed" : "");
  }
  return *await;
}

void AppPlanner::ReleaseLocks() {
  if (gate_.empty() && !has_span_) return;
  StepIndices after = gate_;
  Append(after, stopped_);
  Append(after, span_work_);
  for (const Work& work : work_) Append(after, work.before_start);
  Append(after, span_starts_);
  released_ = {steps_.Add(StepKind::kReleaseLocks, Phase::kCutover, "", "", std::move(after))};
}

void AppPlanner::StartLate() {
  for (const std::size_t i : start_graph_.order) {
    Work& work = work_[i];
    if (!work.late) continue;
    if (WillStart(views_[i])) {
      Start(i);
    } else {
      for (const DependencyEdge& edge : start_graph_.edges[i]) {
        Append(work.started, work_[edge.on].started);
      }
    }
  }
}

}  // namespace lockstep
