#include "plan_context.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "app_facts.h"
#include "lockstep/config_key.h"

namespace lockstep {
namespace {

bool OverridesLocks(const ObservedState& observed, const Target& target) {
  // A target that speaks for one app says nothing of the device.
  const auto& config = target.whole_device ? target.config : observed.config;
  const auto it = config.find(std::string(kOverrideLocksKey));
  return it != config.end() && IsOn(it->second);
}

// Of services in current or target; other lock directories gate nothing.
std::map<std::string, const LockHolder*> HoldersOf(const ObservedState& observed,
                                                   const Target& target) {
  std::map<std::string, const LockHolder*> holders;
  for (const LockHolder& holder : observed.locks) {
    if (holder.held && !holder.ours) holders.emplace(holder.path, &holder);
  }
  if (holders.empty()) return holders;
  const AppNames names(target);
  std::set<std::pair<std::string_view, std::string_view>> services;
  for (const ObservedContainer& container : observed.engine.containers) {
    if (!container.owned || container.state == ContainerState::kRemoving) continue;
    services.emplace(names.Uuid(container.app), container.service);
  }
  for (const TargetApp& app : target.apps) {
    if (!app.release || app.is_host) continue;
    for (const TargetService& service : app.release->services) {
      services.emplace(app.uuid, service.name);
    }
  }
  std::erase_if(holders, [&](const auto& entry) {
    return services.count({entry.second->app, entry.second->service}) == 0;
  });
  return holders;
}

// Its release is not tried again: nothing is kept for it.
bool HasFailed(const ObservedState& observed, const TargetApp& app) {
  const AppRecord* record = observed.FindApp(app.uuid);
  if (record == nullptr) return false;
  const std::vector<std::string>& failed = record->failed;
  return std::find(failed.begin(), failed.end(), app.release->commit) != failed.end();
}

}  // namespace

PlanContext::PlanContext(const ObservedState& seen, const Target& target,
                         const PlanOptions& plan_options)
    : observed(seen),
      options(plan_options),
      images(seen.engine),
      override_locks(OverridesLocks(seen, target)),
      config(DecideConfig(seen, target, plan_options)),
      reboot_holders(config.wants_reboot ? HoldersOf(seen, target)
                                         : std::map<std::string, const LockHolder*>()),
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
    if (!app.release || HasFailed(observed, app)) continue;
    for (const TargetService& service : app.release->services) {
      const std::string_view id = images.Find(service.spec.image);
      if (!id.empty()) (*uses_)[id].wanted = true;
    }
  }
  return *uses_;
}

}  // namespace lockstep
