// The way back from a cutover that failed: what is new stops, what is old starts, and the release
// it came from is committed again. In the span, like the way forward.
#include <algorithm>
#include <utility>

#include "app_planner.h"

namespace lockstep {
namespace {

bool MadeForThis(const ServiceView& view) {
  return view.future != nullptr && (view.is_new || view.present != nullptr);
}

}  // namespace

void AppPlanner::GoBack() {
  const bool stops = std::any_of(views_.begin(), views_.end(), [](const ServiceView& view) {
    return MadeForThis(view) && view.future->IsUp();
  });
  gated_ = stops;
  held_ = stops && !has_span_ && !forced_ && !plan_.holders.empty();
  TakeLocks();
  const Reason why{.code = ReasonCode::kReleaseFailed, .field = "", .from = {}, .to = {}};
  StepIndices down = gate_;
  for (auto it = start_graph_.order.rbegin(); it != start_graph_.order.rend(); ++it) {
    ServiceView& view = views_[*it];
    if (!MadeForThis(view) || !view.future->IsUp()) continue;
    const StepIndex stop = steps_.Add(StepKind::kStopContainer, Phase::kCutover, view.name,
                                      view.future->id, gate_, "back");
    steps_[stop].disruptive = true;
    steps_[stop].why = {why};
    down.push_back(stop);
  }
  Append(down, RestoreNetworks(down));
  StartOld(down);
  stopped_ = down;
  ReleaseLocks();
  StepIndices after = released_;
  Append(after, down);
  Append(after, span_starts_);
  // Before the commit: after it nothing would tell them from what the next try makes.
  StepIndices ended = after;
  for (const ServiceView& view : views_) {
    if (!MadeForThis(view)) continue;
    ended.push_back(RemoveContainer(view, *view.future, Phase::kCleanup, after));
  }
  const StepIndex commit = steps_.Add(StepKind::kCommitRelease, Phase::kSettle, "",
                                      facts_.record.committed.value_or(""), ended, "back");
  steps_[commit].why = {why};
}

// What ran before, and what was stopped with it, one after another: a way back need not be fast.
void AppPlanner::StartOld(const StepIndices& down) {
  StepIndices before = down;
  for (const std::size_t i : stop_graph_.order) {
    const ServiceView& view = views_[i];
    const ObservedContainer* old = MadeForThis(view) ? view.present : view.future;
    if (old == nullptr) old = view.present;
    if (old == nullptr || view.stopped) continue;
    if (old->IsUp()) {  // Its successor never took over, but its restart policy may be set aside.
      const std::string policy = OriginalPolicy(*old, context_.observed);
      if (!old->restart_policy || *old->restart_policy == policy) continue;
      before = {steps_.Add(StepKind::kUpdateContainer, Phase::kCutover, view.name, old->id, before,
                           policy)};
      span_starts_.push_back(before.front());
    } else if (!old->start_failed && WantsStart(*old, OriginalPolicy(*old, context_.observed))) {
      StartAgain(i, *old, before);
      before = {span_starts_.back()};
    }
  }
  work_.assign(views_.size(), Work{});
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
