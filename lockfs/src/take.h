// Taking the locks of a set of services: all of them, or none.
#ifndef LOCKSTEP_LOCKFS_SRC_TAKE_H_
#define LOCKSTEP_LOCKFS_SRC_TAKE_H_

#include <memory>
#include <span>

#include "core.h"

namespace lockstep::lockfs {

Result<LockOutcome> TakeAllLocks(const std::shared_ptr<HostLockFs::Core>& core,
                                 std::span<const ServiceRef> services, LockMode mode);

}  // namespace lockstep::lockfs

#endif  // LOCKSTEP_LOCKFS_SRC_TAKE_H_
