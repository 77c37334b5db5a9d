// Events as JSON (lockstep.event/1), one object a line.
#ifndef LOCKSTEP_INTEGRATION_EVENT_JSON_H_
#define LOCKSTEP_INTEGRATION_EVENT_JSON_H_

#include <nlohmann/json.hpp>
#include <string>

#include "lockstep/event.h"

namespace lockstep {

// One line, without its newline. Fields that say nothing for this event are left out.
std::string WriteEvent(const Event& event);

// Members for what was found out about a container; none where nothing was.
void AddFindings(const Findings& findings, nlohmann::ordered_json& out);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_EVENT_JSON_H_
