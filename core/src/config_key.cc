#include "lockstep/config_key.h"

#include "answer.h"

namespace lockstep {
bool IsAgentSetting(std::string_view key) {
  // The host keeps its journal, and needs a reboot to change where.
  constexpr std::string_view kOfHost = "BALENA_SUPERVISOR_PERSISTENT_LOGGING";
  return key.starts_with("BALENA_SUPERVISOR_") && key != kOfHost;
}

bool IsOn(std::string_view value) { return AnswerOf(value) == Answer::kYes; }

bool IsSameSetting(std::string_view a, std::string_view b) {
  return a == b || (AnswerOf(a) != Answer::kNeither && AnswerOf(a) == AnswerOf(b));
}

}  // namespace lockstep
