// The middle of an app's plan: the gate, stopping the old and starting the new, and giving the
// locks back.
#include <algorithm>
#include <utility>

#include "app_planner.h"
#include "claims.h"

namespace lockstep {

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
  for (std::size_t i = 0; i < views_.size(); ++i) {
    if (const auto aside = SetAsideForGood(i, {})) work_[i].before_start.push_back(*aside);
  }
}

// What a person stopped must not come back with its engine. Where no list tells the policy, it was
// set aside when it was stopped.
std::optional<StepIndex> AppPlanner::SetAsideForGood(std::size_t i, StepIndices after) {
  const ServiceView& view = views_[i];
  if (!view.stopped || view.target == nullptr || view.future == nullptr) return std::nullopt;
  const ObservedContainer& container = *view.future;
  const bool stops = !work_[i].stops.empty() || WasInterrupted(facts_, container);
  if (!stops && !container.restart_policy) return std::nullopt;
  return SetAside(i, container, std::move(after));
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
  // What is removed at once cannot come back, and what restarts is to.
  if (work_[i].removed_early) return;
  const auto aside = &container == view.future ? SetAsideForGood(i, std::move(down))
                                               : SetAside(i, container, std::move(down));
  if (aside) work_[i].before_start.push_back(*aside);
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
