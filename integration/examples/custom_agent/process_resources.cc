// Networks and volumes of a ProcessRuntime.
#include <algorithm>
#include <filesystem>
#include <string>

#include "process_runtime.h"
#include "refused.h"

namespace custom {

namespace fs = std::filesystem;
using namespace lockstep;

const ObservedNetwork* ProcessRuntime::FindNetwork(const std::string& app,
                                                   const std::string& name) {
  for (const ObservedNetwork& network : books_.networks) {
    if (network.app == app && network.name == name) return &network;
  }
  return nullptr;
}

bool ProcessRuntime::IsAttached(const Container& container, const ObservedNetwork& network) const {
  const auto attached = container.networks.find(network.name);
  return container.seen.app == network.app && attached != container.networks.end() &&
         attached->second == network.id;
}

Result<void> ProcessRuntime::CreateNetwork(const NetworkSpec& spec, std::stop_token) {
  const std::scoped_lock lock(mutex_);
  if (const ObservedNetwork* there = FindNetwork(spec.app, spec.name)) {
    if (there->config == spec.config) return Ok();
    return MakeError(ErrorCode::kConflict, "network " + spec.name + " is there, and another one");
  }
  ObservedNetwork network;
  // One that is made anew is another one: who was attached to the old one is not any more.
  network.id =
      spec.name + "-" + std::to_string(SystemClock().Monotonic().time_since_epoch().count());
  network.name = spec.name;
  network.app = spec.app;
  network.app_id = spec.app_id;
  network.owned = true;
  network.config = spec.config;
  books_.networks.push_back(network);
  return Save();
}

Result<void> ProcessRuntime::ConnectNetwork(const std::string& container,
                                            const NetworkSpec& network, const Value&,
                                            std::stop_token) {
  const std::scoped_lock lock(mutex_);
  Container* found = Find(container);
  const ObservedNetwork* to = FindNetwork(network.app, network.name);
  if (found == nullptr || to == nullptr) {
    return MakeError(ErrorCode::kNotFound, "no such container or network");
  }
  found->networks[network.name] = to->id;
  return Save();
}

Result<void> ProcessRuntime::RemoveNetwork(const NetworkSpec& network, std::stop_token) {
  const std::scoped_lock lock(mutex_);
  const ObservedNetwork* there = FindNetwork(network.app, network.name);
  if (there == nullptr) return Ok();
  for (const auto& [id, container] : books_.containers) {
    if (!container.seen.IsUp() || !IsAttached(container, *there)) continue;
    return MakeError(ErrorCode::kConflict, "the network is used by " + container.seen.name);
  }
  std::erase_if(books_.networks, [&](const ObservedNetwork& other) { return &other == there; });
  return Save();
}

std::string ProcessRuntime::DirectoryOf(const VolumeSpec& volume) const {
  return directory_ + "/volumes/" + volume.app + "_" + volume.name;
}

Result<void> ProcessRuntime::CreateVolume(const VolumeSpec& spec, std::stop_token) {
  const std::scoped_lock lock(mutex_);
  const bool there =
      std::any_of(books_.volumes.begin(), books_.volumes.end(), [&](const ObservedVolume& volume) {
        return volume.app == spec.app && volume.name == spec.name;
      });
  if (there) return Ok();
  if ((spec.app + spec.name).find('/') != std::string::npos) {
    return MakeError(ErrorCode::kInvalidInput, "a volume of that name is no directory");
  }
  std::error_code error;
  fs::create_directory(DirectoryOf(spec), error);
  if (error) return Refused("make volume " + spec.name, error.value());
  books_.volumes.push_back({spec.name, spec.app, spec.app_id, true, spec.config});
  return Save();
}

Result<void> ProcessRuntime::RemoveVolume(const VolumeSpec& volume, std::stop_token) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [id, container] : books_.containers) {
    const auto used = VolumesOf(*container.seen.spec);
    if (container.seen.app != volume.app ||
        std::find(used.begin(), used.end(), volume.name) == used.end()) {
      continue;
    }
    return MakeError(ErrorCode::kConflict, "the volume is used by " + container.seen.name);
  }
  std::error_code error;
  fs::remove_all(DirectoryOf(volume), error);
  if (error) return Refused("remove volume " + volume.name, error.value());
  std::erase_if(books_.volumes, [&](const ObservedVolume& other) {
    return other.app == volume.app && other.name == volume.name;
  });
  return Save();
}

}  // namespace custom
