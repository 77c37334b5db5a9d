// One lock of ours: a file that appears under its name whole, or not at all.
#ifndef LOCKSTEP_LOCKFS_SRC_LOCK_FILE_H_
#define LOCKSTEP_LOCKFS_SRC_LOCK_FILE_H_

#include <string>

#include "aside.h"
#include "core.h"
#include "journal.h"
#include "proc_locks.h"

namespace lockstep::lockfs {

struct LockFile {
  std::size_t dir = 0;  // Which ServiceDir of the set.
  std::string file;
  // Kept open: as long as it is, the file system gives its inode number to no other file, and
  // flock(1) on the name has to wait.
  UniqueFd fd;
  FileId id;
  std::string staged;   // Its name aside where the file system has no unnamed files; else empty.
  bool linked = false;  // Under its name.
  bool found = false;   // Left behind by flock(1), and not made by us.
};

JournalEntry EntryFor(const LockFile& lock, const ServiceRef& service);

// A new file, ours, flocked, that has no name yet.
Result<LockFile> MakeLockFile(const ServiceDir& dir, const std::string& file, Aside& aside,
                              const HostLockFs::Core& core);
// Gives it its name. EEXIST: somebody holds that. 0 or the errno.
int LinkLockFile(LockFile& lock, const ServiceDir& dir, Aside& aside);

// Takes over the file of a journal entry that an earlier process left behind. False: an app has it
// flocked, or it is another file by now; it is the app's then (for the journal, too).
Result<bool> AdoptLockFile(LockFile& lock, const ServiceDir& dir, HostLockFs::Core& core);

// Takes over what flock(1) left behind: `lock` names its place and which file it is. It is recorded
// and flocked. False: it is in use again, or another.
Result<bool> TakeLeftFile(LockFile& lock, const ServiceDir& dir, HostLockFs::Core& core);
// Lets go of one that TakeLeftFile took, and leaves it as it was.
Result<void> LeaveFileAsFound(LockFile& lock, HostLockFs::Core& core);

// Giving a lock back is two steps, so that nobody opens it any more when it is asked who waits.
// First the name goes aside if it is this file's; what an app put in its place stays. False: there
// is nothing left to give back.
Result<bool> SetLockAside(LockFile& lock, const ServiceDir& dir, Aside& aside, const Seams& seams);
// Then it is removed. Where somebody waits for our flock he gets the file, under its name: on one
// without a name he would hold nothing.
Result<void> DropLockAside(LockFile& lock, const ServiceDir& dir, Aside& aside,
                           const ProcLocks& proc_locks);

// Makes the file the app's: another owner, and no flock of ours.
void LeaveToApp(LockFile& lock);

}  // namespace lockstep::lockfs

#endif  // LOCKSTEP_LOCKFS_SRC_LOCK_FILE_H_
