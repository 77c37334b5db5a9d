// Port to one container engine. Adapters live in runtimes/ (docker, memory) or in your program.
#ifndef LOCKSTEP_RUNTIME_BACKEND_H_
#define LOCKSTEP_RUNTIME_BACKEND_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "lockstep/findings.h"
#include "lockstep/observed_state.h"
#include "lockstep/pull_progress.h"
#include "lockstep/result.h"
#include "lockstep/service_spec.h"

namespace lockstep {

struct ObserveRequest {
  // Owned containers that carry one of these config hashes are reported with the hash alone; the
  // specification, policy and networks of every other owned one are looked up. Sorted.
  std::vector<std::string> known_hashes;
  bool details_of_all = false;  // Look into every owned container (snapshots).
  // Containers with a config hash that the caller has looked into before. They never become others,
  // so they may be reported by what a list says of them, without specification and policy. Sorted.
  std::vector<std::string> seen = {};
};

// An image in a registry that holds only how another one differs from `base`: balena-engine makes
// and applies such. Whoever names one vouches that it gives the image which is to be pulled.
struct Delta {
  std::string reference;
  std::string base;    // The id of the image that it applies to.
  std::string result;  // The id of the image that it gives; empty: not known.
};

struct PullRequest {
  std::string reference;  // With tag or digest; without both, ":latest" is meant.
  // A shorter way to the same image, for an engine that can take it. Only where `reference` has no
  // digest: what a delta gives can be called by a tag alone.
  std::optional<Delta> delta = {};
};

struct Bind {
  std::string host_path;  // As the engine's host sees it. Made by the engine where it is missing.
  std::string container_path;
  friend bool operator==(const Bind&, const Bind&) = default;
};

// A container to be made: what the service asks for, and what Lockstep adds to it.
struct ContainerSpec {
  std::string name;
  std::string app;
  std::string app_id;  // Numeric id as text; empty for a compose app.
  std::string service;
  ServiceSpec spec;                                // `spec.image` is present on the engine.
  Labels labels;                                   // Added to the service's own.
  std::map<std::string, std::string> environment;  // Added; the service's own wins.
  std::vector<Bind> binds;                         // Added; as binds, never as mounts.
  // For each service whose namespaces it joins ("service:<name>"), the container that is meant.
  std::map<std::string, std::string> shared;
};

struct NetworkSpec {
  std::string app;
  std::string app_id;
  std::string name;  // In the target's words; the adapter gives the engine "<app>_<name>".
  Value config;
  friend bool operator==(const NetworkSpec&, const NetworkSpec&) = default;
};

struct VolumeSpec {
  std::string app;
  std::string app_id;
  std::string name;  // The adapter gives the engine "<app id, else app>_<name>".
  Value config;
  friend bool operator==(const VolumeSpec&, const VolumeSpec&) = default;
};

enum class EngineEventKind { kStarted, kDied, kHealth, kRemoved, kOther };

struct EngineEvent {
  EngineEventKind kind = EngineEventKind::kOther;
  std::string container;          // Its id; empty for kOther.
  int exit_code = 0;              // kDied
  Health health = Health::kNone;  // kHealth
};

// Called from the watching thread; must not block.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void OnEvent(const EngineEvent& event) = 0;
  // Events may have been missed (the stream began, or was cut): look again.
  virtual void OnGap() = 0;
};

// Thread-safety: every method may be called from several threads at once.
// Blocking: every method blocks; on a stop request it returns kCancelled within one second and
// leaves the engine in whatever state it then reports.
// Idempotence: every method promises an effect, and succeeds where the effect is there already
// (started what runs, stopped or removed what is gone).
// Errors of every method: kUnavailable (the engine does not answer; try again), kPermissionDenied
// (not allowed on its socket), kDeadlineExceeded (took longer than the operation may: look again),
// kBadReply, kUnsupported (the engine is too old), kCancelled. Others are named at the method.
class RuntimeBackend {
 public:
  RuntimeBackend() = default;
  RuntimeBackend(const RuntimeBackend&) = delete;
  RuntimeBackend& operator=(const RuntimeBackend&) = delete;
  virtual ~RuntimeBackend() = default;

  // What engine it is. One call to the engine the first time, remembered after.
  virtual Result<EngineInfo> Describe(std::stop_token stop) = 0;

  // The whole picture in at most five calls, and one for each owned container looked into.
  virtual Result<EngineState> Observe(const ObserveRequest& request, std::stop_token stop) = 0;

  // Asks the registry whether it has the image for this machine, and downloads nothing. Errors:
  // kNotFound (no such image, or several and none for this machine), kPermissionDenied (registry).
  virtual Result<void> CheckImage(const std::string& reference, std::stop_token stop) = 0;

  // Makes the image present; returns its id on this engine. May take hours; given up when no byte
  // comes for long. A delta is but a hint: where the engine cannot use it, its base is not here, or
  // anything is wrong with it, the image is pulled whole; in the end it has the same name either
  // way. Errors: kNotFound (no such image), kNoSpace, kPermissionDenied (registry), kUnsupported
  // (what the reference names is itself a delta that the engine did not apply; it is removed
  // again).
  virtual Result<std::string> PullImage(const PullRequest& request, ProgressSink& progress,
                                        std::stop_token stop) = 0;

  // Makes a container, attached to all its networks, not started; returns its id. One of the same
  // name and config hash that was never started is that container. Errors: kNotFound (image or
  // network), kConflict (the name is another container's), kInvalidInput (the engine refuses the
  // specification).
  virtual Result<std::string> CreateContainer(const ContainerSpec& spec, std::stop_token stop) = 0;

  // Errors: kNotFound (container, network), kConflict (port in use), kInvalidInput (the engine
  // cannot run it; the message is the engine's), kDefunct (no attempt will succeed: it is to be
  // removed, and made anew).
  virtual Result<void> StartContainer(const std::string& id, std::stop_token stop) = 0;

  // Asks it to stop and kills it after `grace`. Success for a container that is gone.
  virtual Result<void> StopContainer(const std::string& id, std::chrono::milliseconds grace,
                                     std::stop_token stop) = 0;

  // Sets the restart policy ("no", "always", "unless-stopped", "on-failure[:n]"). Error: kNotFound.
  virtual Result<void> UpdateContainer(const std::string& id, const std::string& restart_policy,
                                       std::stop_token stop) = 0;

  // Errors: kNotFound, kConflict (the name is another container's).
  virtual Result<void> RenameContainer(const std::string& id, const std::string& name,
                                       std::stop_token stop) = 0;

  // Removes a stopped container with its anonymous volumes; never by force. Returns once it is
  // gone, whoever began to remove it. Error: kConflict (runs).
  virtual Result<void> RemoveContainer(const std::string& id, std::stop_token stop) = 0;

  // Errors: kConflict (one of that name exists that is not ours, or address ranges overlap).
  virtual Result<void> CreateNetwork(const NetworkSpec& spec, std::stop_token stop) = 0;
  // Attaches a container by the endpoint its specification asks for (aliases, addresses). Error:
  // kConflict (the network is not ours).
  virtual Result<void> ConnectNetwork(const std::string& container, const NetworkSpec& network,
                                      const Value& endpoint, std::stop_token stop) = 0;
  // Errors: kConflict (in use, or not ours).
  virtual Result<void> RemoveNetwork(const NetworkSpec& network, std::stop_token stop) = 0;

  virtual Result<void> CreateVolume(const VolumeSpec& spec, std::stop_token stop) = 0;
  // Deletes the data. Errors: kConflict (in use, or not ours).
  virtual Result<void> RemoveVolume(const VolumeSpec& volume, std::stop_token stop) = 0;

  // Removes the image of this id unless a container uses it (kConflict); never by force.
  virtual Result<void> RemoveImage(const std::string& image_id, std::stop_token stop) = 0;

  // What is to be found out about a container that fails: how it ended, and the last it printed,
  // standard output and standard error in the order they came, as OutputTail gives it. Asked once,
  // when it is given up, and for people only: nothing is decided by it. What the engine does not
  // tell stays empty. A backend that can tell nothing need not override this; one that stands
  // before another one does. Error: kNotFound.
  virtual Result<Findings> Examine(const std::string& id, std::stop_token stop) {
    (void)id;
    (void)stop;
    return Findings();
  }

  // Reports events until stopped (then kCancelled is the normal end). Calls OnGap once the stream
  // stands, and after each time it was cut; reconnects with back-off by itself.
  virtual Result<void> Watch(EventSink& sink, std::stop_token stop) = 0;
};

}  // namespace lockstep

#endif  // LOCKSTEP_RUNTIME_BACKEND_H_
