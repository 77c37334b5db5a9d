// What is done in advance and interrupts nobody: images, networks, volumes, new containers.
#include <algorithm>
#include <set>
#include <utility>

#include "app_planner.h"
#include "content_hash.h"

namespace lockstep {

// The networks that are not there. One that the cutover removed is restored with the others.
void AppPlanner::MakeNetworks() {
  for (const auto& [name, config] : facts_.release()->networks) {
    if (facts_.FindNetwork(name) != nullptr) continue;
    if (going_back_ && facts_.record.networks.count(name) != 0) continue;
    networks_made_[name] = steps_.Add(StepKind::kCreateNetwork, Phase::kPrepare, "", name, {});
    prepared_.push_back(networks_made_[name]);
  }
}

void AppPlanner::Prepare() {
  if (facts_.release() == nullptr) return;
  MakeNetworks();
  PrepareVolumes();
  CheckImages();
  for (const std::size_t i : start_graph_.order) {
    const ServiceView& view = views_[i];
    if (view.target == nullptr) continue;
    if (view.future != nullptr) {
      RestorePolicy(view);
      if (work_[i].look_up) Pull(i, Phase::kPrepare, {});
      ConnectFuture(i);
      ClaimFuture(i);
      continue;
    }
    if (work_[i].late_download) continue;
    // One that was killed for it already is a part of the cutover.
    const bool killed = KillsFirst(view.target->strategy) && CutoverBegun() &&
                        (view.present == nullptr || !view.present->IsUp());
    const Phase phase = killed ? Phase::kCutover : Phase::kPrepare;
    Pull(i, phase, {});
    if (work_[i].late_create) continue;
    Create(i, phase, {});
    prepared_.push_back(*work_[i].create);
  }
}

void AppPlanner::PrepareVolumes() {
  for (const auto& [name, config] : facts_.release()->volumes) {
    const ObservedVolume* volume = facts_.FindVolume(name);
    const auto& purge = facts_.record.purge;
    if (std::find(purge.begin(), purge.end(), name) != purge.end()) continue;  // Made after that.
    if (volume == nullptr) {
      volumes_made_[name] = steps_.Add(StepKind::kCreateVolume, Phase::kPrepare, "", name, {});
      prepared_.push_back(volumes_made_[name]);
    } else if (!volume->config.is_null() && !(volume->config == config)) {
      AddGap("volume-changed",
             name +
                 ": the definition of an existing volume is not changed, so that its data is "
                 "kept",
             false);
    }
  }
}

// The step that makes the image of view `i` present, where it is not.
void AppPlanner::Pull(std::size_t i, Phase phase, const StepIndices& after) {
  const ServiceView& view = views_[i];
  if (view.image_here) return;
  const std::string image = NormalizedReference(view.target->spec.image);
  if (pulls_.count(image) != 0) return;
  StepIndices before = after;
  if (view.target->strategy == Strategy::kDeleteThenDownload || context_.observed.short_of_space) {
    // The room is needed for the new one.
    const std::set<std::string> retired(facts_.record.retired.begin(), facts_.record.retired.end());
    for (const std::string& old : retired) {
      if (const auto removal = RemoveImage(old, phase, {}, 0)) before.push_back(*removal);
    }
  }
  pulls_[image] = steps_.Add(StepKind::kPullImage, phase, view.name, view.target->spec.image,
                             std::move(before));
  if (!work_[i].late_download) prepared_.push_back(pulls_[image]);
}

void AppPlanner::Create(std::size_t i, Phase phase, StepIndices after) {
  ServiceView& view = views_[i];
  const ServiceSpec& spec = view.target->spec;
  const auto wait_for = [&](const auto& made, const auto& name) {
    if (const auto it = made.find(name); it != made.end()) after.push_back(it->second);
  };
  if (!view.image_here) wait_for(pulls_, NormalizedReference(spec.image));
  for (const std::string& name : NetworksOf(spec)) wait_for(networks_made_, name);
  for (const std::string& name : VolumesOf(spec)) wait_for(volumes_made_, name);
  for (const std::string& name : SharedServicesOf(spec)) {
    const auto shared = FindView(views_, name);
    if (shared && work_[*shared].create) after.push_back(*work_[*shared].create);
  }
  const StepIndex create = steps_.Add(StepKind::kCreateContainer, phase, view.name,
                                      NameToCreate(view), std::move(after), view.hash);
  steps_[create].why = view.why;
  work_[i].create = create;
}

std::string AppPlanner::NameToCreate(const ServiceView& view) const {
  const std::string name = FinalName(*facts_.release(), *view.target);
  if (context_.FindByName(name) == nullptr) return name;
  ContentHash hash;
  hash.Add(view.hash);
  // The same specification may give several containers: of another image, or joined to others.
  while (true) {
    std::string beside = name + "." + Hex16(hash.Finish()).substr(0, 8);
    if (context_.FindByName(beside) == nullptr) return beside;
    hash.Add(beside);
  }
}

// It runs, but was set aside for a successor that never took over: its engine would not bring it
// back.
void AppPlanner::RestorePolicy(const ServiceView& view) {
  const ObservedContainer& container = *view.future;
  if (!container.IsUp() || !view.ShouldRun()) return;
  // No list tells the policy; but what was to be stopped may have been set aside.
  if (!container.restart_policy && !WasInterrupted(facts_, container)) return;
  const std::string policy = OriginalPolicy(container, context_.observed);
  if (container.restart_policy == policy) return;
  prepared_.push_back(
      steps_.Add(StepKind::kUpdateContainer, Phase::kPrepare, view.name, container.id, {}, policy));
}

// Made for another release that was never begun, it is this one's now: by its name, before it runs.
void AppPlanner::ClaimFuture(std::size_t i) {
  const ServiceView& view = views_[i];
  if (view.future->state != ContainerState::kCreated || view.future->commit == facts_.to()) return;
  const StepIndex rename = steps_.Add(StepKind::kRenameContainer, Phase::kPrepare, view.name,
                                      view.future->id, work_[i].before_start, NameToCreate(view));
  work_[i].before_start.push_back(rename);
  prepared_.push_back(rename);
}

// A container that is there but not on all its networks: its maker was cut off, or somebody
// detached it.
void AppPlanner::ConnectFuture(std::size_t i) {
  const ServiceView& view = views_[i];
  const bool matters =
      view.future->IsUp() || view.future->state == ContainerState::kCreated || WillStart(view);
  if (!matters) return;
  for (const StepIndex connect :
       Connect(view, *view.future, view.target->spec, Phase::kPrepare, {})) {
    work_[i].before_start.push_back(connect);
    prepared_.push_back(connect);
  }
}

// One that is remade is joined when it is there.
StepIndices AppPlanner::Connect(const ServiceView& view, const ObservedContainer& container,
                                const ServiceSpec& spec, Phase phase, const StepIndices& after) {
  StepIndices connects;
  if (!container.networks) return connects;
  for (const std::string& name : NetworksOf(spec)) {
    const auto made = networks_made_.find(name);
    // One that is down while the app is held starts on what is there.
    const bool waits = &container == view.future && !going_back_ && IsRemade(facts_, name) &&
                       !(held_ && !container.IsUp());
    const bool there = facts_.FindNetwork(name) != nullptr && !waits;
    const bool new_one = made != networks_made_.end();
    if (!new_one && (!there || IsAttached(facts_, container, name))) continue;
    StepIndices before = after;
    if (new_one) before.push_back(made->second);
    connects.push_back(steps_.Add(StepKind::kConnectNetwork, phase, view.name, container.id,
                                  std::move(before), name));
    steps_[connects.back()].why = view.why;
  }
  return connects;
}

}  // namespace lockstep
