// Waiting for locks to come and go.
#ifndef LOCKSTEP_LOCKFS_SRC_WATCH_H_
#define LOCKSTEP_LOCKFS_SRC_WATCH_H_

#include <span>
#include <stop_token>

#include "core.h"

namespace lockstep::lockfs {

Result<void> WatchLocks(const HostLockFs::Core& core, std::span<const ServiceRef> services,
                        LockSink& sink, std::stop_token stop);

}  // namespace lockstep::lockfs

#endif  // LOCKSTEP_LOCKFS_SRC_WATCH_H_
