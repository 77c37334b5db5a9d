// DeviceConfig: every place where the device keeps configuration, as one.
#ifndef LOCKSTEP_DEVICE_CONFIG_H_
#define LOCKSTEP_DEVICE_CONFIG_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/config_backend.h"
#include "lockstep/result.h"

namespace lockstep {

// Thread-safe: it calls one backend at a time. Blocking: file system only.
class DeviceConfig {
 public:
  DeviceConfig() = default;
  explicit DeviceConfig(std::vector<std::unique_ptr<ConfigBackend>> backends);

  // The rules of all backends.
  const std::vector<ConfigRule>& rules() const { return rules_; }
  std::vector<std::string> names() const;  // Sorted.

  struct Seen {
    ConfigValues values;
    std::map<std::string, std::string> unreadable;  // Backend -> why.
  };
  // What is in force in all of them. One that cannot be read hides no other.
  Seen Read();

  // ConfigBackend::Recover() of each, the first time it is called; why it failed, by backend.
  std::map<std::string, Error> Recover();

  // ConfigBackend::Write() of that backend. Error besides: kNotFound (there is none of that name).
  Result<void> Write(std::string_view backend, const ConfigChanges& changes);

 private:
  std::vector<std::unique_ptr<ConfigBackend>> backends_;
  std::vector<ConfigRule> rules_;
  std::mutex mutex_;
  bool recovered_ = false;
};

}  // namespace lockstep

#endif  // LOCKSTEP_DEVICE_CONFIG_H_
