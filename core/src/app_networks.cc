// Networks and volumes that are made anew, inside the span, and the containers that wait for them.
#include <algorithm>
#include <utility>

#include "app_planner.h"

namespace lockstep {

// A network is removed when everything on it has stopped; a stopped container does not hold it.
void AppPlanner::RemakeNetworks() {
  if (facts_.release() == nullptr) return;
  for (const auto& [name, config] : facts_.release()->networks) {
    if (!IsRemade(facts_, name)) continue;
    StepIndices after = gate_;
    Append(after, stopped_);
    const StepIndex remove =
        steps_.Add(StepKind::kRemoveNetwork, Phase::kCutover, "", name, std::move(after));
    const StepIndex create =
        steps_.Add(StepKind::kCreateNetwork, Phase::kCutover, "", name, {remove});
    networks_made_[name] = create;
    span_work_.push_back(create);
  }
  if (networks_made_.empty()) return;
  for (std::size_t i = 0; i < views_.size(); ++i) {
    const ServiceView& view = views_[i];
    if (view.future == nullptr || view.target == nullptr) continue;
    if (held_ && !view.future->IsUp()) continue;  // It does not wait for the lock.
    for (const std::string& name : NetworksOf(view.target->spec)) {
      if (!IsRemade(facts_, name)) continue;
      work_[i].before_start.push_back(steps_.Add(StepKind::kConnectNetwork, Phase::kCutover,
                                                 view.name, view.future->id,
                                                 {networks_made_.at(name)}, name));
    }
  }
}

// A volume goes when no container uses it, running or not.
void AppPlanner::PurgeVolumes() {
  if (facts_.record.purge.empty()) return;
  StepIndices users_gone = gate_;
  for (std::size_t i = 0; i < views_.size(); ++i) {
    if (!work_[i].late_download) Append(users_gone, RemoveEarly(i));
  }
  for (const auto& [container, removal] : removed_) users_gone.push_back(removal);
  for (const std::string& name : facts_.record.purge) {
    const StepIndex purge =
        steps_.Add(StepKind::kPurgeVolume, Phase::kCutover, "", name, users_gone);
    span_work_.push_back(purge);
    if (facts_.release() == nullptr || facts_.release()->volumes.count(name) == 0) continue;
    volumes_made_[name] = steps_.Add(StepKind::kCreateVolume, Phase::kCutover, "", name, {purge});
    span_work_.push_back(volumes_made_[name]);
  }
}

// The containers that could not be made in advance.
void AppPlanner::CreateLate() {
  for (const std::size_t i : start_graph_.order) {
    if (!work_[i].late_create) continue;
    Create(i, Phase::kCutover, gate_);
    span_work_.push_back(*work_[i].create);
  }
}

}  // namespace lockstep
