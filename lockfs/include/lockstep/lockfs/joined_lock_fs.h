// Two LockFs as one: a service is locked where either says so.
#ifndef LOCKSTEP_LOCKFS_JOINED_LOCK_FS_H_
#define LOCKSTEP_LOCKFS_JOINED_LOCK_FS_H_

#include <memory>

#include "lockstep/lock_fs.h"

namespace lockstep {

// Looks at both and takes both, `first` before `second`: all or nothing over the two, and every
// holder of either is told. Directories are made, removed and bound by `first` alone, and hand-over
// is its matter, too: `second` is where an older scheme still has locks.
std::unique_ptr<LockFs> JoinLocks(std::unique_ptr<LockFs> first, std::unique_ptr<LockFs> second);

}  // namespace lockstep

#endif  // LOCKSTEP_LOCKFS_JOINED_LOCK_FS_H_
