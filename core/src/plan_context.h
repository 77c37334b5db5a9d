// What all apps of one plan share.
#ifndef LOCKSTEP_PLAN_CONTEXT_H_
#define LOCKSTEP_PLAN_CONTEXT_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "config_decision.h"
#include "image_index.h"
#include "lockstep/observed_state.h"
#include "lockstep/planner.h"
#include "lockstep/target.h"

namespace lockstep {

// For one thread. What a plan without changes never asks for is indexed when somebody asks.
class PlanContext {
 public:
  // All three must outlive it.
  PlanContext(const ObservedState& observed, const Target& target, const PlanOptions& options);

  const ObservedState& observed;
  const PlanOptions& options;
  const ImageIndex images;
  const bool override_locks;  // The lasting override of locks is set.
  const ConfigDecision config;
  // Update locks that apps hold, by path, and that a reboot waits for. Empty where none is wanted.
  const std::map<std::string, const LockHolder*> reboot_holders;

  // Whose name that is, a stranger's too; null where nobody's.
  const ObservedContainer* FindByName(std::string_view name) const;
  // Whether the image is here, and would be of no use when `users_gone` containers of it went.
  bool IsUnneeded(std::string_view image, std::size_t users_gone) const;

 private:
  struct ImageUse {
    std::size_t containers = 0;  // How many run it.
    bool here = false;
    bool wanted = false;  // By some target.
  };
  using ImageUses = std::unordered_map<std::string_view, ImageUse>;
  const ImageUses& Uses() const;

  const Target& target_;
  mutable std::optional<std::unordered_map<std::string_view, const ObservedContainer*>> names_;
  mutable std::optional<ImageUses> uses_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_PLAN_CONTEXT_H_
