// One look at what flock has to do with the locks of apps.
#ifndef LOCKSTEP_LOCKFS_SRC_FLOCK_LOOK_H_
#define LOCKSTEP_LOCKFS_SRC_FLOCK_LOOK_H_

#include <optional>
#include <string>

#include "core.h"
#include "proc_locks.h"

namespace lockstep::lockfs {

class FlockLook {
 public:
  explicit FlockLook(HostLockFs::Core& core) : core_(core) {}

  // Completes `holder`, the lock of an app that was seen as `file`: whether flock(1) only left it
  // behind (`held` false), its kind, and whose it is as far as the kernel says.
  void Tell(const FileInfo& file, LockHolder& holder);
  void Forget(const std::string& path) { core_.flocks.Forget(path); }

  // Whether a later look may tell more, of some lock, than this one; nothing else says when.
  bool undecided() const { return undecided_; }

 private:
  const ProcLocks& Locks();  // Read where somebody asks, and once.

  HostLockFs::Core& core_;
  std::optional<ProcLocks> locks_;
  bool undecided_ = false;
};

}  // namespace lockstep::lockfs

#endif  // LOCKSTEP_LOCKFS_SRC_FLOCK_LOOK_H_
