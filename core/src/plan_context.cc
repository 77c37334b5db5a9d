#include "plan_context.h"

#include <string>

#include "lockstep/config_key.h"

namespace lockstep {
namespace {

bool OverridesLocks(const ObservedState& observed, const Target& target) {
  // A target that speaks for one app says nothing of the device.
  const auto& config = target.whole_device ? target.config : observed.config;
  const auto it = config.find(std::string(kOverrideLocksKey));
  return it != config.end() && IsOn(it->second);
}

}  // namespace

PlanContext::PlanContext(const ObservedState& seen, const Target& target,
                         const PlanOptions& plan_options)
    : observed(seen),
      options(plan_options),
      images(seen.engine),
      override_locks(OverridesLocks(seen, target)),
      target_(target) {}

const ObservedContainer* PlanContext::FindByName(std::string_view name) const {
  if (!names_) {
    names_.emplace();
    names_->reserve(observed.engine.containers.size());
    for (const ObservedContainer& container : observed.engine.containers) {
      names_->emplace(container.name, &container);
    }
  }
  const auto it = names_->find(name);
  return it == names_->end() ? nullptr : it->second;
}

bool PlanContext::IsUnneeded(std::string_view image, std::size_t users_gone) const {
  const auto use = Uses().find(image);
  return use != Uses().end() && use->second.here && !use->second.wanted &&
         use->second.containers <= users_gone;
}

const PlanContext::ImageUses& PlanContext::Uses() const {
  if (uses_) return *uses_;
  uses_.emplace();
  for (const ObservedContainer& container : observed.engine.containers) {
    ++(*uses_)[container.image_id].containers;
  }
  for (const ObservedImage& image : observed.engine.images) (*uses_)[image.id].here = true;
  for (const TargetApp& app : target_.apps) {
    if (!app.release) continue;
    for (const TargetService& service : app.release->services) {
      const std::string_view id = images.Find(service.spec.image);
      if (!id.empty()) (*uses_)[id].wanted = true;
    }
  }
  return *uses_;
}

}  // namespace lockstep
