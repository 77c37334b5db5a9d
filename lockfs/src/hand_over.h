// The files by which a service says that its new container has taken over.
#ifndef LOCKSTEP_LOCKFS_SRC_HAND_OVER_H_
#define LOCKSTEP_LOCKFS_SRC_HAND_OVER_H_

#include <chrono>
#include <stop_token>

#include "core.h"

namespace lockstep::lockfs {

// As LockFs::ClearHandOver and LockFs::AwaitHandOver say.
Result<void> ClearHandOverFiles(const HostLockFs::Core& core, const ServiceRef& service);
Result<HandOverOutcome> AwaitHandOverFile(HostLockFs::Core& core, const ServiceRef& service,
                                          std::chrono::milliseconds timeout, std::stop_token stop);

}  // namespace lockstep::lockfs

#endif  // LOCKSTEP_LOCKFS_SRC_HAND_OVER_H_
