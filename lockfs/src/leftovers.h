// What an earlier process left behind: which journal entries no LockSet of this process holds.
#ifndef LOCKSTEP_LOCKFS_SRC_LEFTOVERS_H_
#define LOCKSTEP_LOCKFS_SRC_LEFTOVERS_H_

#include <string>
#include <vector>

#include "aside.h"
#include "core.h"
#include "journal.h"

namespace lockstep::lockfs {

// Core's mutex is held.
Result<std::vector<JournalEntry>> DeadEntries(const HostLockFs::Core& core);
// Whether `seen`, at `file` of this service, is a lock of ours among `dead`.
bool IsLeftByUs(const std::vector<JournalEntry>& dead, const ServiceRef& service,
                const std::string& file, const FileInfo& seen, const HostLockFsOptions& options);
// What is still aside, and why.
struct Unmended {
  JournalEntry entry;
  Error error;
};
// Puts back what a crash left aside and is not ours, and drops what is. Returns those for which
// that failed; they stay in the journal.
Result<std::vector<Unmended>> MendAside(HostLockFs::Core& core, const LockRoot& root, Aside& aside,
                                        const std::vector<JournalEntry>& dead);

Result<int> ReleaseLeftoverLocks(const std::shared_ptr<HostLockFs::Core>& core);

}  // namespace lockstep::lockfs

#endif  // LOCKSTEP_LOCKFS_SRC_LEFTOVERS_H_
