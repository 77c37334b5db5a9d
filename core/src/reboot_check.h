// What became of the configuration that the device was rebooted for.
#ifndef LOCKSTEP_REBOOT_CHECK_H_
#define LOCKSTEP_REBOOT_CHECK_H_

#include <optional>
#include <string>
#include <vector>

#include "lockstep/error.h"
#include "lockstep/observed_state.h"
#include "lockstep/plan.h"

namespace lockstep {

struct RebootCheck {
  StepId step;      // The reboot that is done.
  std::string why;  // The keys it was for: "BALENA_X, BALENA_Y".
  ConfigChanges in_force;
  std::vector<Error> not_in_force;  // One for each key that has another value now.
};

// None where no reboot has ended since the last check.
std::optional<RebootCheck> CheckReboot(const ObservedState& observed,
                                       const std::vector<ConfigRule>& rules);

}  // namespace lockstep

#endif  // LOCKSTEP_REBOOT_CHECK_H_
