// The way back from a cutover that failed: what is new stops, what is old starts, and the release
// it came from is committed again. In the span, like the way forward.
#include <algorithm>
#include <utility>

#include "app_planner.h"

namespace lockstep {
namespace {

Reason Failed() { return {ReasonCode::kReleaseFailed, "", {}, {}}; }

}  // namespace

// What ran before may have other old ones beside it.
bool AppPlanner::MadeForThis(const ServiceView& view) const {
  if (view.future == nullptr) return false;
  const auto& committed = facts_.record.committed;
  const bool ran_before = view.future->commit == committed && committed != facts_.to();
  if (view.is_new || (view.present != nullptr && !ran_before)) return true;
  // The releases may differ in nothing but their name.
  return view.future->commit == facts_.to() &&
         std::any_of(view.left_over.begin(), view.left_over.end(), [&](const auto* old) {
           return committed != facts_.to() && old->commit == committed &&
                  WasInterrupted(facts_, *old);
         });
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
  // Before the commit: after it nothing would tell them from what the next try makes.
  StepIndices ended = after;
  for (const ServiceView& view : views_) {
    for (const ObservedContainer* container : AllOf(view)) {
      const bool made = container == view.future || !MadeForThis(view);
      if (!made || !GoesAgain(view, *container)) continue;
      ended.push_back(RemoveContainer(view, *container, Phase::kCleanup, after));
    }
  }
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
         container.commit == facts_.to();
}

// True where this container of the service runs and is stopped.
bool AppPlanner::StopsBack(const ServiceView& view, const ObservedContainer* container) const {
  if (container == nullptr || !container->IsUp()) return false;
  return GoesAgain(view, *container) || IsOnRestored(*container);
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

// What ran before, and what was stopped with it, one after another: a way back need not be fast.
void AppPlanner::StartOld(const StepIndices& down) {
  const DependencyGraph graph =
      StopGraph(facts_, views_, [](const ServiceView& view) { return view.present; });
  StepIndices before = down;
  for (const std::size_t i : graph.order) {
    const ServiceView& view = views_[i];
    const bool unchanged = view.future != nullptr && !MadeForThis(view);
    const auto has_run = [&](const ObservedContainer* c) { return WasInterrupted(facts_, *c); };
    const ObservedContainer* old = unchanged ? view.future : view.present;
    if (old != nullptr && !unchanged && GoesAgain(view, *old)) old = nullptr;
    const auto containers = AllOf(view);
    const bool beside = std::any_of(containers.begin(), containers.end(), [&](const auto* c) {
      return c != old && c->IsUp() && !StopsBack(view, c);
    });
    if (beside) continue;
    // The releases may differ in nothing but their name.
    const auto same = std::find_if(view.left_over.begin(), view.left_over.end(), has_run);
    if (old == nullptr && same != view.left_over.end()) old = *same;
    if (old == nullptr || view.stopped || old->state == ContainerState::kCreated) continue;
    const std::string policy = OriginalPolicy(*old, context_.observed);
    const bool stops = old->IsUp() && IsOnRestored(*old);
    if (unchanged && !view.ShouldRun() && !has_run(old) && !stops) continue;
    if (old->IsUp() && !stops) {
      // Its successor never took over, but its restart policy may be set aside.
      if (!old->restart_policy || *old->restart_policy == policy) continue;
      before = {steps_.Add(StepKind::kUpdateContainer, Phase::kCutover, view.name, old->id, before,
                           policy)};
      span_starts_.push_back(before.front());
    } else if ((stops || (!old->start_failed && WantsStart(facts_, *old, policy))) &&
               CouldStart(*old)) {
      StartAgain(i, *old, before);
      before = {span_starts_.back()};
    }
  }
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
