#include "device.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "config_backends/known_backends.h"
#include "host_locks.h"
#include "host_power.h"
#include "sqlite_store.h"

namespace lockstep {
namespace {

Result<std::unique_ptr<Store>> Warned(Result<OpenedStore> opened) {
  LOCKSTEP_TRYV(opened);
  OpenedStore& store = opened.assume_value();
  if (!store.note.empty()) spdlog::warn("{}", store.note);
  return std::move(store.store);
}

}  // namespace

DeviceView::DeviceView(const CommonOptions& options)
    : host_(OpenHost(options)), config_(BackendsOf(FindConfigPlaces(options))) {}

DeviceControl::DeviceControl(const CommonOptions& options)
    : host_(OpenHost(options)), config_(BackendsOf(FindConfigPlaces(options))) {}

Result<std::unique_ptr<DeviceView>> DeviceView::Open(const CommonOptions& options) {
  std::unique_ptr<DeviceView> device(new DeviceView(options));
  LOCKSTEP_TRY(device->engine_, OpenEngine(options));
  LOCKSTEP_TRY(device->locks_, OpenLocks(options));
  LOCKSTEP_TRY(device->store_, Warned(OpenSqliteStoreToLook(options.state_dir)));
  return device;
}

Result<std::unique_ptr<DeviceControl>> DeviceControl::Open(const CommonOptions& options) {
  std::unique_ptr<DeviceControl> device(new DeviceControl(options));
  LOCKSTEP_TRY(auto lock, StateLock::Take(options.state_dir));
  device->lock_.emplace(std::move(lock));
  LOCKSTEP_TRY(device->engine_, OpenEngine(options));
  device->guard_ = std::make_unique<SupervisorGuard>(device->engine_->backend());
  LOCKSTEP_TRY(device->lock_fs_, OpenLocks(options));
  device->locks_ = std::make_unique<LockTap>(*device->lock_fs_);
  LOCKSTEP_TRY(device->store_, Warned(OpenSqliteStore(options.state_dir)));
  return device;
}

}  // namespace lockstep
