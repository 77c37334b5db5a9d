#include "balena_api/report_json.h"

#include <utility>

namespace lockstep {
namespace {

using nlohmann::ordered_json;

template <typename T>
void Put(ordered_json& json, const char* name, const std::optional<T>& value) {
  if (value) json[name] = *value;
}

ordered_json ServicesJson(const std::map<std::string, ServiceReport>& services) {
  ordered_json json = ordered_json::object();
  for (const auto& [name, service] : services) {
    json[name] = {{"image", service.image}, {"status", service.status}};
    Put(json[name], "download_progress", service.download_progress);
  }
  return json;
}

ordered_json AppJson(const ReportedApp& app) {
  ordered_json json;
  Put(json, "release_uuid", app.release_uuid);
  ordered_json releases = ordered_json::object();
  for (const auto& [commit, release] : app.releases) {
    releases[commit] = {{"update_status", release.update_status},
                        {"services", ServicesJson(release.services)}};
  }
  json["releases"] = std::move(releases);
  return json;
}

}  // namespace

ordered_json ReportJson(const DeviceReport& report) {
  ordered_json json = ordered_json::object();
  Put(json, "name", report.name);
  Put(json, "status", report.status);
  Put(json, "os_version", report.os_version);
  Put(json, "os_variant", report.os_variant);
  Put(json, "supervisor_version", report.supervisor_version);
  Put(json, "ip_address", report.ip_address);
  Put(json, "mac_address", report.mac_address);
  Put(json, "api_port", report.api_port);
  Put(json, "api_secret", report.api_secret);
  Put(json, "provisioning_state", report.provisioning_state);
  Put(json, "provisioning_progress", report.provisioning_progress);
  Put(json, "memory_usage", report.memory_usage);
  Put(json, "memory_total", report.memory_total);
  Put(json, "storage_usage", report.storage_usage);
  Put(json, "storage_total", report.storage_total);
  Put(json, "storage_block_device", report.storage_block_device);
  Put(json, "cpu_usage", report.cpu_usage);
  Put(json, "cpu_temp", report.cpu_temp);
  Put(json, "cpu_id", report.cpu_id);
  Put(json, "is_undervolted", report.is_undervolted);
  for (const auto& [uuid, app] : report.apps) json["apps"][uuid] = AppJson(app);
  return json;
}

ordered_json WhatIsNew(const ordered_json& before, const ordered_json& now) {
  ordered_json fresh = ordered_json::object();
  for (const auto& [field, value] : now.items()) {
    const auto known = before.find(field);
    if (known == before.end() || *known != value) fresh[field] = value;
  }
  if (before.contains("apps") && !before["apps"].empty() && !now.contains("apps")) {
    fresh["apps"] = ordered_json::object();
  }
  return fresh;
}

bool IsMetric(std::string_view field) {
  return field.starts_with("memory_") || field.starts_with("storage_") ||
         field.starts_with("cpu_") || field == "is_undervolted";
}

DeviceReport TargetsAlone(DeviceReport report) {
  for (auto& [uuid, app] : report.apps) {
    if (app.release_uuid != app.target) app.release_uuid.reset();
    std::erase_if(app.releases, [&app = app](const auto& r) { return r.first != app.target; });
  }
  return report;
}

}  // namespace lockstep
