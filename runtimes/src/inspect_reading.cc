#include "inspect_reading.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "field_places.h"

namespace lockstep::docker {
namespace {

// Everything a reader of one field may need.
struct Source {
  const Json& container;
  const Json& config;
  const Json& host;
  const Json& image_config;
  const AppNames& names;
  const std::string& service;
};

// An engine says null, "", 0, false or [] where nothing was asked for.
bool IsNothing(const Json& value) {
  if (value.is_null()) return true;
  if (value.is_string() || value.is_array() || value.is_object()) return value.empty();
  if (value.is_number()) return value == 0;
  return false;
}

// A value that the table of fields does not accept is left out: it cannot have come from a target.
void SetNormalized(ServiceSpec& spec, Field field, const Value& raw) {
  // Sorts and checks; by way of the words of a target, since that is what is normalised.
  auto canonical = NormalizeField(RowOf(field), DenormalizeField(RowOf(field), raw));
  if (canonical) spec.Set(field, std::move(canonical).assume_value());
}

void ReadPlaces(const Source& from, ServiceSpec& spec) {
  for (const FieldPlace& place : kFieldPlaces) {
    const Json& section = place.section == Section::kConfig ? from.config : from.host;
    const Json& value = At(section, place.key);
    if (value.is_string() && value.get_ref<const std::string&>().empty()) continue;
    if (IsNothing(value)) continue;
    if (place.from_image && value == At(from.image_config, place.key)) continue;
    SetNormalized(spec, place.field, ToValue(value));
  }
}

// The engine writes "label=disable" itself where a container shares what labels would keep apart.
void ReadSecurity(const Source& from, ServiceSpec& spec) {
  const bool shares = Flag(from.host, "Privileged") || Text(from.host, "PidMode") == "host" ||
                      Text(from.host, "IpcMode") == "host";
  Value::List options;
  for (std::string& option : TextList(At(from.host, "SecurityOpt"))) {
    if (!shares || option != "label=disable") options.push_back(std::move(option));
  }
  SetNormalized(spec, Field::kSecurityOpt, std::move(options));
}

void ReadEnvironment(const Source& from, ServiceSpec& spec) {
  const auto inherited = TextList(At(from.image_config, "Env"));
  for (const std::string& entry : TextList(At(from.config, "Env"))) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos) continue;
    if (std::find(inherited.begin(), inherited.end(), entry) != inherited.end()) continue;
    const std::string name = entry.substr(0, equals);
    std::string value = entry.substr(equals + 1);
    if (!IsAmbientVariable(name, value)) spec.environment[name] = std::move(value);
  }
}

void ReadLabels(const Source& from, ServiceSpec& spec) {
  const Labels inherited = TextMap(At(from.image_config, "Labels"));
  spec.labels = WithoutAmbient(TextMap(At(from.config, "Labels")));
  std::erase_if(spec.labels, [&](const auto& label) {
    const auto it = inherited.find(label.first);
    return it != inherited.end() && it->second == label.second;
  });
}

void ReadPorts(const Source& from, ServiceSpec& spec) {
  const Json& bindings = Map(from.host, "PortBindings");
  Value::List ports;
  for (const auto& [target, places] : bindings.items()) {
    if (!places.is_array()) continue;
    for (const Json& place : places) {
      std::string ip = Text(place, "HostIp");
      if (ip.find(':') != std::string::npos) ip = "[" + ip + "]";
      const std::string protocol = target.find('/') == std::string::npos ? "/tcp" : "";
      ports.push_back(ip + ":" + Text(place, "HostPort") + ":" + target + protocol);
    }
  }
  SetNormalized(spec, Field::kPorts, std::move(ports));
  Value::List exposed;
  const Json& inherited = Map(from.image_config, "ExposedPorts");
  for (const auto& [target, nothing] : Map(from.config, "ExposedPorts").items()) {
    if (!inherited.contains(target) && !bindings.contains(target)) exposed.push_back(target);
  }
  SetNormalized(spec, Field::kExpose, std::move(exposed));
}

void ReadDevices(const Source& from, ServiceSpec& spec) {
  Value::List devices;
  for (const Json& device : List(from.host, "Devices")) {
    devices.push_back(Text(device, "PathOnHost") + ":" + Text(device, "PathInContainer") + ":" +
                      Text(device, "CgroupPermissions"));
  }
  SetNormalized(spec, Field::kDevices, std::move(devices));
}

void ReadUlimits(const Source& from, ServiceSpec& spec) {
  Value::Map limits;
  for (const Json& limit : List(from.host, "Ulimits")) {
    limits.push_back({Text(limit, "Name"), Value::Map{{"hard", Number(limit, "Hard")},
                                                      {"soft", Number(limit, "Soft")}}});
  }
  spec.Set(Field::kUlimits, std::move(limits));
}

void ReadHealthcheck(const Source& from, ServiceSpec& spec) {
  const Json& check = Map(from.config, "Healthcheck");
  const Json& inherited = Map(from.image_config, "Healthcheck");
  const auto differs = [&](const char* key) {
    return !IsNothing(At(check, key)) && At(check, key) != At(inherited, key);
  };
  Value::Map members;
  if (differs("Test")) members.push_back({"test", ToValue(At(check, "Test"))});
  constexpr std::pair<const char*, const char*> kNumbers[] = {{"Interval", "interval"},
                                                              {"Timeout", "timeout"},
                                                              {"StartPeriod", "start_period"},
                                                              {"Retries", "retries"}};
  for (const auto& [key, name] : kNumbers) {
    if (differs(key)) members.push_back({name, Number(check, key)});
  }
  spec.Set(Field::kHealthcheck, std::move(members));
}

// "source:/target[:options]", as the engine keeps what was asked for in that short form.
Value ReadBind(const std::string& text, const AppNames& names) {
  const auto target_at = text.find(":/");
  if (target_at == std::string::npos) return {};
  std::string target = text.substr(target_at + 1);
  std::string options;
  if (const auto colon = target.find(':'); colon != std::string::npos) {
    options = "," + target.substr(colon + 1) + ",";
    target.resize(colon);
  }
  if (IsLockMount(target)) return {};
  const std::string source = text.substr(0, target_at);
  const bool bind = source.starts_with('/');
  Value::Map volume{{"source", bind ? source : names.Logical(source)},
                    {"target", target},
                    {"type", bind ? "bind" : "volume"}};
  if (options.find(",ro,") != std::string::npos) volume.push_back({"read_only", true});
  if (options.find(",nocopy,") != std::string::npos) volume.push_back({"nocopy", true});
  return volume;
}

Value ReadMount(const Json& mount, const AppNames& names) {
  const std::string type = Text(mount, "Type");
  const std::string source = Text(mount, "Source");
  Value::Map volume{{"target", Text(mount, "Target")}, {"type", type}};
  if (Flag(mount, "ReadOnly")) volume.push_back({"read_only", true});
  if (type == "volume" && !source.empty()) {
    volume.push_back({"source", names.Logical(source)});
  } else if (type == "bind") {
    volume.push_back({"source", source});
    volume.push_back({"must_exist", true});
  }
  if (Flag(At(mount, "VolumeOptions"), "NoCopy")) volume.push_back({"nocopy", true});
  const Json& tmpfs = At(mount, "TmpfsOptions");
  if (const auto size = Number(tmpfs, "SizeBytes"); size != 0) volume.push_back({"size", size});
  if (const auto mode = Number(tmpfs, "Mode"); mode != 0) volume.push_back({"mode", mode});
  return volume;
}

void ReadVolumes(const Source& from, ServiceSpec& spec) {
  Value::List volumes;
  std::set<std::string> targets;
  const auto add = [&](Value volume) {
    const Value* target = volume.Find("target");
    if (target == nullptr || !targets.insert(*target->AsString()).second) return;
    volumes.push_back(std::move(volume));
  };
  for (const std::string& bind : TextList(At(from.host, "Binds"))) {
    add(ReadBind(bind, from.names));
  }
  for (const Json& mount : List(from.host, "Mounts")) add(ReadMount(mount, from.names));
  const Json& inherited = Map(from.image_config, "Volumes");
  for (const auto& [target, nothing] : Map(from.config, "Volumes").items()) {
    if (!inherited.contains(target)) add(Value::Map{{"target", target}, {"type", "volume"}});
  }
  std::sort(volumes.begin(), volumes.end());
  spec.Set(Field::kVolumes, std::move(volumes));
  Value::List tmpfs;
  for (const auto& [target, options] : TextMap(At(from.host, "Tmpfs"))) {
    tmpfs.push_back(options.empty() ? target : target + ":" + options);
  }
  SetNormalized(spec, Field::kTmpfs, std::move(tmpfs));
}

Value ReadEndpoint(const Json& endpoint, const Source& from) {
  // The engine adds the short id, and where a host name was asked for that too.
  const std::string short_id = Text(from.container, "Id").substr(0, 12);
  const std::string hostname = Text(from.config, "Hostname");
  Value::Map members;
  Value::List aliases;
  for (const std::string& alias : TextList(At(endpoint, "Aliases"))) {
    if (alias != from.service && alias != short_id && alias != hostname) aliases.push_back(alias);
  }
  std::sort(aliases.begin(), aliases.end());
  aliases.erase(std::unique(aliases.begin(), aliases.end()), aliases.end());
  if (!aliases.empty()) members.push_back({"aliases", std::move(aliases)});
  const Json& addresses = At(endpoint, "IPAMConfig");
  for (const auto& [key, name] :
       {std::pair{"IPv4Address", "ipv4_address"}, std::pair{"IPv6Address", "ipv6_address"},
        std::pair{"LinkLocalIPs", "link_local_ips"}}) {
    if (const Json& value = At(addresses, key); !IsNothing(value)) {
      members.push_back({name, ToValue(value)});
    }
  }
  return members;
}

void ReadNetworks(const Source& from, const std::string& shared_service, ServiceSpec& spec) {
  const std::string mode = Text(from.host, "NetworkMode");
  if (mode.starts_with("container:")) {
    spec.Set(Field::kNetworkMode, shared_service.empty() ? mode : "service:" + shared_service);
    return;
  }
  if (mode == "host" || mode == "none" || mode == "bridge") {
    spec.Set(Field::kNetworkMode, mode);
    return;
  }
  Value::Map networks;
  for (const auto& [name, endpoint] :
       Map(At(from.container, "NetworkSettings"), "Networks").items()) {
    if (!from.names.Owns(name)) continue;
    networks.push_back({from.names.Logical(name), ReadEndpoint(endpoint, from)});
  }
  SetNormalized(spec, Field::kNetworks, Value(std::move(networks)));
}

void ReadHostname(const Source& from, ServiceSpec& spec) {
  const std::string hostname = Text(from.config, "Hostname");
  const std::string mode = Text(from.host, "NetworkMode");
  // The engine fills it in: from the id, or from the host or container whose network is shared.
  const bool chosen = mode != "host" && !mode.starts_with("container:") &&
                      hostname != Text(from.container, "Id").substr(0, 12);
  if (chosen) spec.Set(Field::kHostname, hostname);
}

}  // namespace

ServiceSpec ReadSpec(const Json& container, const Json& image, const AppNames& names,
                     const std::string& service, const std::string& shared_service) {
  const Source from{
      container, At(container, "Config"), At(container, "HostConfig"), At(image, "Config"), names,
      service};
  ServiceSpec spec;
  spec.image = Text(from.config, "Image");
  ReadPlaces(from, spec);
  ReadSecurity(from, spec);
  ReadEnvironment(from, spec);
  ReadLabels(from, spec);
  ReadPorts(from, spec);
  ReadDevices(from, spec);
  ReadUlimits(from, spec);
  ReadHealthcheck(from, spec);
  ReadVolumes(from, spec);
  ReadNetworks(from, shared_service, spec);
  ReadHostname(from, spec);
  // The policy in force may be set aside for an update; the label keeps what was asked for.
  const std::string asked = Text(At(from.config, "Labels"), kLabelRestart.data());
  SetNormalized(spec, Field::kRestart, asked.empty() ? ReadRestartPolicy(container) : asked);
  if (const auto grace = Number(from.config, "StopTimeout"); grace > 0 && grace < 1'000'000'000) {
    spec.Set(Field::kStopGracePeriod, grace * 1'000'000'000);
  }
  return spec;
}

std::string ReadRestartPolicy(const Json& container) {
  const Json& policy = At(container, "HostConfig", "RestartPolicy");
  const std::string name = Text(policy, "Name");
  if (name.empty()) return "no";
  const std::int64_t retries = Number(policy, "MaximumRetryCount");
  const bool limited = name == "on-failure" && retries > 0;
  return limited ? name + ":" + std::to_string(retries) : name;
}

}  // namespace lockstep::docker
