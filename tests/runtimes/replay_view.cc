#include "replay_view.h"

namespace lockstep::test {

using docker::Json;
using State = ReplayContainer::State;

namespace {

// Recorded of one container, in each of its states.
const char* RecordingOf(State state) {
  switch (state) {
    case State::kCreated:
      return "container-inspect-created";
    case State::kRunning:
      return "container-inspect-running";
    case State::kExited:
      return "container-inspect-stopped";
  }
  return "";
}

// The member that one of these recordings has: some are left out where they are empty.
Json& RecordedIn(const World& world, std::initializer_list<const char*> recordings,
                 const char* section, const std::string& key, Json& into) {
  for (const char* recording : recordings) {
    const Json& part = docker::At(world.recordings.Body(recording), section);
    if (part.contains(key)) return into[key];
  }
  return Recorded(into, key);
}

bool Shares(const std::string& mode) { return mode.starts_with("container:"); }

std::string HostNameOf(const World& world, const ReplayContainer& container) {
  const std::string mode = docker::Text(docker::At(container.asked, "HostConfig"), "NetworkMode");
  if (!Shares(mode)) return container.id.substr(0, 12);
  return HostNameOf(world, world.containers.at(mode.substr(mode.find(':') + 1)));
}

Json ConfigOf(const World& world, const ReplayContainer& container) {
  const ReplayImage& image = world.images.at(container.image_id);
  Json config = docker::At(world.recordings.Body("container-inspect-exited-3"), "Config");
  Recorded(config, "Hostname") = HostNameOf(world, container);
  Recorded(config, "Cmd") = docker::At(image.inspected, "Config", "Cmd");
  Recorded(config, "Labels") = docker::At(image.inspected, "Config", "Labels");
  for (const auto& [key, value] : container.asked.items()) {
    if (key == "HostConfig" || key == "NetworkingConfig") continue;
    Json& member = RecordedIn(world, {"container-inspect-exited-3", "container-inspect-port-taken"},
                              "Config", key, config);
    if (key == "Labels") {
      member.update(value);
    } else {
      member = value.empty() ? member : value;
    }
  }
  return config;
}

Json HostConfigOf(const World& world, const ReplayContainer& container) {
  Json host = docker::At(world.recordings.Body("container-inspect-exited-3"), "HostConfig");
  for (const auto& [key, value] : docker::Map(container.asked, "HostConfig").items()) {
    (key == "Mounts" ? host[key] : Recorded(host, key)) = value;
    if (key == "Memory") Recorded(host, "MemorySwap") = 2 * value.get<std::int64_t>();
  }
  for (const auto& [key, value] : container.restart_policy.items()) {
    Recorded(Recorded(host, "RestartPolicy"), key) = value;
  }
  return host;
}

Json MountsOf(const World& world, const ReplayContainer& container) {
  const Json recorded = world.recordings.Body("container-inspect-running")["Mounts"].front();
  const Json& host = docker::At(container.asked, "HostConfig");
  Json mounts = Json::array();
  for (const Json& asked : docker::List(host, "Mounts")) {
    Json mount = recorded;
    const std::string name = docker::Text(asked, "Source");
    Substitute(mount, docker::Text(recorded, "Name"), name);
    Recorded(mount, "Destination") = asked.at("Target");
    mounts.push_back(std::move(mount));
  }
  for (const std::string& bind : docker::TextList(docker::At(host, "Binds"))) {
    const auto colon = bind.find(':');
    Json mount = recorded;
    mount.erase("Name");
    mount.erase("Driver");
    Recorded(mount, "Type") = "bind";
    Recorded(mount, "Source") = bind.substr(0, colon);
    Recorded(mount, "Destination") = bind.substr(colon + 1);
    Recorded(mount, "Mode") = "";
    Recorded(mount, "Propagation") = "rprivate";
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

// `recorded` is the endpoint of a container in the same state.
Json NetworksOf(const ReplayContainer& container, const Json& recorded) {
  Json networks = Json::object();
  for (const auto& [name, endpoint] : container.endpoints) {
    Json json = recorded;
    for (const auto& [key, value] : endpoint.asked.items()) Recorded(json, key) = value;
    Recorded(json, "NetworkID") = endpoint.network_id;
    if (!endpoint.asked.empty() && !endpoint.network_id.empty()) {
      Recorded(json, "Aliases").push_back(container.id.substr(0, 12));
    }
    networks[name] = std::move(json);
  }
  return networks;
}

Json StateOf(const Json& recorded, const ReplayContainer& container) {
  Json state = recorded;
  if (container.started != 0) Recorded(state, "StartedAt") = TimeText(container.started);
  if (container.finished != 0) Recorded(state, "FinishedAt") = TimeText(container.finished);
  return state;
}

}  // namespace

Json InspectedContainer(const World& world, const ReplayContainer& container) {
  Json json = world.recordings.Body(RecordingOf(container.state));
  Substitute(json, docker::Text(json, "Id"), container.id);
  Json config = ConfigOf(world, container);
  const Json& command = config["Cmd"];
  Recorded(json, "Path") = command.front();
  Recorded(json, "Args") = Json(command.begin() + 1, command.end());
  Recorded(json, "Name") = "/" + container.name;
  Recorded(json, "Image") = container.image_id;
  Recorded(json, "Created") = TimeText(container.created);
  Recorded(json, "State") = StateOf(json["State"], container);
  Recorded(json, "HostConfig") = HostConfigOf(world, container);
  Recorded(json, "Mounts") = MountsOf(world, container);
  Json& networks = Recorded(Recorded(json, "NetworkSettings"), "Networks");
  networks = NetworksOf(container, Json(networks["bridge"]));
  Recorded(json, "Config") = std::move(config);
  return json;
}

Json ListedContainer(const World& world, const ReplayContainer& container) {
  const bool running = container.state == State::kRunning;
  Json json;
  for (const Json& entry : world.recordings.Body("container-list-all")) {
    if ((docker::Text(entry, "State") == "running") == running) json = entry;
  }
  if (container.state == State::kCreated) {
    json["State"] = "created";
    json["Status"] = "Created";
  } else if (!running) {
    Substitute(json["Status"], "(3)", "(0)");
  }
  const Json inspected = InspectedContainer(world, container);
  const Json& config = inspected["Config"];
  const std::string mode = docker::Text(inspected["HostConfig"], "NetworkMode");
  Recorded(json, "Id") = container.id;
  Recorded(json, "Names") = Json::array({"/" + container.name});
  const bool named = FindImage(world, docker::Text(config, "Image")) == container.image_id;
  Recorded(json, "Image") = named ? config["Image"] : Json(container.image_id);
  Recorded(json, "ImageID") = container.image_id;
  Recorded(json, "Created") = container.created;
  Recorded(json, "Labels") = config["Labels"];
  Recorded(json["HostConfig"], "NetworkMode") = mode;
  Json& networks = Recorded(json["NetworkSettings"], "Networks");
  networks = NetworksOf(container, Json(networks["bridge"]));
  Recorded(json, "Mounts") = inspected["Mounts"];
  return json;
}

}  // namespace lockstep::test
