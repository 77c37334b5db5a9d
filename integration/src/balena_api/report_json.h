// Reports as the backend reads them: PATCH /device/v3/state.
#ifndef LOCKSTEP_INTEGRATION_BALENA_API_REPORT_JSON_H_
#define LOCKSTEP_INTEGRATION_BALENA_API_REPORT_JSON_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "balena_api/device_report.h"

namespace lockstep {

// The fields of the device by their names; `apps` only where there are any.
nlohmann::ordered_json ReportJson(const DeviceReport& report);

// What of `now` is not in `before` as it is: whole fields. Where apps were and none is left, an
// empty `apps`. What is not known any more is not in it: the backend keeps what it heard last.
nlohmann::ordered_json WhatIsNew(const nlohmann::ordered_json& before,
                                 const nlohmann::ordered_json& now);

// Whether a field changes all the time: usage, temperature and the like.
bool IsMetric(std::string_view field);

// Of each app the release that is its target alone.
DeviceReport TargetsAlone(DeviceReport report);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_BALENA_API_REPORT_JSON_H_
