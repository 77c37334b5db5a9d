#include "lockstep/rollback.h"

#include <string>

namespace lockstep {

std::optional<bool> RollbackOf(const Labels& labels) {
  const auto label = labels.find(std::string(kLabelRollback));
  if (label == labels.end()) return std::nullopt;
  if (label->second == "1" || label->second == "true") return true;
  if (label->second == "0" || label->second == "false") return false;
  return std::nullopt;
}

std::optional<bool> RollbackOf(const TargetRelease& release) {
  std::optional<bool> said;
  for (const TargetService& service : release.services) {
    const auto its = RollbackOf(service.spec.labels);
    if (its) said = *its && said.value_or(true);
  }
  return said;
}

}  // namespace lockstep
