#include "observer.h"

#include <algorithm>
#include <future>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "engine_names.h"
#include "listing.h"

namespace lockstep::docker {
namespace {

constexpr std::size_t kMaxImages = 512;

// The services of the app, by the id of their newest container.
std::map<std::string, std::string> NewestOf(const std::string& app,
                                            const std::vector<ObservedContainer>& containers) {
  std::map<std::string, const ObservedContainer*> newest;
  for (const ObservedContainer& container : containers) {
    if (!container.owned || container.app != app) continue;
    const ObservedContainer*& known = newest[container.service];
    if (known == nullptr || container.created_at > known->created_at) known = &container;
  }
  std::map<std::string, std::string> services;
  for (const auto& [service, container] : newest) services[container->id] = service;
  return services;
}

// The containers of which Lockstep wrote down that they share a namespace, on either side.
std::set<std::string> Sharers(const std::vector<ObservedContainer>& containers) {
  std::set<std::string> sharers;
  for (const ObservedContainer& container : containers) {
    auto shared = SharedContainersOf(container.labels);
    if (shared.empty()) continue;
    sharers.insert(container.id);
    sharers.insert(std::make_move_iterator(shared.begin()), std::make_move_iterator(shared.end()));
  }
  return sharers;
}

// A specification is never another one, and the caller has it.
bool IsSeen(const ObservedContainer& container, const ObserveRequest& request) {
  return !request.details_of_all && !container.config_hash.empty() &&
         std::binary_search(request.seen.begin(), request.seen.end(), container.id);
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
  // Side by side: an engine takes its time for each. Where no thread can be had, one by one.
  const auto list = [&](const char* path, const char* what) {
    return std::async([this, path, what, stop] { return api_.Get(path, what, stop); });
  };
  auto listed_images = list("/images/json", "list the images");
  auto listed_networks = list("/networks", "list the networks");
  auto listed_volumes = list("/volumes", "list the volumes");
  LOCKSTEP_TRY(const Json containers,
               api_.Get("/containers/json?all=1", "list the containers", stop));
  LOCKSTEP_TRY(const Json images, listed_images.get());
  LOCKSTEP_TRY(const Json networks, listed_networks.get());
  LOCKSTEP_TRY(const Json volumes, listed_volumes.get());
  if (!containers.is_array() || !images.is_array() || !networks.is_array() ||
      !volumes.is_object()) {
    return WithContext(MakeError(ErrorCode::kBadReply, "a list of the engine is no list"),
                       "look at the engine");
  }
  known_.Replace(networks);
  ImageLabels unlisted;
  for (const std::string& id : UnlistedImages(containers, images)) {
    LOCKSTEP_TRY(const Json image, ImageOf(id, stop));
    if (!image.empty()) unlisted[id] = TextMap(At(image, "Config", "Labels"));
  }
  ReadLists(containers, images, networks, volumes, std::move(unlisted), state);
  LOCKSTEP_TRYV(CorrectEnded(state, stop));
  const std::set<std::string> sharers = Sharers(state.containers);
  std::vector<std::string> gone;
  for (ObservedContainer& container : state.containers) {
    const bool known = IsKnown(container, request);
    // How often a failed one was restarted, which decides whether it is again, no list tells.
    const bool failed = container.state == ContainerState::kExited && container.exit_code != 0;
    // Nor when it started, which tells whether who shares its namespaces has lost them.
    const bool needless =
        !sharers.contains(container.id) && (IsSeen(container, request) || (known && !failed));
    if (!container.owned || needless) continue;
    LOCKSTEP_TRY(const bool there, LookInto(container, state, stop));
    if (!there) gone.push_back(container.id);
    if (known) {
      container.spec.reset();
      container.implied.reset();
    }
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
  defaults_.reset();  // It may have been started anew with others.
  ++forgotten_;
  details_.clear();
}

void Observer::StopTrusting() {
  const std::lock_guard lock(mutex_);
  trusting_ = false;
  details_.clear();
  ended_.clear();
}

void Observer::Note(const EngineEvent& event) {
  const std::lock_guard lock(mutex_);
  if (event.kind == EngineEventKind::kDied) {
    ended_.insert(event.container);
  } else if (event.kind != EngineEventKind::kHealth) {
    ended_.erase(event.container);
  }
}

// A look into a container waits until its engine has written down what happened to it.
Result<void> Observer::CorrectEnded(EngineState& state, std::stop_token stop) {
  for (ObservedContainer& container : state.containers) {
    {
      const std::lock_guard lock(mutex_);
      if (ended_.erase(container.id) == 0) continue;
    }
    if (container.state != ContainerState::kRunning) continue;
    auto inspected =
        api_.Get(ContainerPath(container.id, "/json"), "inspect container " + container.name, stop);
    if (!inspected && inspected.assume_error().code == ErrorCode::kNotFound) continue;
    LOCKSTEP_TRY(const Json json, std::move(inspected));
    const Json& now = At(json, "State");
    container.state = ContainerStateFromName(Text(now, "Status")).value_or(container.state);
    if (container.state == ContainerState::kRunning) continue;  // Started again meanwhile.
    container.exit_code = static_cast<int>(Number(now, "ExitCode"));
    container.health = Health::kNone;
  }
  return Ok();
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
    const bool shares = !SharedContainers(json).empty();
    Surroundings around{{container.app, container.app_id}, container.service, {}, {}};
    if (shares) around.services = NewestOf(container.app, state.containers);
    LOCKSTEP_TRY(around.defaults, DefaultsOf(stop));
    details.emplace();
    details->reading = ReadContainer(json, image, around);
    details->restart_policy = ReadRestartPolicy(json);
    details->started_at = ParseTime(Text(At(json, "State"), "StartedAt"));
    details->restart_count = static_cast<int>(Number(json, "RestartCount"));
    const std::lock_guard lock(mutex_);
    // Whose namespace is shared may change without an event of this container.
    const bool keep = trusting_ && before == forgotten_ && !shares;
    if (keep) details_[container.id] = *details;
  }
  // The list names an image by its id once the tag has moved on; the container remembers.
  ServiceSpec& spec = details->reading.spec;
  if (!spec.image.empty()) container.image = spec.image;
  container.spec = std::move(spec);
  container.implied = std::move(details->reading.implied);
  container.api_key = std::move(details->reading.api_key);
  container.restart_policy = std::move(details->restart_policy);
  container.started_at = details->started_at;
  container.restart_count = details->restart_count;
  return true;
}

Result<EngineDefaults> Observer::DefaultsOf(std::stop_token stop) {
  {
    const std::lock_guard lock(mutex_);
    if (defaults_) return *defaults_;
  }
  LOCKSTEP_TRY(const Json info, api_.Get("/info", "ask the engine for its defaults", stop));
  const std::lock_guard lock(mutex_);
  defaults_ = ReadDefaults(info);
  return *defaults_;
}

Result<Json> Observer::ImageOf(const std::string& id, std::stop_token stop) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = images_.find(id); it != images_.end()) return it->second;
  }
  auto inspected = api_.Get(ImagePath(id, "/json"), "inspect image " + id, stop);
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
