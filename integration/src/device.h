// The ports of this device, wired together from the options.
#ifndef LOCKSTEP_INTEGRATION_DEVICE_H_
#define LOCKSTEP_INTEGRATION_DEVICE_H_

#include <memory>
#include <optional>
#include <string>

#include "engine.h"
#include "lock_tap.h"
#include "lockstep/clock.h"
#include "lockstep/device_config.h"
#include "lockstep/host_control.h"
#include "lockstep/lock_fs.h"
#include "lockstep/orchestrator.h"
#include "lockstep/result.h"
#include "lockstep/store.h"
#include "options.h"
#include "state_lock.h"
#include "supervisor_guard.h"

namespace lockstep {

// A device to look at: opening it makes nothing and needs no more rights than the engine does.
class DeviceView {
 public:
  static Result<std::unique_ptr<DeviceView>> Open(const CommonOptions& options);
  Ports ports() { return {engine_->backend(), *locks_, *store_, *host_, config_, clock_}; }

 private:
  explicit DeviceView(const CommonOptions& options);
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<LockFs> locks_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<HostControl> host_;
  DeviceConfig config_;
  SystemClock clock_;
};

// A device to work on, alone: no other Lockstep works with the same state directory while this
// lives, and each look fails with kAnotherOrchestrator while a balena supervisor runs.
class DeviceControl {
 public:
  static Result<std::unique_ptr<DeviceControl>> Open(const CommonOptions& options);
  Ports ports() { return {*guard_, *locks_, *store_, *host_, config_, clock_}; }
  Store& store() { return *store_; }
  LockTap& locks() { return *locks_; }
  // Makes what was done on the memory engine outlive the process.
  Result<void> Save() { return engine_->Save(); }

 private:
  explicit DeviceControl(const CommonOptions& options);
  std::optional<StateLock> lock_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<SupervisorGuard> guard_;
  std::unique_ptr<LockFs> lock_fs_;
  std::unique_ptr<LockTap> locks_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<HostControl> host_;
  DeviceConfig config_;
  SystemClock clock_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_DEVICE_H_
