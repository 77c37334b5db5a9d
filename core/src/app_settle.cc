// The end of an app's plan: renaming, settling, committing and cleaning up.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "app_planner.h"

namespace lockstep {

void AppPlanner::Rename() {
  if (facts_.release() == nullptr) return;
  // After the last start; those of the span are behind its end.
  StepIndices started = released_.empty() ? span_starts_ : released_;
  Append(started, late_starts_);
  Append(started, free_starts_);
  for (ServiceView& view : views_) {
    if (view.future == nullptr || view.target == nullptr) continue;
    const bool claimed =
        view.future->state == ContainerState::kCreated && view.future->commit != facts_.to();
    if (claimed) continue;  // Named before it runs.
    std::string name = FinalName(*facts_.release(), *view.target);
    if (view.future->name == name) continue;
    if (const ObservedContainer* holder = context_.FindByName(name)) {
      // One of the app's own becomes free in clean-up; a stranger's never does.
      const bool named = view.future->commit == facts_.to();
      if (named || holder->owned) continue;
      name = NameToCreate(view);
    }
    if (view.change == ServiceChange::kNone) {
      view.change = ServiceChange::kRename;
      view.why.push_back({ReasonCode::kNameChanged, "name", view.future->name, name});
    }
    const StepIndex rename = steps_.Add(StepKind::kRenameContainer, Phase::kCutover, view.name,
                                        view.future->id, started, name);
    steps_[rename].why = view.why;
    before_commit_.push_back(rename);
  }
}

void AppPlanner::Settle() {
  const bool gone = facts_.release() == nullptr;
  const bool known =
      gone ? facts_.record.committed.value_or("").empty() : facts_.record.committed == facts_.to();
  const bool begun = facts_.record.cutover || !facts_.record.interrupted.empty() ||
                     !facts_.record.renamed.empty();
  const bool commit = changed_ || !known || begun;
  if (!commit) return;
  StepIndices after = before_commit_;
  Append(after, prepared_);
  Append(after, released_);
  Append(after, span_starts_);
  Append(after, late_starts_);
  Append(after, free_starts_);
  for (const Work& work : work_) Append(after, work.before_start);
  for (std::size_t i = 0; i < views_.size(); ++i) {
    const ServiceView& view = views_[i];
    if (!view.ShouldRun()) continue;
    const bool unproven = view.future == nullptr ? work_[i].create.has_value() : view.is_new;
    if (!unproven) continue;
    const StepIndex await = Await(i, DependencyCondition::kStarted, false);
    // One that is waited for inside the span is done by then.
    if (!work_[i].late && steps_[await].phase == Phase::kSettle) {
      Append(steps_[await].after, released_);
    }
    after.push_back(await);
  }
  committed_ = {
      steps_.Add(StepKind::kCommitRelease, Phase::kSettle, "", facts_.to(), std::move(after))};
}

void AppPlanner::CleanUp() {
  RemoveContainers();
  RemoveImages();
  RemoveNetworks();
  if (removes_) ForgetApp();
}

// Not before: whoever comes after a crash is to know that it goes.
void AppPlanner::ForgetApp() {
  StepIndices after = released_;
  for (std::size_t i = first_step_; i < all_steps_.size(); ++i) {
    after.push_back(static_cast<StepIndex>(i));
  }
  steps_.Add(StepKind::kCommitRelease, Phase::kCleanup, "", "", std::move(after), kForgetApp);
}

void AppPlanner::RemoveContainers() {
  std::set<const ObservedContainer*> gone;  // In the span already.
  for (const auto& [container, removal] : removed_) gone.insert(container);
  for (std::size_t i = 0; i < views_.size(); ++i) {
    const ServiceView& view = views_[i];
    std::vector<const ObservedContainer*> old = view.left_over;
    if (view.present != nullptr) old.push_back(view.present);
    StepIndices mine;
    for (const ObservedContainer* container : old) {
      if (gone.count(container) != 0) continue;
      StepIndices after = committed_;
      if (committed_.empty()) {
        after = released_;
        Append(after, work_[i].before_start);
        Append(after, work_[i].stops);
      }
      mine.push_back(RemoveContainer(view, *container, Phase::kCleanup, std::move(after)));
    }
    if (mine.empty() || view.future == nullptr) continue;
    // Its name is free now.
    const std::string name = FinalName(*facts_.release(), *view.target);
    if (view.future->name == name) continue;
    const ObservedContainer* holder = context_.FindByName(name);
    if (holder != nullptr && std::find(old.begin(), old.end(), holder) != old.end()) {
      steps_.Add(StepKind::kRenameContainer, Phase::kCleanup, view.name, view.future->id, mine,
                 name);
    }
  }
}

StepIndex AppPlanner::RemoveContainer(const ServiceView& view, const ObservedContainer& container,
                                      Phase phase, StepIndices after) {
  const StepIndex remove =
      steps_.Add(StepKind::kRemoveContainer, phase, view.name, container.id, std::move(after));
  if (view.target == nullptr) steps_[remove].why = view.why;
  removed_.emplace_back(&container, remove);
  return remove;
}

// Images that only containers of the past used and no target asks for.
void AppPlanner::RemoveImages() {
  std::map<std::string_view, StepIndices> users;  // By image id.
  for (const std::string& image : facts_.record.retired) users[image];
  for (const auto& [container, removal] : removed_) users[container->image_id].push_back(removal);
  for (const auto& [image, removals] : users) {
    (void)RemoveImage(image, Phase::kCleanup, removals, removals.size());
  }
}

// None where somebody else uses or wants the image, or its removal is planned already.
std::optional<StepIndex> AppPlanner::RemoveImage(std::string_view image, Phase phase,
                                                 const StepIndices& removals,
                                                 std::size_t users_gone) {
  if (!context_.IsUnneeded(image, users_gone)) return std::nullopt;
  if (!images_removed_.emplace(image).second) return std::nullopt;
  StepIndices after = removals;
  if (phase == Phase::kCleanup) {
    Append(after, committed_);
    // What is on its way may turn out to be this very image; a commit comes after all of it.
    if (committed_.empty()) {
      for (const auto& [reference, pull] : pulls_) after.push_back(pull);
    }
  }
  return steps_.Add(StepKind::kRemoveImage, phase, "", image, std::move(after));
}

void AppPlanner::RemoveNetworks() {
  const ObservedNetwork* last = nullptr;
  for (const ObservedNetwork* network : facts_.networks) {
    // An engine may have two of one name: one after the other.
    const bool again = last != nullptr && last->name == network->name;
    last = network;
    if (again) continue;
    if (facts_.release() != nullptr && facts_.release()->networks.count(network->name) != 0) {
      continue;
    }
    // A container that stays was attached to it by hand.
    const bool in_use = std::any_of(views_.begin(), views_.end(), [&](const ServiceView& view) {
      return view.future != nullptr && view.future->IsUp() && view.ShouldRun() &&
             IsAttached(facts_, *view.future, network->name);
    });
    if (in_use) {
      AddGap("network-in-use",
             network->name + ": it is not in the target, but a container is attached to it", false);
      continue;
    }
    StepIndices after = committed_;
    for (const auto& [container, removal] : removed_) after.push_back(removal);
    steps_.Add(StepKind::kRemoveNetwork, Phase::kCleanup, "", network->name, std::move(after));
  }
}

}  // namespace lockstep
