// What a HostLockFs and the LockSets it gave share.
#ifndef LOCKSTEP_LOCKFS_SRC_CORE_H_
#define LOCKSTEP_LOCKFS_SRC_CORE_H_

#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "flock_history.h"
#include "journal.h"
#include "lock_root.h"
#include "lockstep/lockfs/host_lock_fs.h"

namespace lockstep {

class HostLockFs::Core {
 public:
  Core(HostLockFsOptions opts, lockfs::Seams with)
      : options(std::move(opts)),
        seams(std::move(with)),
        journal(options.journal_dir, options.boot_id) {}

  const HostLockFsOptions options;
  const lockfs::Seams seams;
  lockfs::FlockHistory flocks;
  std::mutex mutex;  // Guards what follows; held while locks are taken or given back.
  lockfs::Journal journal;
  bool file_system_checked = false;  // It has what locks need.
  std::set<lockfs::FileId> live;     // Held by a LockSet of this process.
};

namespace lockfs {

// OpenHostLockFs with `seams`. For tests.
Result<std::unique_ptr<HostLockFs>> OpenHostLockFsWith(HostLockFsOptions options, Seams seams);

// Whether `seen`, at the place of `entry`, is the very file that `entry` is about.
bool IsSameFile(const JournalEntry& entry, const FileInfo& seen, const HostLockFsOptions& options);

}  // namespace lockfs
}  // namespace lockstep

#endif  // LOCKSTEP_LOCKFS_SRC_CORE_H_
