#include "lockstep/device_config.h"

#include <algorithm>
#include <utility>

namespace lockstep {

DeviceConfig::DeviceConfig(std::vector<std::unique_ptr<ConfigBackend>> backends)
    : backends_(std::move(backends)) {
  for (const auto& backend : backends_) {
    const std::vector<ConfigRule>& rules = backend->rules();
    rules_.insert(rules_.end(), rules.begin(), rules.end());
  }
}

std::vector<std::string> DeviceConfig::names() const {
  std::vector<std::string> names;
  for (const auto& backend : backends_) names.emplace_back(backend->name());
  std::sort(names.begin(), names.end());
  return names;
}

DeviceConfig::Seen DeviceConfig::Read() {
  Seen seen;
  const std::scoped_lock lock(mutex_);
  for (const auto& backend : backends_) {
    auto values = backend->Read();
    if (values) {
      seen.values.merge(std::move(values).assume_value());
    } else {
      seen.unreadable[std::string(backend->name())] = Describe(values.assume_error());
    }
  }
  return seen;
}

std::map<std::string, Error> DeviceConfig::Recover() {
  std::map<std::string, Error> failed;
  const std::scoped_lock lock(mutex_);
  if (std::exchange(recovered_, true)) return failed;
  for (const auto& backend : backends_) {
    if (auto recovered = backend->Recover(); !recovered) {
      failed.emplace(backend->name(), std::move(recovered).assume_error());
    }
  }
  return failed;
}

Result<void> DeviceConfig::Write(std::string_view name, const ConfigChanges& changes) {
  const std::scoped_lock lock(mutex_);
  const auto backend = std::find_if(backends_.begin(), backends_.end(),
                                    [&](const auto& each) { return each->name() == name; });
  if (backend == backends_.end()) {
    return MakeError(ErrorCode::kNotFound,
                     "this device has no configuration backend " + std::string(name));
  }
  return (*backend)->Write(changes);
}

}  // namespace lockstep
