// HeldLocks: what is behind a LockSet.
#ifndef LOCKSTEP_LOCKFS_SRC_HELD_LOCKS_H_
#define LOCKSTEP_LOCKFS_SRC_HELD_LOCKS_H_

#include <memory>
#include <vector>

#include "aside.h"
#include "core.h"
#include "lock_file.h"

namespace lockstep::lockfs {

class HeldLocks final : public LockSet::Held {
 public:
  HeldLocks(std::shared_ptr<HostLockFs::Core> core, LockRoot root, Aside aside,
            std::vector<ServiceDir> dirs);
  ~HeldLocks() override;

  Result<std::vector<LockHolder>> Reassert() override;
  Result<void> Release() override;
  void Abandon() override;

  // For who builds it; core's mutex is held.
  const std::vector<ServiceDir>& dirs() const { return dirs_; }
  const LockRoot& root() const { return root_; }
  Aside& aside() { return aside_; }
  // Makes, records and links a file for each of `wanted` (dir and file), in order. False: somebody
  // came between; what was made is kept for the caller to give back.
  Result<bool> Take(std::vector<LockFile> wanted);
  void Keep(LockFile lock);                  // In one of dirs().
  void Keep(LockFile lock, ServiceDir dir);  // In another.
  std::size_t size() const { return locks_.size(); }
  // Lets go of what flock(1) had left behind, and leaves it there.
  Result<void> LeaveFound();
  // Gives back what is held, and may be filled again.
  Result<void> GiveBack();

 private:
  Result<void> MendAsideDirectory();
  Result<void> ReassertOne(LockFile& lock, std::vector<LockHolder>& holders);
  Result<void> TakeAgain(LockFile& lock);

  std::shared_ptr<HostLockFs::Core> core_;
  LockRoot root_;
  Aside aside_;  // Kept open, as the directories are: to release needs no new descriptor.
  std::vector<ServiceDir> dirs_;
  std::vector<LockFile> locks_;
};

}  // namespace lockstep::lockfs

#endif  // LOCKSTEP_LOCKFS_SRC_HELD_LOCKS_H_
