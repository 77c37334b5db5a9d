// The locks of OS 1.X: beside the data of an app, where they outlive a reboot.
#ifndef LOCKSTEP_LOCKFS_DATA_LOCKS_H_
#define LOCKSTEP_LOCKFS_DATA_LOCKS_H_

#include <memory>

#include "lockstep/lockfs/host_lock_fs.h"
#include "lockstep/lockfs/placed_lock_fs.h"

namespace lockstep {

// Such a system binds `<data>/resin-data/<app id>` at /data into the containers of an app, all of
// which share it; the lock is /data/resin-updates.lock. An app's own is never cleared at a start,
// as supervisors of that time did: it may have taken it before. One of ours from before a reboot is.
LockPlacement DataLockPlacement();

// `options` changed to hold those below `data`, its own journal beside that of `options`. For
// PlaceLocks with DataLockPlacement, and to be joined to the ones of today (JoinLocks).
HostLockFsOptions DataLockOptions(HostLockFsOptions options, std::string data = "/mnt/data");

}  // namespace lockstep

#endif  // LOCKSTEP_LOCKFS_DATA_LOCKS_H_
