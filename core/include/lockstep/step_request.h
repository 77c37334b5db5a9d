// A step with everything its execution needs: what the Session hands to whoever performs effects.
#ifndef LOCKSTEP_STEP_REQUEST_H_
#define LOCKSTEP_STEP_REQUEST_H_

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lockstep/device_info.h"
#include "lockstep/lock_fs.h"
#include "lockstep/observed_state.h"
#include "lockstep/plan.h"
#include "lockstep/runtime_backend.h"
#include "lockstep/target.h"

namespace lockstep {

struct CheckImageRequest {
  std::string reference;
};
struct PullImageRequest {
  std::string reference;
};
struct CreateContainerRequest {
  ContainerSpec spec;  // Without the binds of the lock directory: LockFs knows those.
  ServiceRef service;
};
struct StartContainerRequest {
  std::string container;
  // A hand-over begins: what is left of an earlier one is removed first.
  std::optional<ServiceRef> clear_handover;
};
struct AwaitHandoverRequest {
  std::string container;  // The new one.
  ServiceRef service;
  std::chrono::milliseconds timeout{};
};
struct StopContainerRequest {
  std::string container;
  std::chrono::milliseconds grace{};
};
struct UpdateContainerRequest {
  std::string container;
  std::string restart_policy;
  // The policy to remember before it is set aside (adopted containers); empty: the label has it.
  std::string remember;
};
struct RenameContainerRequest {
  std::string container;
  std::string name;
};
struct RemoveContainerRequest {
  std::string container;
  // The service whose lock directory goes with its last container.
  std::optional<ServiceRef> forget;
  std::optional<AppRecord> record;  // What is remembered of the app after, where that changes.
};
struct CreateNetworkRequest {
  NetworkSpec network;
};
struct RemoveNetworkRequest {
  NetworkSpec network;
};
struct ConnectNetworkRequest {
  std::string container;
  NetworkSpec network;
  Value endpoint;
};
struct CreateVolumeRequest {
  VolumeSpec volume;
};
struct PurgeVolumeRequest {
  VolumeSpec volume;
  AppRecord record;  // Remembered after: the volume is not to be purged any more.
};
struct RemoveImageRequest {
  std::string image_id;
  AppRecord record;  // Remembered after: the image is not retired any more.
};
struct TakeLocksRequest {
  std::vector<ServiceRef> services;  // All or nothing.
  std::vector<ServiceRef> forced;    // By force: services that are interrupted, and locked.
  // Made durable before the first disruptive step: the cutover has begun. None for a reboot.
  std::optional<AppRecord> record;
};
struct ReleaseLocksRequest {};
// When the lasting override is set: outside of any span.
struct DeleteLockRequest {
  ServiceRef service;
  std::string path;
};
struct WriteConfigRequest {
  std::vector<std::string> locked;  // For a reboot: apps whose locks must be Lockstep's all along.
  std::string key;
  std::optional<std::string> value;  // None: it goes.
  std::string backend;               // Empty: a setting of Lockstep itself.
  // What is to be written to the backend: this key and the others that change with it. One write
  // does it for all, so that no reboot ever finds a part of it.
  ConfigChanges changes;
  std::optional<RebootRecord> record;  // Made durable before, where the change needs a reboot.
};
struct RebootRequest {
  std::vector<std::string> locked;  // As above.
  RebootRecord record;              // Made durable before: it counts, whatever becomes of it.
};
struct CommitReleaseRequest {
  AppRecord record;  // An empty one is erased.
  // What the services were made from; none where the release is not the target's.
  std::optional<std::vector<ServiceSpec>> specs;
};
// Waiting is the Session's own: nobody is asked to perform it.
struct AwaitRequest {
  std::string container;
};

using StepRequest =
    std::variant<CheckImageRequest, PullImageRequest, CreateContainerRequest, StartContainerRequest,
                 StopContainerRequest, UpdateContainerRequest, RenameContainerRequest,
                 RemoveContainerRequest, CreateNetworkRequest, RemoveNetworkRequest,
                 ConnectNetworkRequest, CreateVolumeRequest, PurgeVolumeRequest, RemoveImageRequest,
                 TakeLocksRequest, ReleaseLocksRequest, DeleteLockRequest, WriteConfigRequest,
                 RebootRequest, CommitReleaseRequest, AwaitHandoverRequest, AwaitRequest>;

// `step` is one of `plan`, and `plan` was made of `observed` and `target`.
StepRequest BuildRequest(const Step& step, const Plan& plan, const ObservedState& observed,
                         const Target& target, const DeviceInfo& device);

// What performing a request gave.
struct StepResult {
  std::string id;  // Of what was made or pulled.
  // take-locks, disruptive steps, and those of a reboot: not empty means that an app holds these,
  // that the step was not performed, and that none of the app's locks is ours (any more).
  std::vector<LockHolder> holders;
  std::vector<LockHolder> overridden;  // take-locks by force: app locks that were removed.
  bool left_to_others = false;         // reboot: it will not be Lockstep that does it.
};

// The state after `request` was performed (not held), as the next look would find it.
void ApplyEffect(const Step& step, const StepRequest& request, const StepResult& result,
                 ObservedState& observed);

// Before a rename: puts the name of a container that a release takes over as it is into the record
// of its app, for going back. True where that is new, and is to be made durable.
bool RememberName(const Step& rename, ObservedState& observed);

}  // namespace lockstep

#endif  // LOCKSTEP_STEP_REQUEST_H_
