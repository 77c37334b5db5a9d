#include <algorithm>
#include <string_view>

#include "replay_world.h"

namespace lockstep::test {

using docker::Json;

namespace {

// The engine's own are those it had when it was recorded.
void AddPredefined(World& world) {
  if (!world.networks.empty()) return;
  for (const Json& body : world.recordings.Body("network-list")) {
    const std::string name = docker::Text(body, "Name");
    if (name != "bridge" && name != "host" && name != "none") continue;
    world.networks.push_back({docker::Text(body, "Id"), name, body});
  }
}

Reply Create(World& world, const Json& asked) {
  const Recordings& recordings = world.recordings;
  const std::string name = docker::Text(asked, "Name");
  if (!FindNetworks(world, name).empty()) {
    return recordings.Get("network-create-duplicate-checked").With("n1", name);
  }
  if (docker::Text(asked, "Driver") == "macvlan") return recordings.Get("network-create-macvlan");
  ReplayNetwork network{world.NewId(), name, recordings.Body("network-inspect")};
  Json& body = network.body;
  Json& ipam = Recorded(body, "IPAM");
  const std::string prefix = "172.29." + std::to_string(world.networks.size()) + ".";
  Recorded(ipam["Config"].front(), "Subnet") = prefix + "0/24";
  Recorded(ipam["Config"].front(), "Gateway") = prefix + "1";
  Recorded(body, "Labels") = Json::object();
  for (const auto& [key, value] : asked.items()) {
    if (key == "CheckDuplicate") continue;
    Json& member = Recorded(body, key);
    if (key != "IPAM") {
      member = value;
      continue;
    }
    for (const auto& [part, given] : value.items()) Recorded(member, part) = given;
  }
  Recorded(body, "Id") = network.id;
  Recorded(body, "Created") = TimeText(world.Tick());
  Reply reply = recordings.Get("network-create");
  Recorded(reply.body, "Id") = network.id;
  world.networks.push_back(std::move(network));
  return reply;
}

Reply List(World& world, const HttpCall& call) {
  const auto given = call.query.find("filters");
  const Json filters =
      given == call.query.end() ? Json() : docker::ParseJson(given->second).value_or(Json());
  Reply reply = world.recordings.Get("network-list");
  reply.body = Json::array();
  for (const ReplayNetwork& network : world.networks) {
    const Json& names = docker::List(filters, "name");
    const bool fits = std::all_of(names.begin(), names.end(), [&](const Json& name) {
      return network.name.find(name.get<std::string>()) != std::string::npos;
    });
    if (fits) reply.body.push_back(network.body);
  }
  return reply;
}

bool HasActiveEndpoints(const World& world, const std::string& network) {
  return std::any_of(world.containers.begin(), world.containers.end(), [&](const auto& entry) {
    const ReplayContainer& container = entry.second;
    if (container.state != ReplayContainer::State::kRunning) return false;
    return std::any_of(container.endpoints.begin(), container.endpoints.end(),
                       [&](const auto& endpoint) { return endpoint.second.network_id == network; });
  });
}

Reply Remove(World& world, const ReplayNetwork& network) {
  const std::string id = network.id;
  if (HasActiveEndpoints(world, id)) {
    Reply reply =
        world.recordings.Get("network-remove-in-use").With("network n1", "network " + network.name);
    auto& message = Recorded(reply.body, "message").get_ref<std::string&>();
    constexpr std::string_view kId = " id ";
    message.replace(message.find(kId) + kId.size(), 64, id);
    return reply;
  }
  std::erase_if(world.networks, [&](const ReplayNetwork& one) { return one.id == id; });
  return world.recordings.Get("network-remove");
}

Reply ConnectContainer(World& world, const ReplayNetwork& network, ReplayContainer& container,
                       const Json& asked) {
  const bool running = container.state == ReplayContainer::State::kRunning;
  if (running && container.endpoints.contains(network.name)) {
    return world.recordings.Get("network-connect-again")
        .With("endpoint with name nb", "endpoint with name " + container.name)
        .With("network n1", "network " + network.name);
  }
  container.endpoints[network.name] = {docker::At(asked, "EndpointConfig"),
                                       running ? network.id : std::string()};
  if (running) world.Say(network, "connect", container.id);
  return world.recordings.Get("network-connect");
}

Reply Disconnect(World& world, const ReplayNetwork& network, ReplayContainer& container) {
  if (container.endpoints.erase(network.name) == 0) {
    return world.recordings.Get("network-disconnect-not-connected");
  }
  return world.recordings.Get("network-disconnect");
}

std::optional<Reply> AnswerOne(World& world, const HttpCall& call, const std::string& asked,
                               std::string_view action) {
  const auto found = FindNetworks(world, asked);
  const Recordings& recordings = world.recordings;
  if (call.method == "DELETE") {
    if (found.empty()) return recordings.Get("network-remove-missing").With("n1", asked);
    return Remove(world, *found.front());
  }
  if (action != "/connect" && action != "/disconnect") return std::nullopt;
  if (found.empty()) return recordings.Get("network-connect-missing-network").With("nosuch", asked);
  const std::string name = docker::Text(call.body, "Container");
  ReplayContainer* container = FindContainer(world, name);
  if (container == nullptr) {
    return recordings.Get("network-connect-missing-container").With("nosuch", name);
  }
  if (action == "/disconnect") return Disconnect(world, *found.front(), *container);
  return ConnectContainer(world, *found.front(), *container, call.body);
}

}  // namespace

std::vector<ReplayNetwork*> FindNetworks(World& world, const std::string& id_or_name) {
  AddPredefined(world);
  std::vector<ReplayNetwork*> found;
  for (ReplayNetwork& network : world.networks) {
    if (network.id == id_or_name || network.name == id_or_name) found.push_back(&network);
  }
  return found;
}

std::optional<Reply> AnswerNetworks(World& world, const HttpCall& call) {
  constexpr std::string_view kNetworks = "/networks";
  if (!call.path.starts_with(kNetworks)) return std::nullopt;
  AddPredefined(world);
  if (call.path == kNetworks) return List(world, call);
  if (call.path == "/networks/create") return Create(world, call.body);
  const std::string rest = call.path.substr(kNetworks.size() + 1);
  const auto slash = rest.find('/');
  return AnswerOne(world, call, rest.substr(0, slash),
                   slash == std::string::npos ? "" : rest.substr(slash));
}

}  // namespace lockstep::test
