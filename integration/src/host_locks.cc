#include "host_locks.h"

#include <unistd.h>

#include <utility>

#include "device_facts.h"
#include "host_power.h"
#include "lockstep/lockfs/data_locks.h"
#include "lockstep/lockfs/joined_lock_fs.h"

namespace lockstep {
namespace {

bool HasDataLocks(const DeviceInfo& host) {
  return host.os_id.starts_with("resin") && host.os_version.starts_with("1.");
}

}  // namespace

Result<std::unique_ptr<LockFs>> OpenLocks(const CommonOptions& options) {
  HostLockFsOptions locks;
  locks.locks_root = options.locks_root;
  locks.host_root = options.host_root;
  locks.journal_dir = options.state_dir + "/lock-journal";
  LOCKSTEP_TRY(locks.boot_id, OpenHost(options)->BootId());
  if (geteuid() != 0) {  // Only root may give files away.
    locks.owner_uid = geteuid();
    locks.owner_gid = getegid();
  }
  auto opened = OpenHostLockFs(locks);
  if (!opened) return WithContext(std::move(opened).assume_error(), "locks " + options.locks_root);
  std::unique_ptr<LockFs> current = std::move(opened).assume_value();
  if (!HasDataLocks(FactsOfHost(options.host_root))) return current;
  LOCKSTEP_TRY(auto data, OpenHostLockFs(DataLockOptions(std::move(locks))));
  return JoinLocks(std::move(current), PlaceLocks(std::move(data), DataLockPlacement()));
}

}  // namespace lockstep
