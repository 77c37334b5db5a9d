#include "observer.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "engine_names.h"
#include "inspect_reading.h"
#include "listing.h"

namespace lockstep::docker {
namespace {

constexpr std::size_t kMaxImages = 512;

// The service of the same app whose newest container has this id; empty where there is none.
std::string ServiceSharing(const std::string& network_mode, const ObservedContainer& sharer,
                           const std::vector<ObservedContainer>& containers) {
  constexpr std::string_view kContainer = "container:";
  if (!network_mode.starts_with(kContainer)) return {};
  const std::string id = network_mode.substr(kContainer.size());
  const auto shared = std::find_if(containers.begin(), containers.end(),
                                   [&](const ObservedContainer& c) { return c.id == id; });
  if (shared == containers.end() || !shared->owned || shared->app != sharer.app) return {};
  for (const ObservedContainer& other : containers) {
    const bool newer = other.owned && other.app == shared->app &&
                       other.service == shared->service && other.created_at > shared->created_at;
    if (newer) return {};
  }
  return shared->service;
}

// The containers whose namespaces others have joined.
std::set<std::string> SharedContainers(const std::vector<ObservedContainer>& containers) {
  std::set<std::string> shared;
  for (const ObservedContainer& container : containers) {
    const auto label = container.labels.find(std::string(kLabelShares));
    if (label == container.labels.end()) continue;
    std::istringstream ids(label->second);
    for (std::string id; std::getline(ids, id, ',');) shared.insert(id);
  }
  return shared;
}

bool IsKnown(const ObservedContainer& container, const ObserveRequest& request) {
  return !request.details_of_all && !container.config_hash.empty() &&
         std::binary_search(request.known_hashes.begin(), request.known_hashes.end(),
                            container.config_hash);
}

}  // namespace

Result<EngineState> Observer::Observe(const ObserveRequest& request, std::stop_token stop) {
  ObservedState observed;
  EngineState& state = observed.engine;
  LOCKSTEP_TRY(state.engine, api_.Describe(stop));
  LOCKSTEP_TRY(const Json containers,
               api_.Get("/containers/json?all=1", "list the containers", stop));
  LOCKSTEP_TRY(const Json images, api_.Get("/images/json?digests=1", "list the images", stop));
  LOCKSTEP_TRY(const Json networks, api_.Get("/networks", "list the networks", stop));
  LOCKSTEP_TRY(const Json volumes, api_.Get("/volumes", "list the volumes", stop));
  if (!containers.is_array() || !images.is_array() || !networks.is_array() ||
      !volumes.is_object()) {
    return WithContext(MakeError(ErrorCode::kBadReply, "a list of the engine is no list"),
                       "look at the engine");
  }
  ImageLabels unlisted;
  for (const std::string& id : UnlistedImages(containers, images)) {
    LOCKSTEP_TRY(const Json image, ImageOf(id, stop));
    if (!image.empty()) unlisted[id] = TextMap(At(image, "Config", "Labels"));
  }
  ReadLists(containers, images, networks, volumes, std::move(unlisted), state);
  const std::set<std::string> shared = SharedContainers(state.containers);
  std::vector<std::string> gone;
  for (ObservedContainer& container : state.containers) {
    const bool known = IsKnown(container, request);
    // How often a failed one was restarted, which decides whether it is again, no list tells.
    const bool failed = container.state == ContainerState::kExited && container.exit_code != 0;
    // Nor when it started, which tells whether who shares its namespaces has lost them.
    const bool shares = shared.contains(container.id) ||
                        container.labels.contains(std::string(kLabelShares));
    if (!container.owned || (known && !failed && !shares)) continue;
    LOCKSTEP_TRY(const bool there, LookInto(container, state, stop));
    if (!there) gone.push_back(container.id);
    if (known) container.spec.reset();
  }
  std::erase_if(state.containers, [&](const ObservedContainer& container) {
    return std::find(gone.begin(), gone.end(), container.id) != gone.end();
  });
  Sort(observed);
  return std::move(state);
}

void Observer::StartTrusting() {
  const std::lock_guard lock(mutex_);
  trusting_ = true;
  ++forgotten_;
  details_.clear();
}

void Observer::StopTrusting() {
  const std::lock_guard lock(mutex_);
  trusting_ = false;
  details_.clear();
}

void Observer::Forget(const std::string& container) {
  const std::lock_guard lock(mutex_);
  ++forgotten_;
  details_.erase(container);
}

std::optional<Observer::Details> Observer::Known(const std::string& container) const {
  const std::lock_guard lock(mutex_);
  const auto it = details_.find(container);
  if (!trusting_ || it == details_.end()) return std::nullopt;
  return it->second;
}

Result<bool> Observer::LookInto(ObservedContainer& container, const EngineState& state,
                                std::stop_token stop) {
  std::optional<Details> details = Known(container.id);
  if (!details) {
    std::uint64_t before = 0;
    {
      const std::lock_guard lock(mutex_);
      before = forgotten_;
    }
    auto inspected = api_.Get("/containers/" + EscapeQuery(container.id) + "/json",
                              "inspect container " + container.name, stop);
    if (!inspected && inspected.assume_error().code == ErrorCode::kNotFound) return false;
    LOCKSTEP_TRY(const Json json, std::move(inspected));
    LOCKSTEP_TRY(const Json image, ImageOf(container.image_id, stop));
    const std::string mode = Text(At(json, "HostConfig"), "NetworkMode");
    const std::string shared = ServiceSharing(mode, container, state.containers);
    details.emplace();
    details->spec =
        ReadSpec(json, image, {container.app, container.app_id}, container.service, shared);
    details->restart_policy = ReadRestartPolicy(json);
    details->started_at = ParseTime(Text(At(json, "State"), "StartedAt"));
    details->restart_count = static_cast<int>(Number(json, "RestartCount"));
    const std::lock_guard lock(mutex_);
    // Whose network is shared may change without an event of this container.
    const bool keep = trusting_ && before == forgotten_ && !mode.starts_with("container:");
    if (keep) details_[container.id] = *details;
  }
  // The list names an image by its id once the tag has moved on; the container remembers.
  if (!details->spec.image.empty()) container.image = details->spec.image;
  container.spec = std::move(details->spec);
  container.restart_policy = std::move(details->restart_policy);
  container.started_at = details->started_at;
  container.restart_count = details->restart_count;
  return true;
}

Result<Json> Observer::ImageOf(const std::string& id, std::stop_token stop) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = images_.find(id); it != images_.end()) return it->second;
  }
  auto inspected = api_.Get("/images/" + EscapeQuery(id) + "/json", "inspect image " + id, stop);
  if (!inspected) {
    // A container may outlive its image.
    if (inspected.assume_error().code == ErrorCode::kNotFound) return Json::object();
    return inspected;
  }
  const Json image = {{"Config", At(inspected.assume_value(), "Config")}};
  const std::lock_guard lock(mutex_);
  if (images_.size() >= kMaxImages) images_.clear();
  images_[id] = image;
  return image;
}

}  // namespace lockstep::docker
