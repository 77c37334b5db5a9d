#include <algorithm>
#include <string_view>

#include "replay_view.h"
#include "replay_world.h"

namespace lockstep::test {

using docker::Json;
using State = ReplayContainer::State;

namespace {

const Json& HostConfigOf(const ReplayContainer& container) {
  return docker::Map(container.asked, "HostConfig");
}

// The reply that says a name is in use. Of whom it was recorded differs from engine to engine.
Reply NameInUse(const Reply& recorded, std::string_view recorded_name,
                const ReplayContainer& holder) {
  Reply reply =
      recorded.With(std::string("\"/").append(recorded_name) + '"', "\"/" + holder.name + '"');
  auto& message = Recorded(reply.body, "message").get_ref<std::string&>();
  constexpr std::string_view kBy = "by container \"";
  message.replace(message.find(kBy) + kBy.size(), 64, holder.id);
  return reply;
}

void Attach(ReplayContainer& container) {
  const std::string mode = docker::Text(HostConfigOf(container), "NetworkMode");
  if (mode.starts_with("container:")) return;
  if (mode.empty() || mode == "default") {
    container.endpoints["bridge"];
    return;
  }
  container.endpoints[mode].asked =
      docker::At(docker::At(container.asked, "NetworkingConfig", "EndpointsConfig"), mode.c_str());
}

Reply Create(World& world, const HttpCall& call) {
  const Recordings& recordings = world.recordings;
  const std::string image = docker::Text(call.body, "Image");
  ReplayContainer container;
  container.name = call.query.at("name");
  container.image_id = FindImage(world, image);
  container.asked = call.body;
  if (container.image_id.empty()) {
    return recordings.Get("container-create-missing-image").With("127.0.0.1:5055/app:gone", image);
  }
  if (const ReplayContainer* holder = FindContainer(world, container.name)) {
    return NameInUse(recordings.Get("container-create-name-conflict"), "web1", *holder);
  }
  const Reply& syslog = recordings.Get("container-create-log-driver-syslog");
  if (docker::Text(docker::At(HostConfigOf(container), "LogConfig"), "Type") == "syslog" &&
      syslog.status != 201) {
    return syslog;
  }
  container.id = world.NewId();
  container.created = world.Tick();
  container.restart_policy = docker::Map(HostConfigOf(container), "RestartPolicy");
  for (const Json& mount : docker::List(HostConfigOf(container), "Mounts")) {
    EnsureVolume(world, docker::Text(mount, "Source"));
  }
  Attach(container);
  Reply reply = recordings.Get("container-create");
  Recorded(reply.body, "Id") = container.id;
  world.Say(container, "create");
  world.containers[container.id] = std::move(container);
  return reply;
}

// Finds the network of each endpoint; what is said where one is not there.
std::optional<Reply> Join(World& world, ReplayContainer& container) {
  for (auto& [name, endpoint] : container.endpoints) {
    const std::string meant = endpoint.network_id.empty() ? name : endpoint.network_id;
    const auto found = FindNetworks(world, meant);
    if (found.empty()) {
      return world.recordings.Get("container-start-missing-network").With("nosuchnet", meant);
    }
    endpoint.network_id = found.front()->id;
  }
  return std::nullopt;
}

std::vector<std::string> HostPortsOf(const ReplayContainer& container) {
  std::vector<std::string> ports;
  for (const auto& [port, places] : docker::Map(HostConfigOf(container), "PortBindings").items()) {
    for (const Json& place : places) ports.push_back(docker::Text(place, "HostPort"));
  }
  return ports;
}

std::optional<Reply> TakePorts(const World& world, const ReplayContainer& container) {
  for (const auto& [id, other] : world.containers) {
    if (other.state != State::kRunning) continue;
    for (const std::string& port : HostPortsOf(container)) {
      const auto taken = HostPortsOf(other);
      if (std::find(taken.begin(), taken.end(), port) == taken.end()) continue;
      return world.recordings.Get("container-start-port-taken")
          .With("endpoint p2", "endpoint " + container.name)
          .With("127.0.0.1:18080", "0.0.0.0:" + port);
    }
  }
  return std::nullopt;
}

Reply Start(World& world, ReplayContainer& container) {
  const Recordings& recordings = world.recordings;
  if (container.state == State::kRunning) return recordings.Get("container-start-already");
  constexpr std::int64_t kTooLittle = std::int64_t{8} << 20;
  const auto memory = docker::Number(HostConfigOf(container), "Memory");
  const Reply& limited = recordings.Get("container-start-memory-limit-8m");
  if (memory > 0 && memory <= kTooLittle && limited.status != 204) return limited;
  if (auto refused = Join(world, container)) return *refused;
  if (auto refused = TakePorts(world, container)) return *refused;
  container.state = State::kRunning;
  container.started = world.Tick();
  world.Say(container, "start");
  return recordings.Get("container-start");
}

Reply Stop(World& world, ReplayContainer& container) {
  const Recordings& recordings = world.recordings;
  if (container.state == State::kCreated) return recordings.Get("container-stop-never-started");
  if (container.state == State::kExited) return recordings.Get("container-stop-already");
  world.Say(container, "kill", {{"signal", "15"}});
  container.state = State::kExited;
  container.finished = world.Tick();
  world.Say(container, "die", {{"exitCode", "0"}});
  world.Say(container, "stop");
  return recordings.Get("container-stop");
}

Reply Rename(World& world, ReplayContainer& container, const std::string& name) {
  const Recordings& recordings = world.recordings;
  if (container.name == name) return recordings.Get("container-rename-same");
  if (const ReplayContainer* holder = FindContainer(world, name)) {
    return NameInUse(recordings.Get("container-rename-conflict"), "done1", *holder);
  }
  const std::string old = container.name;
  container.name = name;
  world.Say(container, "rename", {{"oldName", "/" + old}});
  return recordings.Get("container-rename");
}

Reply Remove(World& world, const ReplayContainer& container) {
  if (container.state == State::kRunning) {
    Reply reply = world.recordings.Get("container-remove-running");
    auto& message = Recorded(reply.body, "message").get_ref<std::string&>();
    constexpr std::string_view kBefore = "running container ";
    message.replace(message.find(kBefore) + kBefore.size(), 64, container.id);
    return reply;
  }
  world.Say(container, "destroy");
  world.containers.erase(std::string(container.id));
  return world.recordings.Get("container-remove");
}

bool Fits(const World& world, const ReplayContainer& container, const Json& filters) {
  const Json listed = ListedContainer(world, container);
  for (const std::string& label : docker::TextList(docker::At(filters, "label"))) {
    const auto equals = label.find('=');
    if (docker::Text(listed["Labels"], label.substr(0, equals).c_str()) !=
        label.substr(equals + 1)) {
      return false;
    }
  }
  for (const std::string& image : docker::TextList(docker::At(filters, "ancestor"))) {
    if (container.image_id != image) return false;
  }
  for (const std::string& network : docker::TextList(docker::At(filters, "network"))) {
    const bool attached =
        std::any_of(container.endpoints.begin(), container.endpoints.end(),
                    [&](const auto& one) { return one.second.network_id == network; });
    if (!attached) return false;
  }
  return true;
}

Reply List(const World& world, const HttpCall& call) {
  const auto given = call.query.find("filters");
  const Json filters =
      given == call.query.end() ? Json() : docker::ParseJson(given->second).value_or(Json());
  Reply reply = world.recordings.Get("container-list-all");
  reply.body = Json::array();
  for (const auto& [id, container] : world.containers) {
    if (Fits(world, container, filters)) reply.body.push_back(ListedContainer(world, container));
  }
  return reply;
}

// What is recorded of a call on one that is not there.
const char* MissingFor(const std::string& call) {
  if (call == "POST /start") return "container-start-missing";
  if (call == "POST /stop") return "container-stop-missing";
  if (call == "POST /update") return "container-update-missing";
  if (call == "POST /rename") return "container-rename-missing";
  if (call == "GET /json") return "container-inspect-missing";
  return "container-remove-missing";
}

std::optional<Reply> AnswerOne(World& world, const HttpCall& call, ReplayContainer& container,
                               const std::string& what) {
  if (what == "POST /start") return Start(world, container);
  if (what == "POST /stop") return Stop(world, container);
  if (what == "POST /rename") return Rename(world, container, call.query.at("name"));
  if (what == "DELETE ") return Remove(world, container);
  if (what == "POST /update") {
    container.restart_policy = docker::At(call.body, "RestartPolicy");
    return world.recordings.Get("container-update-restart-policy");
  }
  if (what == "GET /logs") return world.recordings.Get("container-logs-tail");  // Without lines.
  if (what == "GET /json") {
    Reply reply = world.recordings.Get("container-inspect-running");
    reply.body = InspectedContainer(world, container);
    return reply;
  }
  return std::nullopt;
}

}  // namespace

ReplayContainer* FindContainer(World& world, const std::string& id_or_name) {
  for (auto& [id, container] : world.containers) {
    if (id == id_or_name || container.name == id_or_name) return &container;
  }
  return nullptr;
}

std::optional<Reply> AnswerContainers(World& world, const HttpCall& call) {
  constexpr std::string_view kContainers = "/containers/";
  if (!call.path.starts_with(kContainers)) return std::nullopt;
  if (call.path == "/containers/json") return List(world, call);
  if (call.path == "/containers/create") return Create(world, call);
  const std::string rest = call.path.substr(kContainers.size());
  const auto slash = rest.find('/');
  const std::string name = rest.substr(0, slash);
  const std::string what =
      call.method + ' ' + (slash == std::string::npos ? "" : rest.substr(slash));
  if (ReplayContainer* container = FindContainer(world, name)) {
    return AnswerOne(world, call, *container, what);
  }
  Reply reply = world.recordings.Get(MissingFor(what));
  Recorded(reply.body, "message") = "No such container: " + name;
  return reply;
}

}  // namespace lockstep::test
