#include "listing.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "engine_names.h"
#include "resources.h"

namespace lockstep::docker {
namespace {

std::string NameOf(const Json& container) {
  // A linked container has further names, "/other/alias".
  for (std::string name : TextList(At(container, "Names"))) {
    if (name.starts_with('/')) name.erase(0, 1);
    if (name.find('/') == std::string::npos) return name;
  }
  return {};
}

ObservedImage ReadImage(const Json& json) {
  ObservedImage image;
  image.id = Text(json, "Id");
  for (const char* key : {"RepoTags", "RepoDigests"}) {
    for (std::string& reference : TextList(At(json, key))) {
      if (!reference.starts_with("<none>")) image.references.push_back(std::move(reference));
    }
  }
  std::sort(image.references.begin(), image.references.end());
  image.labels = TextMap(At(json, "Labels"));
  return image;
}

// The apps' networks, as containers name them. Of as many containers as networks each may name
// each, so that looking through all of them would take for ever.
struct OwnedNetworks {
  using Key = std::pair<std::string, std::string>;
  std::map<Key, std::string> names;  // By app and id.
  std::set<Key> named;               // App and name.
};

OwnedNetworks OwnedOf(const std::vector<ObservedNetwork>& networks) {
  OwnedNetworks owned;
  for (const ObservedNetwork& network : networks) {
    if (!network.owned) continue;
    owned.names.insert({{network.app, network.id}, network.name});
    owned.named.insert({network.app, network.name});
  }
  return owned;
}

std::vector<std::string> AttachedNetworks(const Json& container, const AppNames& names,
                                          const OwnedNetworks& networks) {
  std::vector<std::string> attached;
  for (const auto& [name, endpoint] : Map(At(container, "NetworkSettings"), "Networks").items()) {
    // Before its first start a container knows the name only. After that it knows the id, and a
    // network made anew under the same name is another one.
    std::string id = Text(endpoint, "NetworkID");
    if (id == name) id.clear();  // Podman has nothing but the name.
    if (const auto known = networks.names.find({names.app, id}); !id.empty()) {
      if (known != networks.names.end()) attached.push_back(known->second);
    } else if (const std::string prefix = names.Network(""); name.starts_with(prefix)) {
      std::string own = name.substr(prefix.size());
      if (networks.named.contains({names.app, own})) attached.push_back(std::move(own));
    }
  }
  std::sort(attached.begin(), attached.end());
  // A name may stand for several.
  attached.erase(std::unique(attached.begin(), attached.end()), attached.end());
  return attached;
}

std::string LockDirOf(const Json& container) {
  for (const Json& mount : List(container, "Mounts")) {
    if (Text(mount, "Type") == "bind" && IsLockMount(Text(mount, "Destination"))) {
      return Text(mount, "Source");
    }
  }
  return {};
}

ObservedContainer ReadContainer(const Json& json, const ImageLabels& images,
                                const OwnedNetworks& networks) {
  ObservedContainer container;
  container.id = Text(json, "Id");
  container.name = NameOf(json);
  container.image = Text(json, "Image");
  container.image_id = Text(json, "ImageID");
  // A word that is not known: it may be up, and so nothing is done to it without its lock.
  container.state = ContainerStateFromName(Text(json, "State")).value_or(ContainerState::kPaused);
  const std::string status = Text(json, "Status");
  container.health = HealthInStatus(status);
  container.exit_code = ExitCodeInStatus(status);
  container.created_at = TimeOf(Number(json, "Created"));
  container.labels = TextMap(At(json, "Labels"));
  const auto image = images.find(container.image_id);
  const ContainerIdentity identity =
      IdentityOf(container.labels, image == images.end() ? Labels{} : image->second);
  container.app = identity.app;
  container.app_id = identity.app_id;
  container.service = identity.service;
  container.owned = identity.owned && image != images.end();
  container.commit = CommitOfName(container.name);
  container.config_hash = Text(At(json, "Labels"), kLabelConfigHash.data());
  if (container.owned) {
    const AppNames names{container.app, container.app_id};
    container.networks = AttachedNetworks(json, names, networks);
    container.lock_dir = LockDirOf(json);
  }
  return container;
}

}  // namespace

Health HealthInStatus(std::string_view status) {
  if (status.find("(healthy)") != std::string_view::npos) return Health::kHealthy;
  if (status.find("(unhealthy)") != std::string_view::npos) return Health::kUnhealthy;
  if (status.find("(health: starting)") != std::string_view::npos) return Health::kStarting;
  return Health::kNone;
}

int ExitCodeInStatus(std::string_view status) {
  for (const std::string_view prefix : {"Exited (", "Restarting ("}) {
    if (!status.starts_with(prefix)) continue;
    int code = 0;
    std::from_chars(status.data() + prefix.size(), status.data() + status.size(), code);
    return code;
  }
  return 0;
}

std::vector<std::string> UnlistedImages(const Json& containers, const Json& images) {
  std::set<std::string> listed{""};  // One without an id cannot be asked for.
  for (const Json& image : images) listed.insert(Text(image, "Id"));
  std::vector<std::string> unlisted;
  for (const Json& container : containers) {
    if (!IdentityOf(TextMap(At(container, "Labels")), {}).owned) continue;
    std::string id = Text(container, "ImageID");
    if (listed.insert(id).second) unlisted.push_back(std::move(id));
  }
  return unlisted;
}

void ReadLists(const Json& containers, const Json& images, const Json& networks,
               const Json& volumes, ImageLabels unlisted, EngineState& state) {
  ImageLabels image_labels = std::move(unlisted);
  if (images.is_array()) {
    for (const Json& json : images) {
      state.images.push_back(ReadImage(json));
      image_labels[state.images.back().id] = state.images.back().labels;
    }
  }
  if (networks.is_array()) {
    for (const Json& json : networks) state.networks.push_back(ReadNetwork(json));
  }
  for (const Json& json : List(volumes, "Volumes")) state.volumes.push_back(ReadVolume(json));
  if (containers.is_array()) {
    const OwnedNetworks owned = OwnedOf(state.networks);
    for (const Json& json : containers) {
      state.containers.push_back(ReadContainer(json, image_labels, owned));
    }
  }
}

}  // namespace lockstep::docker
