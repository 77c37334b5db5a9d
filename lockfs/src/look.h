// Looking at locks: nothing is opened but directories, and nothing is changed.
#ifndef LOCKSTEP_LOCKFS_SRC_LOOK_H_
#define LOCKSTEP_LOCKFS_SRC_LOOK_H_

#include <span>
#include <string>
#include <vector>

#include "core.h"
#include "flock_look.h"

namespace lockstep::lockfs {

LockHolder DescribeLock(const ServiceRef& service, const std::string& dir_path,
                        const std::string& file, const FileInfo& seen, bool ours);

Result<std::vector<LockHolder>> LookAtServices(HostLockFs::Core& core,
                                               std::span<const ServiceRef> services,
                                               FlockLook& flocks);
// Every service below the root; a directory that cannot be looked into is an entry by itself.
Result<std::vector<LockHolder>> LookAtAll(HostLockFs::Core& core);

}  // namespace lockstep::lockfs

#endif  // LOCKSTEP_LOCKFS_SRC_LOOK_H_
