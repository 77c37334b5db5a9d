// What is to become of each key of the device's configuration, and whether that needs a reboot.
#ifndef LOCKSTEP_CONFIG_DECISION_H_
#define LOCKSTEP_CONFIG_DECISION_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/config_backend.h"
#include "lockstep/observed_state.h"
#include "lockstep/plan.h"
#include "lockstep/planner.h"
#include "lockstep/target.h"

namespace lockstep {

struct ConfigDecision {
  std::vector<ConfigPlan> plans;  // Of keys that change, wait for a reboot or are refused.
  std::string configuration;      // RebootRecord::configuration for this target.
  bool wants_reboot = false;      // For what is to be written, or for what was.
};

// A target that speaks for one app decides nothing.
ConfigDecision DecideConfig(const ObservedState& observed, const Target& target,
                            const PlanOptions& options);

// At once, or with the reboot that it waits for.
inline bool IsWritten(const ConfigPlan& config) {
  return config.action == ConfigAction::kApply || config.action == ConfigAction::kDefer;
}

// The rule of a key; null: it is nobody's. A whole key goes before a beginning, a longer beginning
// before a shorter.
const ConfigRule* FindConfigRule(const std::vector<ConfigRule>& rules, std::string_view key);

// True where the key has that value, or (none) is not there.
bool IsInForce(const std::vector<ConfigRule>& rules, const ConfigValues& config,
               const std::string& key, const std::optional<std::string>& value);

// The same value of one key, be it in other words.
bool IsSameValue(const ConfigRule* rule, std::string_view a, std::string_view b);

}  // namespace lockstep

#endif  // LOCKSTEP_CONFIG_DECISION_H_
