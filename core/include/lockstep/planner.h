// MakePlan: the decision at the heart of Lockstep.
#ifndef LOCKSTEP_PLANNER_H_
#define LOCKSTEP_PLANNER_H_

#include <string>
#include <vector>

#include "lockstep/config_backend.h"
#include "lockstep/observed_state.h"
#include "lockstep/plan.h"
#include "lockstep/target.h"

namespace lockstep {

struct PlanOptions {
  // Run over app locks: of these apps, or of all where the list is empty. One-shot; never for a
  // reboot.
  bool force = false;
  std::vector<std::string> force_apps = {};
  std::vector<std::string> force_spent = {};  // Not of these, any more.
  std::string only_app = {};  // Its uuid; of the others nothing is planned. Empty: of all.
  // Whose the keys of the device's configuration are, and what each needs. The settings of Lockstep
  // itself need no rule. An Orchestrator puts those of its device in their place.
  std::vector<ConfigRule> config_rules = {};
  // The id of the container that Lockstep itself runs in: never stopped. Empty: in none.
  std::string self = {};
};

// The whole remaining way from `observed` to `target`. Pure and deterministic: the same inputs give
// the same plan, byte for byte, in whatever order lists come. Never fails: what cannot be planned
// is a gap of its app. Time O(n log n) in the number of services.
Plan MakePlan(const ObservedState& observed, const Target& target, const PlanOptions& options = {});

// The locks that gate `app`: one reference for each service in current or target, in canonical
// order. Empty where the app is in neither.
std::vector<ServiceRef> LocksOf(const ObservedState& observed, const Target& target,
                                std::string_view app);

// The hashes of all target services, sorted: what RuntimeBackend::Observe need not look into.
std::vector<std::string> HashesOf(const Target& target);

}  // namespace lockstep

#endif  // LOCKSTEP_PLANNER_H_
