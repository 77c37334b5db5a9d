// What runs on a device, as a table for people and as JSON (lockstep.status/1). Pure.
#ifndef LOCKSTEP_INTEGRATION_STATUS_VIEW_H_
#define LOCKSTEP_INTEGRATION_STATUS_VIEW_H_

#include <nlohmann/json.hpp>
#include <string>

#include "lockstep/observed_state.h"
#include "text.h"

namespace lockstep {

std::string RenderStatus(const ObservedState& state, Style style);
nlohmann::ordered_json StatusToJson(const ObservedState& state);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_STATUS_VIEW_H_
