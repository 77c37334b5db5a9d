// What runs, in the words of balena-supervisor's API (formats.md section 6). Pure.
#ifndef LOCKSTEP_INTEGRATION_AGENT_DEVICE_STATE_H_
#define LOCKSTEP_INTEGRATION_AGENT_DEVICE_STATE_H_

#include <nlohmann/json.hpp>
#include <string>

#include "balena_api/device_report.h"
#include "http_api/key_scope.h"
#include "lockstep/device_info.h"
#include "lockstep/run_control.h"

namespace lockstep {

// Downloads and steps under way.
UpdateActivity ActivityOf(const RunView& view);

// GET /v1/device.
nlohmann::ordered_json DeviceJson(const RunView& view, const DeviceInfo& facts);
// GET /v2/state/status and /v2/applications/state, of the apps that `scope` covers.
nlohmann::ordered_json StateStatusJson(const RunView& view, const KeyScope& scope);
nlohmann::ordered_json ApplicationsJson(const RunView& view, const KeyScope& scope);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_DEVICE_STATE_H_
