// The way back from a cutover that failed: what is new stops, what is old starts, and the release
// it came from is committed again. In the span, like the way forward.
#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "app_planner.h"

namespace lockstep {
namespace {

Reason Failed() { return {ReasonCode::kReleaseFailed, "", {}, {}}; }

}  // namespace

// What ran before may have other old ones beside it.
bool AppPlanner::MadeForThis(const ServiceView& view) const {
  if (view.future == nullptr || WasRenamed(facts_, *view.future)) return false;
  const auto& committed = facts_.record.committed;
  const bool ran_before = view.future->commit == committed && committed != facts_.to();
  if (view.is_new || (view.present != nullptr && !ran_before)) return true;
  // What it took over has its name in the record.
  return view.future->commit == facts_.to() && committed != facts_.to();
}

// Whether the app could go back once this release runs, or why not.
void AppPlanner::FindWayBack() {
  std::string& why = plan_.no_way_back;
  const AppRecord& record = facts_.record;
  if (!plan_.from) {
    why = "no release ran before it";
  } else if (record.committed == facts_.to()) {
    why = "the release before is the same one, with another configuration";
  } else if (!plan_.way_back) {
    why = "an old container is gone, or goes before the new one is made";
  }
  if (!why.empty() || facts_.HasFailed()) return;
  const auto ran_before = [&](const ServiceView& view) {
    return view.present != nullptr || (view.future != nullptr && !MadeForThis(view));
  };
  if (std::none_of(views_.begin(), views_.end(), ran_before)) {
    why = "no container of the release before is here";
    return;
  }
  std::set<std::string_view> here;
  for (const ObservedContainer* container : facts_.containers) {
    const bool dead = container->state == ContainerState::kDead;
    if (!dead && !record.interrupted.empty()) here.insert(container->id);
    if (dead && container->commit == record.committed) {
      why = "the old container of " + container->service + " is dead";
    }
  }
  for (const std::string& id : record.interrupted) {
    if (here.count(id) == 0) why = "container " + id.substr(0, 12) + ", which ran before, is gone";
  }
  if (context_.options.self.empty()) return;
  FindTiedBack();
  if (StopsItself()) why = "it would stop the container that Lockstep runs in";
}

// True where going back would stop the container that Lockstep itself runs in.
bool AppPlanner::StopsItself() const {
  const std::string& self = context_.options.self;
  return !self.empty() && AnyStopsBack([&](const ObservedContainer& c) { return c.id == self; });
}

// Of what goes on unchanged: what has lost the namespace that it shares, or is to restart with what
// it depends on.
void AppPlanner::FindTiedBack() {
  tied_back_.assign(views_.size(), false);
  for (const std::size_t i : start_graph_.order) {
    const ServiceView& view = views_[i];
    const bool goes_on = view.future != nullptr && view.future->IsUp() && view.ShouldRun() &&
                         !StopsBack(view, view.future);
    if (!goes_on) continue;
    for (const DependencyEdge& edge : start_graph_.edges[i]) {
      const auto containers = AllOf(views_[edge.on]);
      const bool stops =
          std::any_of(containers.begin(), containers.end(),
                      [&](const auto* container) { return StopsBack(views_[edge.on], container); });
      if (stops && (edge.shared || edge.restart)) tied_back_[i] = true;
    }
  }
}

void AppPlanner::GoBack() {
  going_back_ = true;
  gated_ = AnyStopsBack([](const ObservedContainer&) { return true; });
  held_ = gated_ && !has_span_ && !forced_ && !plan_.holders.empty();
  MakeNetworks();
  TakeLocks();
  StopNew();
  StepIndices down = gate_.empty() ? prepared_ : gate_;
  Append(down, stopped_);
  Append(down, span_work_);
  Append(down, RestoreNetworks(down));
  StartOld(down);
  ReleaseLocks();
  StepIndices after = released_;
  Append(after, down);
  Append(after, span_starts_);
  const StepIndices renamed = RenameBack(after);
  // Before the commit: after it nothing would tell them from what the next try makes.
  StepIndices ended = after;
  for (const ServiceView& view : views_) {
    for (const ObservedContainer* container : AllOf(view)) {
      const bool of_failed = container->commit == facts_.to() &&
                             facts_.record.committed != facts_.to() &&
                             !WasRenamed(facts_, *container);
      const bool made = container == view.future || of_failed || !MadeForThis(view);
      if (!made || !GoesAgain(view, *container)) continue;
      ended.push_back(RemoveContainer(view, *container, Phase::kCleanup, after));
    }
  }
  Append(ended, renamed);
  const StepIndex commit = steps_.Add(StepKind::kCommitRelease, Phase::kSettle, "",
                                      facts_.record.committed.value_or(""), ended, "back");
  steps_[commit].why = {Failed()};
}

// What the failed release made, and whatever else is in the way of what ran before.
bool AppPlanner::GoesAgain(const ServiceView& view, const ObservedContainer& container) const {
  if (MadeForThis(view) && &container != view.present) {
    const bool ran = view.present == nullptr && &container != view.future;
    return !ran || !WasInterrupted(facts_, container);
  }
  // The target may have changed since.
  return &container != view.future && facts_.record.committed != facts_.to() &&
         container.commit == facts_.to() && !WasRenamed(facts_, container);
}

// True where this container of the service runs and is stopped.
bool AppPlanner::StopsBack(const ServiceView& view, const ObservedContainer* container) const {
  if (container == nullptr || !container->IsUp()) return false;
  const bool tied = container == view.future && !tied_back_.empty() && tied_back_[IndexOf(view)];
  return tied || GoesAgain(view, *container) || IsOnRestored(*container);
}

bool AppPlanner::AnyStopsBack(const std::function<bool(const ObservedContainer&)>& counts) const {
  return std::any_of(views_.begin(), views_.end(), [&](const ServiceView& view) {
    const auto containers = AllOf(view);
    return std::any_of(containers.begin(), containers.end(), [&](const auto* container) {
      return StopsBack(view, container) && counts(*container);
    });
  });
}

bool AppPlanner::IsOnRestored(const ObservedContainer& container) const {
  return std::any_of(facts_.record.networks.begin(), facts_.record.networks.end(),
                     [&](const auto& network) {
                       const ObservedNetwork* there = facts_.FindNetwork(network.first);
                       return there != nullptr && !(there->config == network.second) &&
                              IsAttached(facts_, container, network.first);
                     });
}

// Dependents before dependencies. What is new is set aside too: it must not come back beside what
// starts in its place.
void AppPlanner::StopNew() {
  dependents_stopped_.resize(views_.size());
  const DependencyGraph graph = StopGraph(facts_, views_, [](const ServiceView& view) {
    return view.future != nullptr && view.future->IsUp() ? nullptr : view.present;
  });
  std::vector<bool> passed(views_.size(), false);
  for (auto it = graph.order.rbegin(); it != graph.order.rend(); ++it) {
    const std::size_t i = *it;
    const ServiceView& view = views_[i];
    StepIndices after = gate_;
    Append(after, dependents_stopped_[i]);
    const auto containers = AllOf(view);
    for (const ObservedContainer* container : containers) {
      if (StopsBack(view, container))
        steps_[AddStop(i, *container, after, "back")].why = {Failed()};
    }
    StepIndices down = gate_;
    Append(down, work_[i].stops);
    for (const ObservedContainer* container : containers) {
      const bool left_over = container != view.present && container != view.future;
      const bool extra = left_over && StopsBack(view, container);
      if (!extra && !GoesAgain(view, *container)) continue;
      if (const auto aside = SetAside(i, *container, down)) span_work_.push_back(*aside);
    }
    passed[i] = true;
    const StepIndices& before = work_[i].stops.empty() ? dependents_stopped_[i] : work_[i].stops;
    for (const DependencyEdge& edge : graph.edges[i]) {
      if (!passed[edge.on]) Append(dependents_stopped_[edge.on], before);
    }
  }
}

// What ran before, and what was stopped with it, each after what it depends on.
void AppPlanner::StartOld(const StepIndices& down) {
  const DependencyGraph graph =
      StopGraph(facts_, views_, [](const ServiceView& view) { return view.present; });
  std::vector<StepIndices> started(views_.size());  // To wait for, for whoever depends on it.
  for (const std::size_t i : graph.order) {
    StepIndices after = down;
    for (const DependencyEdge& edge : graph.edges[i]) Append(after, started[edge.on]);
    SortUnique(after);
    started[i] = StartBack(i, after);
    // Whoever depends on this one waits for what this one would have waited for.
    if (started[i].empty()) started[i] = std::move(after);
  }
}

// Starts what ran of view `i`, or makes it what it was; empty where nothing is to be done.
StepIndices AppPlanner::StartBack(std::size_t i, const StepIndices& after) {
  const ServiceView& view = views_[i];
  const bool unchanged = view.future != nullptr && !MadeForThis(view);
  const auto has_run = [&](const ObservedContainer* c) { return WasInterrupted(facts_, *c); };
  const ObservedContainer* old = unchanged ? view.future : view.present;
  if (old != nullptr && !unchanged && GoesAgain(view, *old)) old = nullptr;
  const auto containers = AllOf(view);
  const bool beside = std::any_of(containers.begin(), containers.end(), [&](const auto* c) {
    return c != old && c->IsUp() && !StopsBack(view, c);
  });
  if (beside) return {};
  // The releases may differ in nothing but their name.
  const auto same = std::find_if(view.left_over.begin(), view.left_over.end(), has_run);
  if (old == nullptr && same != view.left_over.end()) old = *same;
  if (old == nullptr || view.stopped || old->state == ContainerState::kCreated) return {};
  const std::string policy = OriginalPolicy(*old, context_.observed);
  const bool stops = StopsBack(view, old);
  if (unchanged && !view.ShouldRun() && !has_run(old) && !stops) return {};
  if (old->IsUp() && !stops) {
    // Its successor never took over, but its restart policy may be set aside.
    if (!old->restart_policy || *old->restart_policy == policy) return {};
    span_starts_.push_back(
        steps_.Add(StepKind::kUpdateContainer, Phase::kCutover, view.name, old->id, after, policy));
    return {span_starts_.back()};
  }
  const bool starts = stops || (!old->start_failed && WantsStart(facts_, *old, policy));
  if (!starts || !CouldStart(*old)) return {};
  StartAgain(i, *old, after);
  return {span_starts_.back()};
}

// What the cutover took over has the name it had: it is of the release before, for whoever looks.
StepIndices AppPlanner::RenameBack(const StepIndices& after) {
  StepIndices renamed;
  for (const ServiceView& view : views_) {
    for (const ObservedContainer* container : AllOf(view)) {
      const auto before = facts_.record.renamed.find(container->id);
      if (before == facts_.record.renamed.end() || before->second == container->name) continue;
      if (context_.FindByName(before->second) != nullptr) continue;
      renamed.push_back(steps_.Add(StepKind::kRenameContainer, Phase::kCutover, view.name,
                                   container->id, after, before->second));
    }
  }
  return renamed;
}

// Networks that the cutover remade, as they were.
StepIndices AppPlanner::RestoreNetworks(const StepIndices& after) {
  StepIndices made;
  for (const auto& [name, config] : facts_.record.networks) {
    const ObservedNetwork* there = facts_.FindNetwork(name);
    if (there != nullptr && there->config == config) continue;
    StepIndices before = after;
    if (there != nullptr) {
      before = {steps_.Add(StepKind::kRemoveNetwork, Phase::kCutover, "", name, after, "back")};
    }
    const StepIndex create =
        steps_.Add(StepKind::kCreateNetwork, Phase::kCutover, "", name, std::move(before), "back");
    networks_made_[name] = create;
    made.push_back(create);
  }
  return made;
}

}  // namespace lockstep
