#include "inspect_reading.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "field_places.h"
#include "field_reading.h"
#include "mount_json.h"

namespace lockstep::docker {
namespace {

constexpr std::string_view kContainer = "container:";
constexpr const char* kNamespaceKeys[] = {"NetworkMode", "PidMode", "IpcMode"};

// Everything a reader of one field may need.
struct Source {
  const Json& container;
  const Json& config;
  const Json& host;
  const Surroundings& around;
};

// What the engine names a container by where nobody else does.
std::string ShortId(const Json& container) { return CleanText(Text(container, "Id"), 12); }

void ReadPlaces(const Json& config, const Json& host, bool image, ServiceSpec& spec) {
  for (const FieldPlace& place : kFieldPlaces) {
    if (image && !place.from_image) continue;
    const Json& value = At(place.section == Section::kConfig ? config : host, place.key);
    if (!value.is_null() && value != "") SetNormalized(spec, place.field, ToValue(value));
  }
}

void ReadTexts(const Json& config, ServiceSpec& spec) {
  for (const std::string& entry : TextList(At(config, "Env"))) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos) continue;
    const std::string name = entry.substr(0, equals);
    std::string value = entry.substr(equals + 1);
    if (!IsAmbientVariable(name, value)) spec.environment[name] = std::move(value);
  }
  spec.labels = WithoutAmbient(TextMap(At(config, "Labels")));
}

// What balena-supervisor told it, under either name.
std::string ReadApiKey(const Json& config) {
  for (const std::string& entry : TextList(At(config, "Env"))) {
    for (const std::string_view name :
         {"BALENA_SUPERVISOR_API_KEY=", "RESIN_SUPERVISOR_API_KEY="}) {
      if (entry.starts_with(name)) return entry.substr(name.size());
    }
  }
  return {};
}

Value::List Exposed(const Json& config) {
  Value::List ports;
  for (const auto& [port, nothing] : Map(config, "ExposedPorts").items()) ports.push_back(port);
  return ports;
}

void ReadHealthcheck(const Json& config, ServiceSpec& spec) {
  const Json& check = Map(config, "Healthcheck");
  Value::Map members;
  if (const Json& test = At(check, "Test"); !test.empty())
    members.push_back({"test", ToValue(test)});
  for (const auto& [name, key] : kHealthNumbers) {
    if (const auto number = Number(check, key); number != 0) {
      members.push_back({std::string(name), number});
    }
  }
  if (!members.empty()) SetNormalized(spec, Field::kHealthcheck, std::move(members));
}

void ReadPorts(const Source& from, Reading& reading) {
  Value::List ports;
  Value::List published;
  for (const auto& [target, places] : Map(from.host, "PortBindings").items()) {
    if (!places.is_array()) continue;
    published.push_back(target);
    for (const Json& place : places) {
      std::string ip = Text(place, "HostIp");
      if (ip.find(':') != std::string::npos) ip = "[" + ip + "]";
      const std::string protocol = target.find('/') == std::string::npos ? "/tcp" : "";
      ports.push_back(ip + ":" + Text(place, "HostPort") + ":" + target + protocol);
    }
  }
  SetNormalized(reading.spec, Field::kPorts, std::move(ports));
  SetNormalized(reading.spec, Field::kExpose, Exposed(from.config));
  // To publish a port is to expose it.
  const Value::List& inherited = ListOf(reading.implied.Find(Field::kExpose));
  published.insert(published.end(), inherited.begin(), inherited.end());
  SetNormalized(reading.implied, Field::kExpose, std::move(published));
}

void ReadDevices(const Source& from, ServiceSpec& spec) {
  Value::List devices;
  for (const Json& device : List(from.host, "Devices")) {
    devices.push_back(Text(device, "PathOnHost") + ":" + Text(device, "PathInContainer") + ":" +
                      Text(device, "CgroupPermissions"));
  }
  SetNormalized(spec, Field::kDevices, std::move(devices));
}

// An engine knows alternatives of capabilities, which a specification does not: only the first.
void ReadGpus(const Source& from, ServiceSpec& spec) {
  Value::List gpus;
  for (const Json& request : List(from.host, "DeviceRequests")) {
    const Json& alternatives = List(request, "Capabilities");
    Value::Map members = {{"driver", Text(request, "Driver")},
                          {"device_ids", ToValue(List(request, "DeviceIDs"))},
                          {"options", ToValue(Map(request, "Options"))}};
    if (!alternatives.empty()) members.push_back({"capabilities", ToValue(alternatives.front())});
    if (const auto count = Number(request, "Count"); count != 0) {
      members.push_back({"count", count});
    }
    gpus.push_back(std::move(members));
  }
  SetNormalized(spec, Field::kGpus, std::move(gpus));
}

void ReadLimits(const Source& from, Reading& reading) {
  Value::Map limits;
  for (const Json& limit : List(from.host, "Ulimits")) {
    limits.push_back({Text(limit, "Name"), Value::Map{{"hard", Number(limit, "Hard")},
                                                      {"soft", Number(limit, "Soft")}}});
  }
  SetNormalized(reading.spec, Field::kUlimits, std::move(limits));
  if (const std::int64_t memory = IntOf(reading.spec.Find(Field::kMemLimit)); memory > 0) {
    constexpr std::int64_t kMost = std::int64_t{1} << 61;
    const std::int64_t both = std::min(memory, kMost) * 2;
    reading.implied.Set(Field::kMemswapLimit, from.around.defaults.limits_swap ? both : -1);
  }
  const Json& grace = At(from.config, "StopTimeout");
  if (const auto seconds = Number(from.config, "StopTimeout");
      grace.is_number() && seconds >= 0 && seconds < 1'000'000'000) {
    reading.spec.Set(Field::kStopGracePeriod, seconds * 1'000'000'000);
  }
}

void ReadLogging(const Source& from, Reading& reading) {
  const Json& logging = At(from.host, "LogConfig");
  Value::Map members;
  if (std::string driver = Text(logging, "Type"); !driver.empty()) {
    members.push_back({"driver", std::move(driver)});
  }
  members.push_back({"options", ToValue(Map(logging, "Config"))});
  SetNormalized(reading.spec, Field::kLogging, std::move(members));
  SetNormalized(reading.implied, Field::kLogging,
                Value::Map{{"driver", from.around.defaults.log_driver}});
  SetNormalized(reading.implied, Field::kRuntime, from.around.defaults.runtime);
}

Value ReadEndpoint(const Json& endpoint) {
  Value::Map members;
  members.push_back({"aliases", ToValue(List(endpoint, "Aliases"))});
  members.push_back({"driver_opts", ToValue(Map(endpoint, "DriverOpts"))});
  const Json& addresses = At(endpoint, "IPAMConfig");
  for (const auto& [key, name] :
       {std::pair{"IPv4Address", "ipv4_address"}, std::pair{"IPv6Address", "ipv6_address"},
        std::pair{"LinkLocalIPs", "link_local_ips"}}) {
    const Json& value = At(addresses, key);
    if (!value.empty() && value != "") members.push_back({name, ToValue(value)});
  }
  return members;
}

// The mode that `key` says of a namespace; the service in place of its container.
std::string ModeOf(const Source& from, const char* key) {
  const std::string mode = Text(from.host, key);
  if (!mode.starts_with(kContainer)) return mode;
  const auto service = from.around.services.find(mode.substr(kContainer.size()));
  return service == from.around.services.end() ? mode : "service:" + service->second;
}

void ReadNetworks(const Source& from, Reading& reading) {
  const std::string mode = ModeOf(from, "NetworkMode");
  if (mode == "bridge") reading.implied.Set(Field::kNetworkMode, mode);
  if (mode == "host" || mode == "none" || mode == "bridge" || mode.find(':') != std::string::npos) {
    SetNormalized(reading.spec, Field::kNetworkMode, mode);
    return;
  }
  // The service's name goes with every network; the engine adds the short id and the host name.
  const Value::List own = {from.around.service, ShortId(from.container),
                           Text(from.config, "Hostname")};
  Value::Map networks;
  Value::Map implied;
  for (const auto& [name, endpoint] :
       Map(At(from.container, "NetworkSettings"), "Networks").items()) {
    if (!from.around.names.Owns(name)) continue;
    std::string logical = from.around.names.Logical(name);
    implied.push_back({logical, Value::Map{{"aliases", own}}});
    networks.push_back({std::move(logical), ReadEndpoint(endpoint)});
  }
  // The engine's bridge is where a container goes without a word about networks.
  if (mode == "default" && networks.empty()) reading.implied.Set(Field::kNetworkMode, "bridge");
  SetNormalized(reading.spec, Field::kNetworks, Value(std::move(networks)));
  SetNormalized(reading.implied, Field::kNetworks, std::move(implied));
}

void ReadNamespaces(const Source& from, Reading& reading) {
  SetNormalized(reading.spec, Field::kPid, ModeOf(from, "PidMode"));
  SetNormalized(reading.spec, Field::kIpc, ModeOf(from, "IpcMode"));
  // The engine writes the host name itself: from the id, or of whose network is shared.
  const std::string hostname = Text(from.config, "Hostname");
  const std::string mode = Text(from.host, "NetworkMode");
  if (mode == "host" || mode.starts_with(kContainer) || hostname == ShortId(from.container)) {
    reading.implied.Set(Field::kHostname, hostname);
  }
  // And this, where a container shares what labels would keep apart.
  if (Flag(from.host, "Privileged") || Text(from.host, "PidMode") == "host" ||
      Text(from.host, "IpcMode") == "host") {
    reading.implied.Set(Field::kSecurityOpt, Value::List{"label=disable"});
  }
}

// What every container of this image has. In the words of other programs, which write out what the
// image leaves open, too.
ServiceSpec ReadImage(const Json& config) {
  ServiceSpec spec;
  spec.Set(Field::kStopSignal, "SIGTERM");
  spec.Set(Field::kEntrypoint, Value::List{});
  spec.Set(Field::kHealthcheck, Value::Map{{"test", Value::List{"NONE"}}});
  ReadPlaces(config, Json(), true, spec);
  ReadHealthcheck(config, spec);
  ReadTexts(config, spec);
  SetNormalized(spec, Field::kExpose, Exposed(config));
  SetNormalized(spec, Field::kVolumes, AnonymousVolumes(config));
  return spec;
}

}  // namespace

EngineDefaults ReadDefaults(const Json& info) {
  EngineDefaults defaults;
  if (std::string driver = Text(info, "LoggingDriver"); !driver.empty()) {
    defaults.log_driver = std::move(driver);
  }
  if (std::string runtime = Text(info, "DefaultRuntime"); !runtime.empty()) {
    defaults.runtime = std::move(runtime);
  }
  if (At(info, "SwapLimit").is_boolean()) defaults.limits_swap = Flag(info, "SwapLimit");
  return defaults;
}

Reading ReadContainer(const Json& container, const Json& image, const Surroundings& around) {
  const Source from{container, At(container, "Config"), At(container, "HostConfig"), around};
  Reading reading;
  reading.implied = ReadImage(At(image, "Config"));
  ServiceSpec& spec = reading.spec;
  spec.image = Text(from.config, "Image");
  reading.implied.image = spec.image;
  ReadPlaces(from.config, from.host, false, spec);
  ReadTexts(from.config, spec);
  reading.api_key = ReadApiKey(from.config);
  // balena-supervisor gives this one to every container.
  if (const auto user = spec.environment.find("USER");
      user != spec.environment.end() && user->second == "root") {
    reading.implied.environment.insert_or_assign("USER", "root");
  }
  ReadHealthcheck(from.config, spec);
  ReadMounts(from.config, from.host, around.names, spec);
  ReadDevices(from, spec);
  ReadGpus(from, spec);
  ReadPorts(from, reading);
  ReadLimits(from, reading);
  ReadLogging(from, reading);
  ReadNetworks(from, reading);
  ReadNamespaces(from, reading);
  // The policy in force may be set aside for an update; the label keeps what was asked for.
  const std::string asked = Text(At(from.config, "Labels"), kLabelRestart.data());
  SetNormalized(spec, Field::kRestart, asked.empty() ? ReadRestartPolicy(container) : asked);
  spec = WithoutImplied(std::move(spec), reading.implied);
  return reading;
}

std::vector<std::string> SharedContainers(const Json& container) {
  std::vector<std::string> ids;
  for (const char* key : kNamespaceKeys) {
    const std::string mode = Text(At(container, "HostConfig"), key);
    if (mode.starts_with(kContainer)) ids.push_back(mode.substr(kContainer.size()));
  }
  return ids;
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
