#include "lockstep/running_app.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include "app_facts.h"
#include "lockstep/identity.h"

namespace lockstep {
namespace {

constexpr std::string_view kLabelAppName = "io.balena.app-name";

std::int64_t NumberIn(std::string_view text) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? number : 0;
}

// The numbers in "<service>_<imageId>_<releaseId>_<commit>"; 0 where the name is another one.
std::pair<std::int64_t, std::int64_t> NumbersIn(const ObservedContainer& container) {
  std::string_view rest = container.name;
  if (!rest.starts_with(container.service + '_')) return {0, 0};
  rest.remove_prefix(container.service.size() + 1);
  const std::size_t first = rest.find('_');
  const std::size_t second = first == rest.npos ? first : rest.find('_', first + 1);
  if (second == rest.npos) return {0, 0};
  return {NumberIn(rest.substr(0, first)), NumberIn(rest.substr(first + 1, second - first - 1))};
}

std::string LabelOf(const ObservedContainer& container, std::string_view label) {
  const auto it = container.labels.find(std::string(label));
  return it == container.labels.end() ? std::string() : it->second;
}

// The one that speaks for its service.
bool Better(const ObservedContainer& a, const ObservedContainer& b) {
  if (a.IsUp() != b.IsUp()) return a.IsUp();
  if (a.created_at != b.created_at) return a.created_at > b.created_at;
  return a.id > b.id;
}

Result<TargetService> ServiceOf(const ObservedContainer& container) {
  const bool known = container.spec && (container.config_hash.empty() ||
                                        container.config_hash == ConfigHash(*container.spec));
  if (!known) {
    return MakeError(ErrorCode::kUnsupported,
                     "what " + container.service + " was made from is not known",
                     "apply the target of the app, and ask again");
  }
  TargetService service;
  service.name = container.service;
  service.id = NumberIn(LabelOf(container, kLabelServiceId));
  service.image_id = NumbersIn(container).first;
  service.spec = *container.spec;
  service.spec.running = true;
  const auto& labels = container.spec->labels;
  if (const auto it = labels.find(std::string(kLabelStrategy)); it != labels.end()) {
    service.strategy = StrategyFromName(it->second).value_or(service.strategy);
  }
  return service;
}

}  // namespace

Result<TargetApp> AppAsItRuns(const ObservedState& observed, const std::string& app) {
  const AppRecord record = RecordOf(observed, Target(), app);
  const std::string committed = record.committed.value_or("");
  std::map<std::string, const ObservedContainer*> services;
  bool any = false;
  for (const ObservedContainer& container : observed.engine.containers) {
    const bool counts = container.owned && container.app == app &&
                        container.state != ContainerState::kRemoving &&
                        container.state != ContainerState::kDead;
    if (!counts) continue;
    any = true;
    if (container.commit != committed) continue;
    const ObservedContainer*& speaks = services[container.service];
    if (speaks == nullptr || Better(container, *speaks)) speaks = &container;
  }
  if (!any) return MakeError(ErrorCode::kNotFound, "nothing of it is on this device");
  if (services.empty() || record.cutover) {
    return MakeError(ErrorCode::kConflict, "it is between two releases",
                     "finish its update with `lockstep apply`, and ask again");
  }
  TargetApp running;
  running.uuid = app;
  running.release.emplace();
  TargetRelease& release = *running.release;
  release.commit = committed;
  for (const auto& [name, container] : services) {
    LOCKSTEP_TRY(TargetService service, ServiceOf(*container));
    release.services.push_back(std::move(service));
    if (release.id == 0) release.id = NumbersIn(*container).second;
    if (running.id.empty()) running.id = container->app_id;
    if (running.name.empty()) running.name = LabelOf(*container, kLabelAppName);
  }
  if (running.name.empty()) running.name = app;
  for (const ObservedNetwork& network : observed.engine.networks) {
    if (network.owned && network.app == app) release.networks[network.name] = network.config;
  }
  for (const ObservedVolume& volume : observed.engine.volumes) {
    if (volume.owned && volume.app == app) release.volumes[volume.name] = volume.config;
  }
  return running;
}

}  // namespace lockstep
