// What a balena backend is told of this device: how far each app of its target is.
#ifndef LOCKSTEP_INTEGRATION_BALENA_API_DEVICE_REPORT_H_
#define LOCKSTEP_INTEGRATION_BALENA_API_DEVICE_REPORT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "lockstep/observed_state.h"
#include "lockstep/plan.h"
#include "lockstep/pull_progress.h"
#include "lockstep/target.h"

namespace lockstep {

struct ServiceReport {
  std::string image;   // As the release names it: the backend looks it up.
  std::string status;  // "Running", "Downloading", ...
  std::optional<int> download_progress = std::nullopt;  // Per cent.
  friend bool operator==(const ServiceReport&, const ServiceReport&) = default;
};

struct ReleaseReport {
  // "rejected", "aborted", "downloading", "downloaded", "applying changes" or "done".
  std::string update_status;
  std::map<std::string, ServiceReport> services = {};  // By name.
  friend bool operator==(const ReleaseReport&, const ReleaseReport&) = default;
};

struct ReportedApp {
  std::optional<std::string> release_uuid = std::nullopt;  // The release it is committed to.
  std::map<std::string, ReleaseReport> releases = {};      // By commit.
  // The release that it is to have. Not sent: the one that the backend is sure to know.
  std::optional<std::string> target = std::nullopt;
  friend bool operator==(const ReportedApp&, const ReportedApp&) = default;
};

// What is not known is left out. What changes all the time (usage, temperature) is sent every five
// minutes at most.
struct DeviceReport {
  std::map<std::string, ReportedApp> apps = {};  // By uuid.

  std::optional<std::string> name, status;
  std::optional<std::string> os_version, os_variant, supervisor_version;
  std::optional<std::string> ip_address, mac_address;  // Several: with a blank between.
  std::optional<int> api_port;
  std::optional<std::string> api_secret;  // Never logged.
  std::optional<std::string> provisioning_state;
  std::optional<int> provisioning_progress;

  std::optional<std::int64_t> memory_usage, memory_total;    // MiB
  std::optional<std::int64_t> storage_usage, storage_total;  // MiB
  std::optional<std::string> storage_block_device;
  std::optional<std::int64_t> cpu_usage, cpu_temp;  // Per cent, degrees Celsius
  std::optional<std::string> cpu_id;
  std::optional<bool> is_undervolted;
  friend bool operator==(const DeviceReport&, const DeviceReport&) = default;
};

// What goes on just now, as events tell it.
struct UpdateActivity {
  std::map<std::string, PullProgress> downloads = {};  // By image, as targets write it.
  std::set<StepId> running = {};  // Steps that were started and have not ended.
  // Images of releases that were targets before: commit -> service -> image. A container that was
  // renamed only still has the name of an older release's image, which the backend refuses to hear
  // under the newer one.
  std::map<std::string, std::map<std::string, std::string>> images = {};
};

// Adds the images of `target`, which is to be the target now, and forgets releases of which nothing
// is left on the device.
void RememberImages(const Target& target, const ObservedState& state, UpdateActivity& activity);

// The apps of a report. Apps that a backend cannot know (compose apps) and those of the host are
// left out.
DeviceReport ReportOf(const Plan& plan, const ObservedState& state, const Target& target,
                      const UpdateActivity& activity);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_BALENA_API_DEVICE_REPORT_H_
