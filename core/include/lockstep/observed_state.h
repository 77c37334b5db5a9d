// ObservedState: what engine, lock directories, configuration and store report now.
#ifndef LOCKSTEP_OBSERVED_STATE_H_
#define LOCKSTEP_OBSERVED_STATE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/app_record.h"
#include "lockstep/identity.h"
#include "lockstep/lock.h"
#include "lockstep/reboot_record.h"
#include "lockstep/service_spec.h"
#include "lockstep/value.h"

namespace lockstep {

enum class ContainerState { kCreated, kRunning, kPaused, kRestarting, kExited, kDead, kRemoving };
enum class Health { kNone, kStarting, kHealthy, kUnhealthy };

std::string_view ContainerStateName(ContainerState state);
std::optional<ContainerState> ContainerStateFromName(std::string_view name);
std::string_view HealthName(Health health);
std::optional<Health> HealthFromName(std::string_view name);

struct ObservedContainer {
  std::string id;
  std::string name;
  std::string image;     // The reference it was created from.
  std::string image_id;  // The content it runs.
  ContainerState state = ContainerState::kCreated;
  Health health = Health::kNone;
  int exit_code = 0;
  int restart_count = 0;
  std::optional<WallTime> created_at;
  std::optional<WallTime> started_at;
  std::string app;     // Uuid; empty where the labels name none.
  std::string app_id;  // Numeric id as text; may be empty.
  std::string service;
  std::string commit;  // From the name.
  bool owned = false;
  Labels labels;
  std::string config_hash;  // From the label; empty for an adopted container.
  // The specification; none where the hash alone is known (it was in ObserveRequest::known_hashes).
  std::optional<ServiceSpec> spec;
  // What it has without having been asked for it, from its image and its engine; not in `spec`. A
  // target that says the same is the same. None where not looked at.
  std::optional<ServiceSpec> implied;
  // The policy the engine follows now; none where it was not looked at.
  std::optional<std::string> restart_policy;
  // The app's networks it is attached to, by name in the target, sorted; none where not looked at.
  std::optional<std::vector<std::string>> networks;
  // The key of the supervisor's API that it was given: secret, and in no snapshot. Empty: none, or
  // not looked at.
  std::string api_key = {};
  // Host path bound as lock directory; empty where none, none where not looked at.
  std::optional<std::string> lock_dir;
  // Said by the Session: it has proved itself (healthy, up long enough, or a job that is done).
  bool settled = false;
  // Said by the Session: it has taken over from the old container of its service, or had its time.
  bool handed_over = false;
  // Said by the Session: it could not be started again and again, and is left as it is.
  bool start_failed = false;
  // Said by the Session: the engine cannot start it any more. It counts as dead.
  bool defunct = false;
  // It runs, and its engine does not know: nothing can be done with it but to stop it, and to start
  // it again.
  bool lost = false;
  // Its lock directory is not the one that its app's locks are looked for in.
  bool lock_dir_elsewhere = false;

  bool IsUp() const {  // Stopping it would interrupt something.
    return state == ContainerState::kRunning || state == ContainerState::kPaused ||
           state == ContainerState::kRestarting;
  }
};

struct ObservedImage {
  std::string id;
  std::vector<std::string> references;  // Tags and digests.
  Labels labels;
};

struct ObservedNetwork {
  std::string id;    // The engine's.
  std::string name;  // In the target's words, without the app's prefix.
  std::string app;
  std::string app_id;
  bool owned = false;
  Value config;  // Normalised definition (a map).
};

struct ObservedVolume {
  std::string name;
  std::string app;
  std::string app_id;
  bool owned = false;
  Value config;
};

struct EngineInfo {
  std::string kind;  // "docker", "balena-engine", "memory", ...
  std::string version;
  std::string api_version;
  // In the words of the engine: "amd64", "arm64", ...; empty where it does not say.
  std::string arch = {};
};

// One engine at one instant. Sorted by id (containers, images) and by app and name (the rest).
struct EngineState {
  EngineInfo engine;
  std::vector<ObservedContainer> containers;
  std::vector<ObservedImage> images;
  std::vector<ObservedNetwork> networks;
  std::vector<ObservedVolume> volumes;
};

struct ObservedState {
  WallTime taken_at{};
  EngineState engine;
  std::vector<LockHolder> locks;   // Of owned and target services; those of Lockstep have `ours`.
  std::vector<std::string> spans;  // Apps all of whose locks Lockstep holds, to cut over. Sorted.
  std::vector<std::string> reboot_spans;  // The same, to reboot: nothing of them is cut over.
  // What is in force, or will be after a reboot, by canonical key.
  std::map<std::string, std::string> config;
  std::vector<std::string> config_set;  // Keys that Lockstep set. Sorted.
  // The configuration backends that the device has; none where it is not known: then any may.
  std::optional<std::vector<std::string>> config_backends;
  // Those of them that could not be read, and why.
  std::map<std::string, std::string> config_unreadable;
  std::optional<RebootRecord> reboot;
  std::string boot_id;
  std::vector<AppRecord> apps;  // Sorted by app.
  // Restart policies of adopted containers that were set aside: container id -> policy.
  std::map<std::string, std::string> saved_restart;
  // Said by the Session: images for which a registry has answered, as targets write them. Sorted.
  std::vector<std::string> images_answered;
  // References that this process has pulled: `pull_policy: always` asks for no more. Sorted.
  std::vector<std::string> images_pulled;
  // Said by the Session: apps whose update has failed. They delay no reboot. Sorted.
  std::vector<std::string> stalled;
  // Said by the Session: keys whose writing has failed, and why.
  std::map<std::string, std::string> config_failed;
  // Said by the Session: a download did not fit. What nobody needs goes first, then.
  bool short_of_space = false;
  // Said by the Session: nothing is done any more that ends in a reboot.
  bool reboots_no_more = false;

  // A reboot of this boot is still to come.
  bool RebootPending() const { return reboot && !boot_id.empty() && reboot->boot_id == boot_id; }
  const AppRecord* FindApp(std::string_view app) const;
  AppRecord& AppFor(std::string_view app);  // Made where it is missing.
  // Null where there is none.
  const ObservedContainer* FindContainer(std::string_view id) const;
  ObservedContainer* FindContainer(std::string_view id);
  bool HasSpan(std::string_view app) const;
  bool HasRebootSpan(std::string_view app) const;
  // A start time after that of every container: for one that was started just now. Of starts only
  // the order matters, and wall clocks may jump.
  WallTime NextStart() const;
};

// Puts every list into its canonical order: the same state, however an engine lists it.
void Sort(ObservedState& state);

}  // namespace lockstep

#endif  // LOCKSTEP_OBSERVED_STATE_H_
