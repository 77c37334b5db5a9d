// Target: what should run on the device. Made by a reader, complete and normalised.
#ifndef LOCKSTEP_TARGET_H_
#define LOCKSTEP_TARGET_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/requirement.h"
#include "lockstep/service_spec.h"
#include "lockstep/value.h"

namespace lockstep {

// Why an app cannot be planned (or, where it does not block, what a person should know).
struct Gap {
  std::string code;  // "dependency-cycle", "unknown-strategy", ...: formats.md
  std::string message;
  bool blocks = true;
  friend bool operator==(const Gap&, const Gap&) = default;
};

struct TargetService {
  std::string name;
  std::int64_t id = 0;        // 0 where the target has none.
  std::int64_t image_id = 0;  // The target's number for the image, not the engine's.
  ServiceSpec spec;
  Strategy strategy = Strategy::kDownloadThenKill;
  std::vector<Alternatives> requirements;  // Each must be met (device_fit.h).
  friend bool operator==(const TargetService&, const TargetService&) = default;
};

struct TargetRelease {
  std::string commit;
  std::int64_t id = 0;
  std::vector<TargetService> services;    // Sorted by name, each once.
  std::map<std::string, Value> networks;  // Name -> normalised definition (a map).
  std::map<std::string, Value> volumes;
  friend bool operator==(const TargetRelease&, const TargetRelease&) = default;
};

struct TargetApp {
  std::string uuid;  // A compose app's name.
  std::string id;    // Numeric id as text; empty for a compose app.
  std::string name;
  bool is_host = false;  // Reported, never planned.
  // What its services are told as the key of the supervisor's API; empty: what DeviceInfo has.
  // Secret: given to containers, and never written to a snapshot.
  std::string api_key = {};
  std::optional<TargetRelease> release;  // None: the app is present and runs nothing.
  std::vector<Gap> gaps;  // Found by the reader; one that blocks leaves the app as it runs.

  // The name of the app's lock directory.
  const std::string& lock_dir() const { return id.empty() ? uuid : id; }
  friend bool operator==(const TargetApp&, const TargetApp&) = default;
};

struct Target {
  std::string device_uuid;  // Empty where the target is not for one device.
  std::string device_name;
  // True when the target speaks for the whole device: an app it does not name goes.
  bool whole_device = true;
  std::map<std::string, std::string> config;  // Keys as BALENA_X.
  std::vector<TargetApp> apps;                // Sorted by uuid, each once.

  const TargetApp* FindApp(std::string_view uuid) const;  // Null: it names no such app.
  friend bool operator==(const Target&, const Target&) = default;
};

}  // namespace lockstep

#endif  // LOCKSTEP_TARGET_H_
