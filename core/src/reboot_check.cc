#include "reboot_check.h"

#include "config_decision.h"
#include "step_list.h"

namespace lockstep {
namespace {

std::string ValueWords(const std::optional<std::string>& value) {
  constexpr std::size_t kMost = 60;  // A picture is a value, too.
  if (!value) return "not set";
  return "\"" + value->substr(0, kMost) + (value->size() > kMost ? "...\"" : "\"");
}

Error NotInForce(const std::string& key, const std::optional<std::string>& wanted,
                 const std::optional<std::string>& now) {
  return WithContext(MakeError(ErrorCode::kConflict,
                               "it was " + ValueWords(wanted) + " before the reboot and is " +
                                   ValueWords(now) + " after it",
                               "look at what else writes the file, or whether its disk keeps it"),
                     "set " + key);
}

}  // namespace

std::optional<RebootCheck> CheckReboot(const ObservedState& observed,
                                       const std::vector<ConfigRule>& rules) {
  const bool is_over = observed.reboot && !observed.boot_id.empty() && !observed.RebootPending();
  if (!is_over || observed.reboot->changes.empty()) return std::nullopt;
  RebootCheck check;
  std::vector<Step> steps;
  StepList(steps, "").Add(StepKind::kReboot, Phase::kConfig, "", "", {});
  check.step = steps.front().id;
  for (const auto& [key, wanted] : observed.reboot->changes) {
    check.why += (check.why.empty() ? "" : ", ") + key;
    if (IsInForce(rules, observed.config, key, wanted)) {
      check.in_force[key] = wanted;
      continue;
    }
    std::optional<std::string> now;
    if (const auto it = observed.config.find(key); it != observed.config.end()) now = it->second;
    check.not_in_force.push_back(NotInForce(key, wanted, now));
  }
  return check;
}

}  // namespace lockstep
