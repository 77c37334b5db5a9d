#include "resources.h"

#include <string>
#include <string_view>
#include <utility>

#include "engine_names.h"
#include "lockstep/resource_definition.h"

namespace lockstep::docker {
namespace {

void Copy(const Value& from, std::string_view member, Json& to, const char* key) {
  if (const Value* value = from.Find(member)) to[key] = FromValue(*value);
}

Json LabelsOf(const Value& config, const AppNames& names) {
  Json labels = ResourceLabels(names);
  if (const Value* own = config.Find("labels")) labels.update(FromValue(*own));
  return labels;
}

constexpr std::pair<std::string_view, const char*> kIpamMembers[] = {
    {"subnet", "Subnet"},
    {"gateway", "Gateway"},
    {"ip_range", "IPRange"},
    {"aux_addresses", "AuxiliaryAddresses"}};

Json IpamRequest(const Value& ipam) {
  Json json = Json::object();
  Copy(ipam, "driver", json, "Driver");
  Copy(ipam, "options", json, "Options");
  const Value* config = ipam.Find("config");
  if (config == nullptr || config->AsList() == nullptr) return json;
  for (const Value& pool : *config->AsList()) {
    Json entry = Json::object();
    for (const auto& [member, key] : kIpamMembers) Copy(pool, member, entry, key);
    json["Config"].push_back(std::move(entry));
  }
  return json;
}

void AddText(const Json& json, const char* key, std::string_view member, Value::Map& members) {
  if (std::string text = Text(json, key); !text.empty()) {
    members.push_back({std::string(member), std::move(text)});
  }
}

void AddFlag(const Json& json, const char* key, std::string_view member, Value::Map& members) {
  if (Flag(json, key)) members.push_back({std::string(member), true});
}

void AddMap(const Json& json, std::string_view member, Value::Map& members) {
  if (json.is_object() && !json.empty()) {
    members.push_back({std::string(member), ToValue(json)});
  }
}

Value ReadIpam(const Json& ipam, bool custom) {
  Value::Map members;
  AddText(ipam, "Driver", "driver", members);
  Json options = Map(ipam, "Options");
  if (Text(options, "driver") == "host-local") options.erase("driver");  // Podman's own word.
  AddMap(options, "options", members);
  Value::List pools;
  if (custom) {  // Else the addresses are the engine's own choice.
    for (const Json& pool : List(ipam, "Config")) {
      Value::Map entry;
      AddText(pool, "Subnet", "subnet", entry);
      AddText(pool, "Gateway", "gateway", entry);
      AddText(pool, "IPRange", "ip_range", entry);
      AddMap(At(pool, "AuxiliaryAddresses"), "aux_addresses", entry);
      pools.push_back(std::move(entry));
    }
  }
  if (!pools.empty()) members.push_back({"config", std::move(pools)});
  return members;
}

// A definition that the engine holds, in its canonical form; as it was read where it has none.
template <typename Normalize>
Value Canonical(Value::Map members, Normalize normalize) {
  Value raw(std::move(members));
  auto canonical = normalize(raw);
  return canonical ? std::move(canonical).assume_value() : raw;
}

template <typename Resource>
Value::Map ReadCommon(const Json& json, AppNames (*app_of)(const Labels&, std::string_view),
                      Resource& resource) {
  const Labels labels = TextMap(At(json, "Labels"));
  const std::string name = Text(json, "Name");
  const AppNames names = app_of(labels, name);
  resource.app = names.app;
  resource.app_id = names.app_id;
  resource.owned = !names.app.empty();
  resource.name = resource.owned ? names.Logical(name) : name;
  Value::Map members;
  AddText(json, "Driver", "driver", members);
  AddMap(At(json, "Options"), "driver_opts", members);
  AddMap(Json(WithoutAmbient(labels)), "labels", members);
  return members;
}

}  // namespace

Json NetworkRequest(const NetworkSpec& spec) {
  const AppNames names{spec.app, spec.app_id};
  Json json = {{"Name", names.Network(spec.name)},
               {"CheckDuplicate", true},
               {"Labels", LabelsOf(spec.config, names)}};
  Copy(spec.config, "driver", json, "Driver");
  Copy(spec.config, "driver_opts", json, "Options");
  Copy(spec.config, "internal", json, "Internal");
  Copy(spec.config, "attachable", json, "Attachable");
  Copy(spec.config, "enable_ipv6", json, "EnableIPv6");
  Copy(spec.config, "config_only", json, "ConfigOnly");
  if (const Value* ipam = spec.config.Find("ipam")) {
    json["IPAM"] = IpamRequest(*ipam);
    if (ipam->Find("config") != nullptr) json["Labels"][std::string(kLabelCustomIpam)] = "true";
  }
  return json;
}

Json VolumeRequest(const VolumeSpec& spec) {
  const AppNames names{spec.app, spec.app_id};
  Json json = {{"Name", names.Volume(spec.name)}, {"Labels", LabelsOf(spec.config, names)}};
  Copy(spec.config, "driver", json, "Driver");
  Copy(spec.config, "driver_opts", json, "DriverOpts");
  return json;
}

ObservedNetwork ReadNetwork(const Json& json) {
  ObservedNetwork network;
  network.id = Text(json, "Id");
  Value::Map members = ReadCommon(json, AppOfNetwork, network);
  AddFlag(json, "Internal", "internal", members);
  AddFlag(json, "Attachable", "attachable", members);
  AddFlag(json, "EnableIPv6", "enable_ipv6", members);
  AddFlag(json, "ConfigOnly", "config_only", members);
  const bool custom = !Text(At(json, "Labels"), kLabelCustomIpam.data()).empty();
  members.push_back({"ipam", ReadIpam(At(json, "IPAM"), custom)});
  network.config = Canonical(std::move(members), NormalizeNetworkDefinition);
  return network;
}

ObservedVolume ReadVolume(const Json& json) {
  ObservedVolume volume;
  volume.config = Canonical(ReadCommon(json, AppOfVolume, volume), NormalizeVolumeDefinition);
  return volume;
}

}  // namespace lockstep::docker
