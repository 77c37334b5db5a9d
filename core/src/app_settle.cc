// The end of an app's plan: renaming, settling, committing and cleaning up; and the way back.
#include <algorithm>
#include <map>
#include <utility>

#include "app_planner.h"

namespace lockstep {
void AppPlanner::Rename() {
  if (facts_.release() == nullptr) return;
  for (ServiceView& view : views_) {
    if (view.future == nullptr || view.target == nullptr) continue;
    const std::string name = FinalName(*facts_.release(), *view.target);
    // A taken name becomes free, if ever, in clean-up.
    if (context_.names.count(name) != 0) continue;
    StepIndices after = released_;
    Append(after, late_starts_);
    const StepIndex rename = steps_.Add(StepKind::kRenameContainer, Phase::kCutover, view.name,
                                        view.future->id, std::move(after), name);
    steps_[rename].why = view.why;
    before_commit_.push_back(rename);
  }
}

void AppPlanner::Settle() {
  const bool gone = facts_.release() == nullptr;
  const bool known =
      gone ? facts_.record.committed.value_or("").empty() : facts_.record.committed == facts_.to();
  const bool commit = changed_ || !known || facts_.record.cutover.has_value();
  if (!commit) return;
  StepIndices after = before_commit_;
  Append(after, prepared_);
  Append(after, released_);
  Append(after, span_starts_);
  Append(after, late_starts_);
  for (std::size_t i = 0; i < views_.size(); ++i) {
    const ServiceView& view = views_[i];
    if (!view.ShouldRun()) continue;
    const bool unproven = view.future == nullptr ? work_[i].create.has_value() : view.is_new;
    if (!unproven) continue;
    const StepIndex await = Await(i, DependencyCondition::kStarted);
    if (!work_[i].late) Append(steps_[await].after, released_);
    after.push_back(await);
  }
  committed_ = {
      steps_.Add(StepKind::kCommitRelease, Phase::kSettle, "", facts_.to(), std::move(after))};
}

void AppPlanner::CleanUp() {
  RemoveContainers();
  RemoveImages();
  RemoveNetworks();
}

void AppPlanner::RemoveContainers() {
  for (std::size_t i = 0; i < views_.size(); ++i) {
    const ServiceView& view = views_[i];
    std::vector<const ObservedContainer*> old = view.left_over;
    if (view.present != nullptr) old.push_back(view.present);
    StepIndices mine;
    for (const ObservedContainer* container : old) {
      const StepIndex remove =
          steps_.Add(StepKind::kRemoveContainer, Phase::kCleanup, view.name, container->id,
                     committed_.empty() ? work_[i].before_start : committed_);
      if (view.target == nullptr) steps_[remove].why = view.why;
      removed_.emplace_back(container, remove);
      mine.push_back(remove);
    }
    if (mine.empty() || view.future == nullptr) continue;
    // Its name is free now.
    const std::string name = FinalName(*facts_.release(), *view.target);
    const auto holder = context_.names.find(name);
    if (view.future->name != name && holder != context_.names.end() &&
        std::find(old.begin(), old.end(), holder->second) != old.end()) {
      steps_.Add(StepKind::kRenameContainer, Phase::kCleanup, view.name, view.future->id, mine,
                 name);
    }
  }
}

// Images that only containers of the past used and no target asks for.
void AppPlanner::RemoveImages() {
  std::map<std::string_view, StepIndices> users;  // By image id.
  for (const std::string& image : facts_.record.retired) users[image];
  for (const auto& [container, removal] : removed_) users[container->image_id].push_back(removal);
  for (const auto& [image, removals] : users) {
    const auto all = context_.image_users.find(image);
    const bool others = all != context_.image_users.end() &&
                        static_cast<std::size_t>(all->second) > removals.size();
    if (others || context_.images_here.count(image) == 0 ||
        context_.images_wanted.count(image) != 0) {
      continue;
    }
    steps_.Add(StepKind::kRemoveImage, Phase::kCleanup, "", image, removals);
  }
}

void AppPlanner::RemoveNetworks() {
  for (const ObservedNetwork* network : facts_.networks) {
    if (facts_.release() != nullptr && facts_.release()->networks.count(network->name) != 0) {
      continue;
    }
    StepIndices after = committed_;
    for (const auto& [container, removal] : removed_) after.push_back(removal);
    steps_.Add(StepKind::kRemoveNetwork, Phase::kCleanup, "", network->name, std::move(after));
  }
}

// A cutover that failed: what is new stops, what is old starts, and the release it came from is
// committed again. In the span, like the way forward.
void AppPlanner::GoBack() {
  const auto is_new = [](const ServiceView& view) {
    return view.future != nullptr && (view.is_new || view.present != nullptr);
  };
  const bool stops = std::any_of(views_.begin(), views_.end(), [&](const ServiceView& view) {
    return is_new(view) && view.future->IsUp();
  });
  names_to_create_.resize(views_.size());
  gated_ = stops;
  held_ = stops && !has_span_ && !forced_ && !plan_.holders.empty();
  TakeLocks();
  const Reason why{.code = ReasonCode::kReleaseFailed, .field = "", .from = {}, .to = {}};
  StepIndices down = gate_;
  for (auto it = start_graph_.order.rbegin(); it != start_graph_.order.rend(); ++it) {
    ServiceView& view = views_[*it];
    if (!is_new(view) || !view.future->IsUp()) continue;
    const StepIndex stop = steps_.Add(StepKind::kStopContainer, Phase::kCutover, view.name,
                                      view.future->id, gate_, "back");
    steps_[stop].disruptive = true;
    steps_[stop].why = {why};
    down.push_back(stop);
  }
  StepIndices before = down;
  for (const std::size_t i : StopGraph(views_).order) {
    const ServiceView& view = views_[i];
    if (view.present == nullptr || view.stopped || view.present->IsUp() ||
        !WantsStart(*view.present, OriginalPolicy(*view.present, context_.observed))) {
      continue;
    }
    StartPresent(i, before);
    before = {span_starts_.back()};  // One after another: a way back need not be fast.
  }
  work_.assign(views_.size(), Work{});
  stopped_ = down;
  ReleaseLocks();
  StepIndices after = released_;
  Append(after, down);
  Append(after, span_starts_);
  // Before the commit: after it nothing would tell them from what the next try makes.
  StepIndices ended = after;
  for (const ServiceView& view : views_) {
    if (!is_new(view)) continue;
    ended.push_back(
        steps_.Add(StepKind::kRemoveContainer, Phase::kCleanup, view.name, view.future->id, after));
  }
  const StepIndex commit = steps_.Add(StepKind::kCommitRelease, Phase::kSettle, "",
                                      facts_.record.committed.value_or(""), ended, "back");
  steps_[commit].why = {why};
}

}  // namespace lockstep
