#include "create_request.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "engine_names.h"
#include "field_places.h"
#include "field_reading.h"
#include "mount_json.h"

namespace lockstep::docker {
namespace {

using Ids = std::map<std::string, std::string>;

// "ip:host:container/proto", the address in brackets where it is IPv6.
void AddPort(std::string_view port, Json& exposed, Json& bindings) {
  const auto container = port.rfind(':');
  if (container == std::string_view::npos || container == 0) return;
  const auto host = port.rfind(':', container - 1);
  if (host == std::string_view::npos) return;
  std::string_view ip = port.substr(0, host);
  if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
  const std::string target(port.substr(container + 1));
  exposed[target] = Json::object();
  bindings[target].push_back(
      {{"HostIp", std::string(ip)},
       {"HostPort", std::string(port.substr(host + 1, container - host - 1))}});
}

void AddPorts(const ServiceSpec& spec, Json& config, Json& host) {
  Json exposed = Json::object();
  Json bindings = Json::object();
  for (const Value& port : ListOf(spec.Find(Field::kExpose)))
    exposed[TextOf(&port)] = Json::object();
  for (const Value& port : ListOf(spec.Find(Field::kPorts)))
    AddPort(TextOf(&port), exposed, bindings);
  if (!exposed.empty()) config["ExposedPorts"] = std::move(exposed);
  if (!bindings.empty()) host["PortBindings"] = std::move(bindings);
}

void AddDevices(const ServiceSpec& spec, Json& host) {
  for (const Value& device : ListOf(spec.Find(Field::kDevices))) {
    const std::string text = TextOf(&device);
    const auto permissions = text.rfind(':');
    if (permissions == std::string::npos || permissions == 0) continue;
    const auto container = text.rfind(':', permissions - 1);
    if (container == std::string::npos) continue;
    host["Devices"].push_back(
        {{"PathOnHost", text.substr(0, container)},
         {"PathInContainer", text.substr(container + 1, permissions - container - 1)},
         {"CgroupPermissions", text.substr(permissions + 1)}});
  }
}

void AddGpus(const ServiceSpec& spec, Json& host) {
  for (const Value& gpu : ListOf(spec.Find(Field::kGpus))) {
    const Value* options = gpu.Find("options");
    Json ids = Json::array();
    for (const Value& id : ListOf(gpu.Find("device_ids"))) ids.push_back(TextOf(&id));
    Json capabilities = Json::array();
    for (const Value& one : ListOf(gpu.Find("capabilities"))) capabilities.push_back(TextOf(&one));
    host["DeviceRequests"].push_back(
        {{"Driver", TextOf(gpu.Find("driver"))},
         {"Count", IntOf(gpu.Find("count"))},
         {"DeviceIDs", std::move(ids)},
         {"Capabilities", Json::array({std::move(capabilities)})},
         {"Options", options == nullptr ? Json::object() : FromValue(*options)}});
  }
}

void AddHealthcheck(const ServiceSpec& spec, Json& config) {
  const Value* check = spec.Find(Field::kHealthcheck);
  if (check == nullptr) return;
  Json json = Json::object();
  if (const Value* test = check->Find("test")) json["Test"] = FromValue(*test);
  for (const auto& [name, key] : kHealthNumbers) {
    if (const Value* number = check->Find(name)) json[key] = FromValue(*number);
  }
  config["Healthcheck"] = std::move(json);
}

void AddLimits(const ServiceSpec& spec, Json& config, Json& host) {
  for (const auto& [name, limit] : MapOf(spec.Find(Field::kUlimits))) {
    host["Ulimits"].push_back(
        {{"Name", name}, {"Soft", IntOf(limit.Find("soft"))}, {"Hard", IntOf(limit.Find("hard"))}});
  }
  if (const Value* grace = spec.Find(Field::kStopGracePeriod)) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    const std::int64_t nanoseconds = IntOf(grace);
    config["StopTimeout"] = nanoseconds / kSecond + (nanoseconds % kSecond == 0 ? 0 : 1);
  }
  host["RestartPolicy"] = RestartPolicyJson(RestartPolicyOf(spec));
}

// The network the container is created with: the one of highest priority, else the first.
const Value::Member* MainNetwork(const Value::Map& networks) {
  const auto priority = [](const Value::Member& m) { return IntOf(m.value.Find("priority")); };
  const auto main =
      std::max_element(networks.begin(), networks.end(),
                       [&](const auto& a, const auto& b) { return priority(a) < priority(b); });
  return main == networks.end() ? nullptr : &*main;
}

// "service:web" -> "container:<id>"; anything else as it is.
std::string NamespaceMode(const Value* value, const Ids& shared) {
  constexpr std::string_view kService = "service:";
  std::string mode = TextOf(value);
  if (!mode.starts_with(kService)) return mode;
  const auto it = shared.find(mode.substr(kService.size()));
  return "container:" + (it == shared.end() ? std::string() : it->second);
}

void AddNamespaces(const ServiceSpec& spec, const Ids& shared, Json& host) {
  constexpr std::pair<Field, const char*> kModes[] = {
      {Field::kNetworkMode, "NetworkMode"}, {Field::kPid, "PidMode"}, {Field::kIpc, "IpcMode"}};
  for (const auto& [field, key] : kModes) {
    if (const Value* mode = spec.Find(field)) host[key] = NamespaceMode(mode, shared);
  }
}

void AddLogging(const ServiceSpec& spec, Json& host) {
  const Value* logging = spec.Find(Field::kLogging);
  if (logging == nullptr) return;
  const Value* options = logging->Find("options");
  host["LogConfig"] = {{"Type", TextOf(logging->Find("driver"))},
                       {"Config", options == nullptr ? Json::object() : FromValue(*options)}};
}

void AddNetworks(const ContainerSpec& spec, const AppNames& names, CreateRequest& request) {
  Json& host = request.body["HostConfig"];
  const std::string mode = TextOf(spec.spec.Find(Field::kNetworkMode));
  const Value::Map& networks = MapOf(spec.spec.Find(Field::kNetworks));
  const Value::Member* main = mode.empty() ? MainNetwork(networks) : nullptr;
  if (main == nullptr) return;
  host["NetworkMode"] = names.Network(main->key);
  for (const Value::Member& network : networks) {
    Json endpoint = EndpointSettings(network.value, spec.service);
    std::string name = names.Network(network.key);
    if (&network == main) {
      request.body["NetworkingConfig"]["EndpointsConfig"][name] = std::move(endpoint);
    } else {
      request.further_networks.emplace_back(std::move(name), std::move(endpoint));
    }
  }
}

}  // namespace

CreateRequest MakeCreateRequest(const ContainerSpec& spec, const Ids& shared) {
  CreateRequest request;
  Json config = Json::object();
  Json host = Json::object();
  for (const FieldPlace& place : kFieldPlaces) {
    const Value* value = spec.spec.Find(place.field);
    if (value == nullptr) continue;
    (place.section == Section::kConfig ? config : host)[place.key] = FromValue(*value);
  }
  const AppNames names{spec.app, spec.app_id};
  config["Image"] = spec.spec.image;
  std::map<std::string, std::string> environment = spec.spec.environment;
  environment.insert(spec.environment.begin(), spec.environment.end());
  config["Env"] = Json::array();
  for (const auto& [name, value] : environment) config["Env"].push_back(name + "=" + value);
  Labels labels = spec.labels;
  labels.insert(spec.spec.labels.begin(), spec.spec.labels.end());
  config["Labels"] = labels;
  AddPorts(spec.spec, config, host);
  AddDevices(spec.spec, host);
  AddGpus(spec.spec, host);
  AddMounts(spec, names, host);
  AddHealthcheck(spec.spec, config);
  AddLimits(spec.spec, config, host);
  AddNamespaces(spec.spec, shared, host);
  AddLogging(spec.spec, host);
  config["HostConfig"] = std::move(host);
  request.body = std::move(config);
  AddNetworks(spec, names, request);
  return request;
}

void MoveMacAddress(CreateRequest& request) {
  const auto mac = request.body.find("MacAddress");
  const auto networking = request.body.find("NetworkingConfig");
  if (mac == request.body.end() || networking == request.body.end()) return;
  for (Json& endpoint : (*networking)["EndpointsConfig"]) endpoint["MacAddress"] = *mac;
  request.body.erase(mac);
}

Json EndpointSettings(const Value& endpoint, const std::string& service) {
  Json aliases = Json::array();
  if (const Value* given = endpoint.Find("aliases"); given != nullptr && given->AsList()) {
    aliases = FromValue(*given);
  }
  if (!service.empty() && std::find(aliases.begin(), aliases.end(), service) == aliases.end()) {
    aliases.push_back(service);
  }
  Json json = {{"Aliases", std::move(aliases)}};
  constexpr std::pair<std::string_view, const char*> kAddresses[] = {
      {"ipv4_address", "IPv4Address"},
      {"ipv6_address", "IPv6Address"},
      {"link_local_ips", "LinkLocalIPs"}};
  for (const auto& [name, key] : kAddresses) {
    if (const Value* address = endpoint.Find(name)) json["IPAMConfig"][key] = FromValue(*address);
  }
  if (const Value* options = endpoint.Find("driver_opts")) json["DriverOpts"] = FromValue(*options);
  return json;
}

Json RestartPolicyJson(const std::string& policy) {
  const auto colon = policy.find(':');
  int retries = 0;
  if (colon != std::string::npos) {
    std::from_chars(policy.data() + colon + 1, policy.data() + policy.size(), retries);
  }
  return {{"Name", policy.substr(0, colon)}, {"MaximumRetryCount", retries}};
}

}  // namespace lockstep::docker
