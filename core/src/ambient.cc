#include "ambient.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "lockstep/feature_labels.h"
#include "lockstep/identity.h"

namespace lockstep {
namespace {

struct Told {
  const TargetApp& app;
  const TargetService& service;
  const DeviceInfo& device;
};

// A variable under two names, BALENA_<name> and RESIN_<name>.
struct Row {
  std::string_view name;
  std::string (*value)(const Told& told);  // Null: balena-supervisor gives it, Lockstep does not.
  std::string_view feature = {};           // The label that asks for it; empty: everybody gets it.
};

std::string SupervisorAddress(const DeviceInfo& device) {
  if (device.supervisor_host.empty() || device.supervisor_port.empty()) return {};
  return "http://" + device.supervisor_host + ":" + device.supervisor_port;
}

std::string HandoverComplete(const Told&) { return "/tmp/balena/handover-complete"; }

constexpr std::array kRows = {
    Row{"APP_ID", [](const Told& t) { return t.app.id; }},
    Row{"APP_UUID", [](const Told& t) { return t.app.uuid; }},
    Row{"APP_NAME", [](const Told& t) { return t.app.name; }},
    Row{"SERVICE_NAME", [](const Told& t) { return t.service.name; }},
    Row{"DEVICE_UUID", [](const Told& t) { return t.device.uuid; }},
    Row{"DEVICE_NAME_AT_INIT", [](const Told& t) { return t.device.name; }},
    Row{"DEVICE_TYPE", [](const Told& t) { return t.device.type; }},
    Row{"DEVICE_ARCH", [](const Told& t) { return t.device.arch; }},
    Row{"HOST_OS_VERSION",
        [](const Told& t) {
          return t.device.os_name.empty() ? t.device.os_version : t.device.os_name;
        }},
    Row{"APP_LOCK_PATH", [](const Told&) { return std::string("/tmp/balena/updates.lock"); }},
    Row{"SERVICE_HANDOVER_COMPLETE_PATH", HandoverComplete},
    Row{"SERVICE_KILL_ME_PATH", HandoverComplete},
    Row{"SUPERVISOR_VERSION", nullptr},
    Row{"HOST_OS_BOARD_REV", [](const Told& t) { return t.device.os_board_rev; },
        kFeatureHostOsBoardRev},
    Row{"SUPERVISOR_HOST", [](const Told& t) { return t.device.supervisor_host; },
        kFeatureSupervisorApi},
    Row{"SUPERVISOR_PORT", [](const Told& t) { return t.device.supervisor_port; },
        kFeatureSupervisorApi},
    Row{"SUPERVISOR_ADDRESS", [](const Told& t) { return SupervisorAddress(t.device); },
        kFeatureSupervisorApi},
    Row{"SUPERVISOR_API_KEY",
        [](const Told& t) {
          return t.app.api_key.empty() ? t.device.supervisor_api_key : t.app.api_key;
        },
        kFeatureSupervisorApi},
    Row{"API_URL", [](const Told& t) { return t.device.api_url; }, kFeatureBalenaApi},
    Row{"API_KEY", [](const Told& t) { return t.device.api_key; }, kFeatureBalenaApi},
};

struct Constant {
  std::string_view name;
  std::string_view value;
};
// Under this one name, for everybody. With another value it is the service's own.
constexpr std::array kConstants = {Constant{"BALENA", "1"}, Constant{"RESIN", "1"},
                                   Constant{"USER", "root"}};

constexpr std::array<std::string_view, 2> kPrefixes = {"BALENA_", "RESIN_"};

}  // namespace

std::map<std::string, std::string> AmbientVariables(const TargetApp& app,
                                                    const TargetService& service,
                                                    const DeviceInfo& device) {
  std::map<std::string, std::string> variables;
  for (const Constant& constant : kConstants) {
    variables.emplace(constant.name, constant.value);
  }
  const Told told{app, service, device};
  for (const Row& row : kRows) {
    if (row.value == nullptr) continue;
    if (!row.feature.empty() && !HasFeature(service.spec.labels, row.feature)) continue;
    const std::string value = row.value(told);
    if (value.empty()) continue;
    for (const std::string_view prefix : kPrefixes) {
      variables[std::string(prefix) + std::string(row.name)] = value;
    }
  }
  return variables;
}

bool IsAmbientVariable(std::string_view name, std::string_view value) {
  for (const Constant& constant : kConstants) {
    if (constant.name == name) return constant.value == value;
  }
  for (const std::string_view prefix : kPrefixes) {
    if (!name.starts_with(prefix)) continue;
    const std::string_view rest = name.substr(prefix.size());
    return std::any_of(kRows.begin(), kRows.end(),
                       [rest](const Row& row) { return row.name == rest; });
  }
  return false;
}

}  // namespace lockstep
