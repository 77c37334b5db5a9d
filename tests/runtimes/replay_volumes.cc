#include <algorithm>
#include <string_view>

#include "replay_world.h"

namespace lockstep::test {

using docker::Json;

namespace {

Json NewVolume(World& world, const Json& asked) {
  const std::string name = docker::Text(asked, "Name");
  Json volume = world.recordings.Body("volume-create");
  Recorded(volume, "CreatedAt") = TimeText(world.Tick());
  Recorded(volume, "Mountpoint") = "/var/lib/engine/volumes/" + name + "/_data";
  Recorded(volume, "Labels") = nullptr;
  for (const auto& [key, value] : asked.items()) {
    Recorded(volume, key == "DriverOpts" ? "Options" : key) = value;
  }
  return volume;
}

bool Mounts(const ReplayContainer& container, const std::string& name) {
  for (const Json& mount : docker::List(docker::At(container.asked, "HostConfig"), "Mounts")) {
    if (docker::Text(mount, "Source") == name) return true;
  }
  return false;
}

Reply Remove(World& world, const std::string& name) {
  const auto user =
      std::find_if(world.containers.begin(), world.containers.end(),
                   [&](const auto& container) { return Mounts(container.second, name); });
  if (user != world.containers.end()) {
    Reply reply = world.recordings.Get("volume-remove-in-use").With("remove v1", "remove " + name);
    auto& message = Recorded(reply.body, "message").get_ref<std::string&>();
    message.replace(message.find('[') + 1, 64, user->first);
    return reply;
  }
  if (world.volumes.erase(name) > 0) return world.recordings.Get("volume-remove");
  return world.recordings.Get("volume-remove-missing").With("v1", name);
}

}  // namespace

void EnsureVolume(World& world, const std::string& name) {
  if (!world.volumes.contains(name)) world.volumes[name] = NewVolume(world, {{"Name", name}});
}

std::optional<Reply> AnswerVolumes(World& world, const HttpCall& call) {
  constexpr std::string_view kVolumes = "/volumes";
  if (!call.path.starts_with(kVolumes)) return std::nullopt;
  const Recordings& recordings = world.recordings;
  if (call.path == kVolumes) {
    Reply reply = recordings.Get("volume-list");
    Json& list = Recorded(reply.body, "Volumes");
    list = Json::array();
    for (const auto& [name, volume] : world.volumes) list.push_back(volume);
    return reply;
  }
  if (call.path == "/volumes/create") {
    const std::string name = docker::Text(call.body, "Name");
    // One that is there is answered as it is.
    if (!world.volumes.contains(name)) world.volumes[name] = NewVolume(world, call.body);
    Reply reply = recordings.Get("volume-create");
    reply.body = world.volumes[name];
    return reply;
  }
  const std::string name = call.path.substr(kVolumes.size() + 1);
  if (call.method == "DELETE") return Remove(world, name);
  if (!world.volumes.contains(name)) {
    return recordings.Get("volume-inspect-missing").With("nosuch", name);
  }
  Reply reply = recordings.Get("volume-inspect");
  reply.body = world.volumes[name];
  return reply;
}

}  // namespace lockstep::test
