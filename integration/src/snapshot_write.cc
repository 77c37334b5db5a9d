#include <utility>

#include "composition.h"
#include "device_facts.h"
#include "json_value.h"
#include "snapshot.h"

namespace lockstep {
namespace {

using Json = nlohmann::ordered_json;

Json TimeJson(const std::optional<WallTime>& time) {
  return time ? Json(FormatTime(*time)) : Json(nullptr);
}

Json OptionalJson(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json(nullptr);
}

// Labels as the specification has them: a reader cannot tell them from an image's.
Json CompositionJson(const ServiceSpec& spec) {
  Json composition = ToJson(WriteComposition(spec));
  composition["labels"] = Json(spec.labels);
  return composition;
}

Json ContainerJson(const ObservedContainer& container) {
  Json out;
  out["id"] = container.id;
  out["name"] = container.name;
  out["image"] = container.image;
  out["image_id"] = container.image_id;
  out["state"] = ContainerStateName(container.state);
  out["health"] = HealthName(container.health);
  out["exit_code"] = container.exit_code;
  out["restart_count"] = container.restart_count;
  out["created_at"] = TimeJson(container.created_at);
  out["started_at"] = TimeJson(container.started_at);
  out["app"] = container.app;
  out["app_id"] = container.app_id;
  out["service"] = container.service;
  out["commit"] = container.commit;
  out["owned"] = container.owned;
  out["labels"] = container.labels;
  if (container.spec) {
    out["environment"] = container.spec->environment;
    out["composition"] = CompositionJson(*container.spec);
  }
  if (container.implied) {
    out["implied"]["environment"] = container.implied->environment;
    out["implied"]["composition"] = CompositionJson(*container.implied);
  }
  // Null here says "not looked at"; absent would say "as the specification has it".
  out["restart_policy"] = OptionalJson(container.restart_policy);
  out["networks_attached"] = container.networks ? Json(*container.networks) : Json(nullptr);
  if (container.lock_dir) out["lock_dir"] = *container.lock_dir;
  if (container.settled) out["settled"] = true;
  if (container.lost) out["lost"] = true;
  return out;
}

Json ImageJson(const ObservedImage& image) {
  Json out;
  out["id"] = image.id;
  out["references"] = image.references;
  if (!image.labels.empty()) out["labels"] = image.labels;
  return out;
}

template <typename Resource>
Json ResourceJson(const Resource& resource) {
  Json out;
  if constexpr (requires { resource.id; }) out["id"] = resource.id;
  out["name"] = resource.name;
  out["app"] = resource.app;
  if (!resource.app_id.empty()) out["app_id"] = resource.app_id;
  out["owned"] = resource.owned;
  out["config"] = ToJson(resource.config);
  return out;
}

Json LockJson(const LockHolder& lock) {
  Json out;
  out["app"] = lock.app;
  out["app_dir"] = lock.app_dir;
  out["service"] = lock.service;
  out["path"] = lock.path;
  out["kind"] = LockKindName(lock.kind);
  out["since"] = TimeJson(lock.since);
  if (lock.owner_uid >= 0) out["owner_uid"] = lock.owner_uid;
  if (lock.ours) out["ours"] = true;
  if (!lock.held) out["held"] = false;
  if (!lock.notes.empty()) out["notes"] = lock.notes;
  return out;
}

Json AppJson(const AppRecord& app) {
  Json out;
  out["app"] = app.app;
  out["committed"] = OptionalJson(app.committed);
  out["cutover"] = OptionalJson(app.cutover);
  out["failed"] = app.failed;
  out["stopped"] = app.stopped;
  out["purge"] = app.purge;
  out["retired"] = app.retired;
  if (!app.interrupted.empty()) out["interrupted"] = app.interrupted;
  if (!app.restart.empty()) out["restart"] = app.restart;
  if (app.remove) out["remove"] = true;
  if (app.paused) out["paused"] = true;
  for (const auto& [name, config] : app.networks) out["networks"][name] = ToJson(config);
  for (const auto& [id, name] : app.renamed) out["renamed"][id] = name;
  for (const auto& [release, services] : app.unhealthy) out["unhealthy"][release] = services;
  return out;
}

Json RebootJson(const RebootRecord& reboot) {
  Json out;
  out["boot_id"] = reboot.boot_id;
  out["configuration"] = reboot.configuration;
  out["reboots"] = reboot.reboots;
  out["set"] = Json::object();
  out["unset"] = Json::array();
  for (const auto& [key, value] : reboot.changes) {
    if (value) {
      out["set"][key] = *value;
    } else {
      out["unset"].push_back(key);
    }
  }
  return out;
}

// What is not known is left out: a plan may be made for it with options.
Json DeviceJson(const DeviceInfo& device) {
  Json out = Json::object();
  for (const DeviceFact& fact : DeviceFacts()) {
    if (!(device.*fact.member).empty()) out[std::string(fact.name)] = device.*fact.member;
  }
  return out;
}

template <typename List, typename Write>
Json ListJson(const List& list, const Write& write) {
  Json out = Json::array();
  for (const auto& item : list) out.push_back(write(item));
  return out;
}

}  // namespace

std::string WriteSnapshot(const ObservedState& state, const DeviceInfo& device) {
  Json out;
  out["format"] = "lockstep.snapshot/1";
  out["taken_at"] = FormatTime(state.taken_at);
  out["engine"] = {{"kind", state.engine.engine.kind},
                   {"version", state.engine.engine.version},
                   {"api_version", state.engine.engine.api_version}};
  if (!state.engine.engine.arch.empty()) out["engine"]["arch"] = state.engine.engine.arch;
  if (Json facts = DeviceJson(device); !facts.empty()) out["device"] = std::move(facts);
  out["containers"] = ListJson(state.engine.containers, ContainerJson);
  out["images"] = ListJson(state.engine.images, ImageJson);
  out["networks"] = ListJson(state.engine.networks, ResourceJson<ObservedNetwork>);
  out["volumes"] = ListJson(state.engine.volumes, ResourceJson<ObservedVolume>);
  out["locks"] = ListJson(state.locks, LockJson);
  out["config"] = state.config;
  out["apps"] = ListJson(state.apps, AppJson);
  out["config_set"] = state.config_set;
  out["reboot_pending"] = state.RebootPending();
  out["boot_id"] = state.boot_id;
  if (state.reboot) out["reboot"] = RebootJson(*state.reboot);
  if (state.config_backends) out["config_backends"] = *state.config_backends;
  if (!state.config_unreadable.empty()) out["config_unreadable"] = state.config_unreadable;
  if (!state.spans.empty()) out["spans"] = state.spans;
  if (!state.reboot_spans.empty()) out["reboot_spans"] = state.reboot_spans;
  if (!state.saved_restart.empty()) out["saved_restart"] = state.saved_restart;
  return Dump(out, 1) + "\n";
}

}  // namespace lockstep
