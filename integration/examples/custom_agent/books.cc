#include "books.h"

#include <fcntl.h>
#include <lockstep/identity.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "refused.h"

namespace custom {
namespace {

using lockstep::ErrorCode;
using lockstep::MakeError;
using lockstep::Ok;
using lockstep::Result;
using lockstep::ServiceSpec;
using lockstep::Value;
using lockstep::WallTime;
using nlohmann::json;

json ToJson(const Value& value) {
  if (const auto* truth = value.AsBool()) return *truth;
  if (const auto* number = value.AsInt()) return *number;
  if (const auto* number = value.AsDouble()) return *number;
  if (const auto* text = value.AsString()) return *text;
  if (const auto* list = value.AsList()) {
    json array = json::array();
    for (const Value& entry : *list) array.push_back(ToJson(entry));
    return array;
  }
  if (const auto* map = value.AsMap()) {
    json object = json::object();
    for (const auto& [key, member] : *map) object[key] = ToJson(member);
    return object;
  }
  return nullptr;
}

Value ValueOf(const json& from) {
  if (from.is_boolean()) return from.get<bool>();
  if (from.is_number_integer()) return from.get<std::int64_t>();
  if (from.is_number()) return from.get<double>();
  if (from.is_string()) return from.get<std::string>();
  if (from.is_array()) {
    Value::List list;
    for (const json& entry : from) list.push_back(ValueOf(entry));
    return list;
  }
  if (from.is_object()) {
    Value::Map map;
    for (const auto& [key, member] : from.items()) map.push_back({key, ValueOf(member)});
    return map;
  }
  return {};
}

json ToJson(const std::optional<WallTime>& time) {
  return time ? json(time->time_since_epoch().count()) : json();
}

std::optional<WallTime> TimeOf(const json& from) {
  if (from.is_null()) return std::nullopt;
  return WallTime(WallTime::duration(from.get<WallTime::rep>()));
}

json ToJson(const Container& container) {
  const auto& seen = container.seen;
  json fields = json::object();
  for (const auto& [field, value] : seen.spec->fields) {
    fields[std::string(RowOf(field).name)] = ToJson(value);
  }
  return {{"name", seen.name},
          {"image", seen.image},
          {"image_id", seen.image_id},
          {"state", ContainerStateName(seen.state)},
          {"exit_code", seen.exit_code},
          {"created_at", ToJson(seen.created_at)},
          {"started_at", ToJson(seen.started_at)},
          {"labels", seen.labels},
          {"restart_policy", *seen.restart_policy},
          {"lock_dir", *seen.lock_dir},
          {"spec",
           {{"environment", seen.spec->environment},
            {"labels", seen.spec->labels},
            {"fields", fields}}},
          {"environment", container.environment},
          {"networks", container.networks},
          {"process", container.process}};
}

Container ContainerOf(const std::string& id, const json& from) {
  Container container;
  auto& seen = container.seen;
  seen.id = id;
  from.at("name").get_to(seen.name);
  from.at("image").get_to(seen.image);
  from.at("image_id").get_to(seen.image_id);
  seen.state = lockstep::ContainerStateFromName(from.at("state").get<std::string>())
                   .value_or(lockstep::ContainerState::kExited);
  from.at("exit_code").get_to(seen.exit_code);
  seen.created_at = TimeOf(from.at("created_at"));
  seen.started_at = TimeOf(from.at("started_at"));
  from.at("labels").get_to(seen.labels);
  seen.restart_policy = from.at("restart_policy").get<std::string>();
  seen.lock_dir = from.at("lock_dir").get<std::string>();
  ServiceSpec spec;
  spec.image = seen.image;
  const json& spec_json = from.at("spec");
  spec_json.at("environment").get_to(spec.environment);
  spec_json.at("labels").get_to(spec.labels);
  for (const auto& [name, value] : spec_json.at("fields").items()) {
    if (const auto* row = lockstep::FindServiceField(name)) spec.Set(row->field, ValueOf(value));
  }
  seen.spec = spec;
  from.at("environment").get_to(container.environment);
  from.at("networks").get_to(container.networks);
  from.at("process").get_to(container.process);
  Recognise(seen);
  return container;
}

// Networks and volumes: what both have.
template <typename Resource>
json ResourceToJson(const Resource& resource) {
  return {{"name", resource.name},
          {"app", resource.app},
          {"app_id", resource.app_id},
          {"config", ToJson(resource.config)}};
}

template <typename Resource>
Resource ResourceOf(const json& from) {
  Resource resource;
  from.at("name").get_to(resource.name);
  from.at("app").get_to(resource.app);
  from.at("app_id").get_to(resource.app_id);
  resource.config = ValueOf(from.at("config"));
  resource.owned = true;
  return resource;
}

}  // namespace

void Recognise(lockstep::ObservedContainer& container) {
  const auto identity = lockstep::IdentityOf(container.labels, {});
  container.app = identity.app;
  container.app_id = identity.app_id;
  container.service = identity.service;
  container.owned = identity.owned;
  container.commit = lockstep::CommitOfName(container.name);
  const auto hash = container.labels.find(std::string(lockstep::kLabelConfigHash));
  container.config_hash = hash == container.labels.end() ? std::string() : hash->second;
}

Result<Books> ReadBooks(const std::string& file) {
  std::ifstream in(file);
  if (!in) return errno == ENOENT ? Result<Books>(Books()) : Refused("open " + file, errno);
  try {  // The library throws; nothing leaves this function.
    const json all = json::parse(in);
    Books books;
    for (const auto& [id, container] : all.at("containers").items()) {
      books.containers[id] = ContainerOf(id, container);
    }
    for (const json& network : all.at("networks")) {
      books.networks.push_back(ResourceOf<lockstep::ObservedNetwork>(network));
      network.at("id").get_to(books.networks.back().id);
    }
    for (const json& volume : all.at("volumes")) {
      books.volumes.push_back(ResourceOf<lockstep::ObservedVolume>(volume));
    }
    return books;
  } catch (const json::exception& damage) {
    return MakeError(ErrorCode::kUnavailable, file + " is damaged: " + damage.what());
  }
}

Result<void> WriteBooks(const std::string& file, const Books& books) {
  json all = {
      {"containers", json::object()}, {"networks", json::array()}, {"volumes", json::array()}};
  for (const auto& [id, container] : books.containers) all["containers"][id] = ToJson(container);
  for (const auto& network : books.networks) {
    all["networks"].push_back(ResourceToJson(network));
    all["networks"].back()["id"] = network.id;
  }
  for (const auto& volume : books.volumes) all["volumes"].push_back(ResourceToJson(volume));
  const std::string text = all.dump(1, ' ', false, json::error_handler_t::replace);
  const std::string part = file + ".part";
  const int fd = open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return Refused("write " + part, errno);
  const auto written = write(fd, text.data(), text.size());
  const bool whole = written == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  const int reason = written < 0 || whole ? errno : ENOSPC;
  close(fd);
  if (!whole) return Refused("write " + part, reason);
  if (std::rename(part.c_str(), file.c_str()) != 0) return Refused("replace " + file, errno);
  return Ok();
}

}  // namespace custom
