// Orchestrator: the threaded shell around the Session. It calls the ports, feeds what they say to
// the Session, and performs its actions.
#ifndef LOCKSTEP_ORCHESTRATOR_H_
#define LOCKSTEP_ORCHESTRATOR_H_

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "lockstep/clock.h"
#include "lockstep/device_config.h"
#include "lockstep/event.h"
#include "lockstep/host_control.h"
#include "lockstep/lock_fs.h"
#include "lockstep/observed_state.h"
#include "lockstep/plan.h"
#include "lockstep/planner.h"
#include "lockstep/result.h"
#include "lockstep/run_control.h"
#include "lockstep/runtime_backend.h"
#include "lockstep/session.h"
#include "lockstep/store.h"
#include "lockstep/target.h"

namespace lockstep {

// References: each must outlive the Orchestrator.
struct Ports {
  RuntimeBackend& runtime;
  LockFs& locks;
  Store& store;
  HostControl& host;
  DeviceConfig& config;
  Clock& clock;
};

struct ApplyOptions {
  SessionOptions session;
  std::optional<std::chrono::milliseconds> timeout;  // Of the whole; none: no limit.
  // Of the one plan that may be applied; empty: of any. Another one is refused before anything is
  // done: see CheckFingerprint.
  std::string if_fingerprint;
};

struct ApplyReport {
  ApplyOutcome outcome = ApplyOutcome::kInSync;  // The worst of the apps, or of the run.
  std::vector<AppReport> apps;                   // Sorted by app.
};

// kConflict where `plan` is not the one that `fingerprint` was read from: the device or the target
// is another now. An empty fingerprint is one of every plan.
Result<void> CheckFingerprint(const Plan& plan, const std::string& fingerprint);

// Thread-safety: one call at a time. The caller sees to it that no other orchestrator works on the
// same engine.
class Orchestrator {
 public:
  explicit Orchestrator(Ports ports) : ports_(ports) {}

  // What the device reports now. With a target, its services' locks are looked at too and what the
  // planner need not know is left out; without one, every owned container is looked into.
  // `seen`: as ObserveRequest says. Blocks for some engine calls. Errors: those of the ports.
  Result<ObservedState> Look(const Target* target, std::stop_token stop,
                             std::vector<std::string> seen = {});

  // The plan that Apply with these options would begin with. Changes nothing.
  Result<Plan> Preview(const Target& target, const SessionOptions& options, std::stop_token stop);

  // Carries the device to `target`, as far as it is for a device like this (FitToDevice); returns
  // when nothing is left to do or to wait for. Being held by a lock, blocked or unhealthy is an
  // outcome; an Error is returned only where not even a look could be taken, or the plan that it
  // gave was refused. A stop request on `interrupt` ends it early: a cutover that has begun is
  // finished first, up to giving back its locks.
  Result<ApplyReport> Apply(const Target& target, const ApplyOptions& options,
                            EventObserver& observer, std::stop_token interrupt);

  // Keeps the device at the newest target that `control` is given, until a stop is requested on
  // `interrupt`: then a cutover that has begun is finished, and it returns. Without a target it
  // waits and does nothing. What fails is reported, and tried again after a back-off; an engine
  // that is away is waited for. With nothing to do it sleeps until a fact comes: no timer, no
  // polling, one thread that waits for the engine's events beside the calling one.
  // Of `options`, keep_going and keep_retries are taken as set. True: the device is to reboot, and
  // waits for that only.
  bool Run(const SessionOptions& options, RunControl& control, EventObserver& observer,
           std::stop_token interrupt);

 private:
  static std::optional<Target> AwaitTarget(RunControl& control, Clock& clock,
                                           const std::stop_token& interrupt);

  Ports ports_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_ORCHESTRATOR_H_
