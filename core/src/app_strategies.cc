// The ways of a service other than download-then-kill (design, section 6).
#include <algorithm>
#include <set>
#include <utility>

#include "app_planner.h"

namespace lockstep {

// A tag that is to be looked up again counts as not here, once for each release; one that must not
// be looked up has to be here.
void AppPlanner::ApplyPullPolicies() {
  const auto& pulled = context_.observed.images_pulled;
  for (std::size_t i = 0; i < views_.size(); ++i) {
    ServiceView& view = views_[i];
    if (view.target == nullptr) continue;
    const std::string& image = view.target->spec.image;
    const bool needed = view.future == nullptr;
    const PullPolicy policy = PullPolicyOf(view.target->spec);
    if (policy == PullPolicy::kNever && needed && !view.image_here) {
      AddGap("image-missing",
             view.name + ": " + image +
                 " is not here, and its pull_policy is never; load it, or change the policy",
             true);
    }
    const bool asks = needed || facts_.record.committed != facts_.to();
    if (policy != PullPolicy::kAlways || !asks) continue;
    work_[i].look_up = !std::binary_search(pulled.begin(), pulled.end(), image);
    view.image_here &= !work_[i].look_up;
  }
}

// What is special about each service, for all that follows.
void AppPlanner::ChooseWays() {
  std::set<std::string> early_images;
  const auto is_remade = [&](const std::string& network) { return IsRemade(facts_, network); };
  for (std::size_t i = 0; i < views_.size(); ++i) {
    const ServiceView& view = views_[i];
    Work& work = work_[i];
    work.removed_early = view.present != nullptr && UsesPurged(facts_, *view.present);
    if (view.target == nullptr) continue;
    const bool to_make = view.future == nullptr;
    const bool kills_first = KillsFirst(view.target->strategy) && to_make &&
                             view.present != nullptr && (view.present->IsUp() || CutoverBegun());
    work.late_download = kills_first && !view.image_here;
    if (to_make && !work.late_download) {
      early_images.insert(NormalizedReference(view.target->spec.image));
    }
    const auto networks = NetworksOf(view.target->spec);
    const bool remade = std::any_of(networks.begin(), networks.end(), is_remade);
    work.late_create = to_make && (remade || !PurgedVolumes(facts_, view.target->spec).empty());
    const bool old_on_remade =
        view.present != nullptr &&
        std::any_of(facts_.networks.begin(), facts_.networks.end(), [&](const auto* network) {
          return is_remade(network->name) && IsAttached(facts_, *view.present, network->name);
        });
    const bool beside = view.present != nullptr && view.present->IsUp() && view.ShouldRun() &&
                        !remade && !old_on_remade && !work.removed_early &&
                        SharedServicesOf(view.target->spec).empty();
    work.hand_over = view.target->strategy == Strategy::kHandOver && beside;
  }
  for (const std::size_t i : start_graph_.order) {
    ServiceView& view = views_[i];
    Work& work = work_[i];
    if (work.removed_early) plan_.way_back = false;
    if (view.target == nullptr) continue;
    // Another service downloads it in advance.
    work.late_download =
        work.late_download && early_images.count(NormalizedReference(view.target->spec.image)) == 0;
    work.removed_early |=
        work.late_download && view.target->strategy == Strategy::kDeleteThenDownload;
    work.late_create |= work.late_download;
    for (const DependencyEdge& edge : start_graph_.edges[i]) {
      work.late_create |= view.future == nullptr && edge.shared && work_[edge.on].late_create;
    }
    // An old container that was deleted, or will be, leaves nothing to go back to.
    const bool deleted = view.target->strategy == Strategy::kDeleteThenDownload &&
                         view.present == nullptr && facts_.record.committed != facts_.to();
    if (work.removed_early || deleted) plan_.way_back = false;
  }
  for (auto it = start_graph_.order.rbegin(); it != start_graph_.order.rend(); ++it) {
    const Work& work = work_[*it];
    if (!work.in_span && !(work.hand_over && NeedsStart(views_[*it]))) continue;
    work_[*it].in_span = true;
    for (const DependencyEdge& edge : start_graph_.edges[*it]) work_[edge.on].in_span = true;
  }
  for (const std::size_t i : stop_graph().order) {
    const auto& edges = stop_graph().edges[i];
    work_[i].first_wave = work_[i].late_download ||
                          std::any_of(edges.begin(), edges.end(),
                                      [&](const auto& edge) { return work_[edge.on].first_wave; });
  }
}

// Before a service is stopped for a download, the registry must answer for what is to come.
void AppPlanner::CheckImages() {
  const auto& answered = context_.observed.images_answered;
  std::set<std::string_view> checked;
  for (std::size_t i = 0; i < views_.size(); ++i) {
    if (!work_[i].late_download || !views_[i].present->IsUp()) continue;
    const std::string& image = views_[i].target->spec.image;
    if (std::binary_search(answered.begin(), answered.end(), image)) continue;
    if (!checked.insert(image).second) continue;
    prepared_.push_back(
        steps_.Add(StepKind::kCheckImage, Phase::kPrepare, views_[i].name, image, {}));
  }
}

// Pulls what has room or quiet only now. Returns the pulls, which the other stops wait for.
StepIndices AppPlanner::DownloadLate() {
  StepIndices pulls;
  for (std::size_t i = 0; i < views_.size(); ++i) {
    if (!work_[i].late_download) continue;
    StepIndices after = gate_;
    Append(after, work_[i].stops);
    if (work_[i].removed_early) Append(after, RemoveEarly(i));
    Pull(i, Phase::kCutover, after);
    pulls.push_back(pulls_.at(NormalizedReference(views_[i].target->spec.image)));
  }
  Append(span_work_, pulls);
  return pulls;
}

// The old containers of view `i`, and for a download their images, before anything new is made.
StepIndices AppPlanner::RemoveEarly(std::size_t i) {
  const ServiceView& view = views_[i];
  std::vector<const ObservedContainer*> old;
  if (work_[i].removed_early) old.push_back(view.present);
  for (const ObservedContainer* container : view.left_over) {
    if (work_[i].late_download || UsesPurged(facts_, *container)) old.push_back(container);
  }
  StepIndices after = gate_;
  Append(after, work_[i].stops);
  StepIndices removals;
  for (const ObservedContainer* container : old) {
    const StepIndex removal = RemoveContainer(view, *container, Phase::kCutover, after);
    removals.push_back(removal);
    work_[i].before_start.push_back(removal);  // It must not come back beside its successor.
    if (!work_[i].late_download) continue;
    if (const auto image = RemoveImage(container->image_id, Phase::kCutover, {removal}, 1)) {
      removals.push_back(*image);
    }
  }
  Append(span_work_, removals);
  return removals;
}

// The new container runs; the old one stops when it has handed over, or its time is up.
void AppPlanner::HandOver() {
  for (auto it = stop_graph().order.rbegin(); it != stop_graph().order.rend(); ++it) {
    const std::size_t i = *it;
    const ServiceView& view = views_[i];
    if (!work_[i].hand_over) continue;
    StepIndices after = gate_;
    Append(after, late_pulls_);
    Append(after, work_[i].started);
    const bool handed_over = view.future != nullptr && view.future->handed_over && !WillStart(view);
    if (!handed_over) {
      after = {steps_.Add(StepKind::kAwaitHandover, Phase::kCutover, view.name, StartSubject(view),
                          std::move(after))};
    }
    Append(after, dependents_stopped_[i]);
    // Before its stop: after a power cut it must not come back to take its successor's place.
    if (const auto aside = SetAside(i, *view.present, after)) after = {*aside};
    const StepIndex stop = AddStop(i, *view.present, std::move(after));
    for (const DependencyEdge& edge : stop_graph().edges[i]) {
      if (work_[edge.on].hand_over) dependents_stopped_[edge.on].push_back(stop);
    }
  }
}

}  // namespace lockstep
