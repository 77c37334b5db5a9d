#include "lockstep/observed_state.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace lockstep {
namespace {

template <typename List>
auto FindRecord(List& apps, std::string_view app) {
  const auto it = std::lower_bound(apps.begin(), apps.end(), app,
                                   [](const AppRecord& record, std::string_view wanted) {
                                     return record.app.compare(wanted) < 0;
                                   });
  return it;
}

template <typename Resource>
bool ByAppAndName(const Resource& a, const Resource& b) {
  return std::tie(a.app, a.name) < std::tie(b.app, b.name);
}

}  // namespace

const AppRecord* ObservedState::FindApp(std::string_view app) const {
  const auto it = FindRecord(apps, app);
  return it != apps.end() && it->app == app ? &*it : nullptr;
}

AppRecord& ObservedState::AppFor(std::string_view app) {
  auto it = FindRecord(apps, app);
  if (it == apps.end() || it->app != app) {
    AppRecord record;
    record.app = app;
    it = apps.insert(it, std::move(record));
  }
  return *it;
}

const ObservedContainer* ObservedState::FindContainer(std::string_view id) const {
  const auto it = std::find_if(engine.containers.begin(), engine.containers.end(),
                               [&](const ObservedContainer& c) { return c.id == id; });
  return it == engine.containers.end() ? nullptr : &*it;
}

ObservedContainer* ObservedState::FindContainer(std::string_view id) {
  return const_cast<ObservedContainer*>(std::as_const(*this).FindContainer(id));
}

WallTime ObservedState::NextStart() const {
  WallTime latest = taken_at;
  for (const ObservedContainer& container : engine.containers) {
    if (container.started_at) latest = std::max(latest, *container.started_at);
  }
  return latest + std::chrono::milliseconds(1);
}

bool ObservedState::HasSpan(std::string_view app) const {
  return std::binary_search(spans.begin(), spans.end(), app);
}

bool ObservedState::HasRebootSpan(std::string_view app) const {
  return std::binary_search(reboot_spans.begin(), reboot_spans.end(), app);
}

void Sort(ObservedState& state) {
  std::sort(state.engine.containers.begin(), state.engine.containers.end(),
            [](const ObservedContainer& a, const ObservedContainer& b) { return a.id < b.id; });
  std::sort(state.engine.images.begin(), state.engine.images.end(),
            [](const ObservedImage& a, const ObservedImage& b) { return a.id < b.id; });
  for (ObservedImage& image : state.engine.images) {
    std::sort(image.references.begin(), image.references.end());
  }
  std::sort(state.engine.networks.begin(), state.engine.networks.end(),
            ByAppAndName<ObservedNetwork>);
  std::sort(state.engine.volumes.begin(), state.engine.volumes.end(), ByAppAndName<ObservedVolume>);
  std::sort(state.locks.begin(), state.locks.end(), [](const LockHolder& a, const LockHolder& b) {
    return std::tie(a.app, a.service, a.path) < std::tie(b.app, b.service, b.path);
  });
  std::sort(state.spans.begin(), state.spans.end());
  std::sort(state.reboot_spans.begin(), state.reboot_spans.end());
  std::sort(state.config_set.begin(), state.config_set.end());
  std::sort(state.apps.begin(), state.apps.end(),
            [](const AppRecord& a, const AppRecord& b) { return a.app < b.app; });
}

}  // namespace lockstep
