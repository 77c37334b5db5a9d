#include "lockstep/config_key.h"

namespace lockstep {
namespace {

bool IsOff(std::string_view value) { return value == "0" || value == "false" || value == "off"; }

}  // namespace

bool IsAgentSetting(std::string_view key) {
  // The host keeps its journal, and needs a reboot to change where.
  constexpr std::string_view kOfHost = "BALENA_SUPERVISOR_PERSISTENT_LOGGING";
  return key.starts_with("BALENA_SUPERVISOR_") && key != kOfHost;
}

bool IsOn(std::string_view value) { return value == "1" || value == "true" || value == "on"; }

bool IsSameSetting(std::string_view a, std::string_view b) {
  return a == b || (IsOn(a) && IsOn(b)) || (IsOff(a) && IsOff(b));
}

}  // namespace lockstep
