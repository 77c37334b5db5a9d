// Keys of the device configuration: whose they are (design: "Which keys need a reboot").
#ifndef LOCKSTEP_CONFIG_KEY_H_
#define LOCKSTEP_CONFIG_KEY_H_

#include <string_view>

namespace lockstep {

// The lasting override of update locks.
inline constexpr std::string_view kOverrideLocksKey = "BALENA_SUPERVISOR_OVERRIDE_LOCK";

// A setting of Lockstep itself, as a balena target has them: kept in the store, and in force as
// soon as it is there. Keys are canonical ("BALENA_X").
bool IsAgentSetting(std::string_view key);

// "1", "true", "on", in any case.
bool IsOn(std::string_view value);
// The same value, be it in other words: "1" and "true" are one.
bool IsSameSetting(std::string_view a, std::string_view b);

}  // namespace lockstep

#endif  // LOCKSTEP_CONFIG_KEY_H_
