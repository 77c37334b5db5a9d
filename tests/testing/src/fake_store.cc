#include "lockstep/testing/fake_store.h"

#include <algorithm>
#include <utility>

namespace lockstep::test {

void FakeStore::FailNext(Error error) {
  const std::lock_guard lock(mutex_);
  fail_next_ = std::move(error);
}

void FakeStore::FailAll(std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  fail_all_ = std::move(error);
}

StoreState FakeStore::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

int FakeStore::puts() const {
  const std::lock_guard lock(mutex_);
  return puts_;
}

std::optional<Error> FakeStore::TakeFailure() {
  if (fail_next_) return std::exchange(fail_next_, std::nullopt);
  return fail_all_;
}

template <typename Change>
Result<void> FakeStore::Apply(const Change& change) {
  const std::lock_guard lock(mutex_);
  if (auto failure = TakeFailure()) return *std::move(failure);
  change();
  ++puts_;
  return Ok();
}

Result<StoreState> FakeStore::Load() {
  const std::lock_guard lock(mutex_);
  if (auto failure = TakeFailure()) return *std::move(failure);
  return state_;
}

Result<void> FakeStore::PutApp(const AppRecord& record) {
  return Apply([&] {
    const auto place = std::lower_bound(
        state_.apps.begin(), state_.apps.end(), record.app,
        [](const AppRecord& candidate, const std::string& app) { return candidate.app < app; });
    if (place != state_.apps.end() && place->app == record.app) {
      *place = record;
    } else {
      state_.apps.insert(place, record);
    }
  });
}

Result<void> FakeStore::EraseApp(std::string_view app) {
  return Apply([&] {
    std::erase_if(state_.apps, [&](const AppRecord& record) { return record.app == app; });
    state_.specs.erase(std::string(app));
  });
}

Result<void> FakeStore::PutSpecs(std::string_view app, const std::vector<ServiceSpec>& specs) {
  return Apply([&] { state_.specs[std::string(app)] = specs; });
}

Result<void> FakeStore::PutSavedRestart(std::string_view container, std::string_view policy) {
  return Apply([&] { state_.saved_restart[std::string(container)] = policy; });
}

Result<void> FakeStore::EraseSavedRestart(std::string_view container) {
  return Apply([&] { state_.saved_restart.erase(std::string(container)); });
}

Result<void> FakeStore::PutSetting(std::string_view key, const std::optional<std::string>& value) {
  return Apply([&] {
    state_.settings.erase(std::string(key));
    if (value) state_.settings.emplace(key, *value);
  });
}

Result<void> FakeStore::PutConfigKeys(const ConfigChanges& changes) {
  return Apply([&] {
    for (const auto& [key, value] : changes) {
      std::erase(state_.config_keys, key);
      if (value) state_.config_keys.push_back(key);
    }
    std::sort(state_.config_keys.begin(), state_.config_keys.end());
  });
}

Result<void> FakeStore::PutReboot(const RebootRecord& record) {
  return Apply([&] { state_.reboot = record; });
}

Result<void> FakeStore::PutLastTarget(std::string_view text) {
  return Apply([&] { state_.last_target = text; });
}

}  // namespace lockstep::test
