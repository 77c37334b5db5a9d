#include "held_locks.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "look.h"

namespace lockstep::lockfs {

HeldLocks::HeldLocks(std::shared_ptr<HostLockFs::Core> core, LockRoot root, Aside aside,
                     std::vector<ServiceDir> dirs)
    : core_(std::move(core)),
      root_(std::move(root)),
      aside_(std::move(aside)),
      dirs_(std::move(dirs)) {}

HeldLocks::~HeldLocks() {
  if (!locks_.empty()) (void)Release();  // Nobody is left to tell; the journal keeps what failed.
}

Result<bool> HeldLocks::Take(std::vector<LockFile> wanted) {
  std::vector<JournalEntry> entries;
  const std::size_t first = locks_.size();
  for (const LockFile& want : wanted) {
    const ServiceDir& dir = dirs_[want.dir];
    LOCKSTEP_TRY(LockFile made, MakeLockFile(dir, want.file, aside_, *core_));
    made.dir = want.dir;
    entries.push_back(EntryFor(made, dir.service));
    Keep(std::move(made));
  }
  core_->seams.At("made");
  // Before any name appears: a kill after it may leave a lock that only the journal knows as ours.
  LOCKSTEP_TRYV(core_->journal.Add(entries));
  core_->seams.At("recorded");
  for (std::size_t i = first; i < locks_.size(); ++i) {
    const ServiceDir& dir = dirs_[locks_[i].dir];
    const int error = LinkLockFile(locks_[i], dir, aside_);
    if (error == EEXIST) return false;
    if (error != 0) return SystemError(error, "take lock " + dir.path + "/" + locks_[i].file);
    core_->seams.At("linked");
  }
  return true;
}

void HeldLocks::Keep(LockFile lock) {
  core_->live.insert(lock.id);
  locks_.push_back(std::move(lock));
}

void HeldLocks::Keep(LockFile lock, ServiceDir dir) {
  lock.dir = dirs_.size();
  dirs_.push_back(std::move(dir));
  Keep(std::move(lock));
}

// Somebody may have removed it, as cleaners of /tmp do with what is empty.
Result<void> HeldLocks::MendAsideDirectory() {
  struct stat seen {};
  if (::fstat(aside_.fd(), &seen) != 0 || seen.st_nlink != 0) return Ok();
  LOCKSTEP_TRY(aside_, Aside::Open(root_));
  return Ok();
}

Result<void> HeldLocks::GiveBack() {
  Result<void> result = MendAsideDirectory();
  const auto keep_first = [&result](Result<void> next) {
    if (!next && result) result = std::move(next);  // The journal has it: ReleaseLeftovers.
  };
  std::vector<FileId> gone;
  std::vector<LockFile*> aside;
  for (LockFile& lock : locks_) {
    core_->live.erase(lock.id);
    auto is_aside = SetLockAside(lock, dirs_[lock.dir], aside_, core_->seams);
    if (!is_aside) {
      keep_first(std::move(is_aside).as_failure());
    } else if (is_aside.assume_value()) {
      aside.push_back(&lock);
    } else {
      gone.push_back(lock.id);
    }
  }
  // Of who waits for a flock of this process; where it cannot be read none is known.
  const ProcLocks proc_locks = ProcLocks::Read(core_->options.host_root);
  for (LockFile* lock : aside) {
    auto dropped = DropLockAside(*lock, dirs_[lock->dir], aside_, proc_locks);
    if (dropped) gone.push_back(lock->id);
    keep_first(std::move(dropped));
  }
  locks_.clear();
  core_->seams.At("released");
  if (!gone.empty()) keep_first(core_->journal.Remove(gone));
  return result;
}

Result<void> HeldLocks::LeaveFound() {
  for (LockFile& lock : locks_) {
    if (!lock.found) continue;
    core_->live.erase(lock.id);
    LOCKSTEP_TRYV(LeaveFileAsFound(lock, *core_));
  }
  std::erase_if(locks_, [](const LockFile& lock) { return lock.found; });
  return Ok();
}

Result<void> HeldLocks::Release() {
  const std::lock_guard guard(core_->mutex);
  return GiveBack();
}

void HeldLocks::Abandon() {
  const std::lock_guard guard(core_->mutex);
  for (const LockFile& lock : locks_) core_->live.erase(lock.id);
  locks_.clear();
}

Result<std::vector<LockHolder>> HeldLocks::Reassert() {
  const std::lock_guard guard(core_->mutex);
  std::vector<LockHolder> holders;
  for (LockFile& lock : locks_) {
    LOCKSTEP_TRYV(ReassertOne(lock, holders));
  }
  return holders;
}

Result<void> HeldLocks::ReassertOne(LockFile& lock, std::vector<LockHolder>& holders) {
  constexpr int kAttempts = 8;  // An app may take and drop it as fast as we look.
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const ServiceDir& dir = dirs_[lock.dir];
    LOCKSTEP_TRY(const auto seen, LookAt(dir.fd.get(), lock.file));
    if (seen && seen->id == lock.id) return Ok();
    if (seen) {
      holders.push_back(DescribeLock(dir.service, dir.path, lock.file, *seen, false));
      return Ok();
    }
    LOCKSTEP_TRYV(TakeAgain(lock));
  }
  return MakeError(ErrorCode::kConflict, "an app takes and drops " + dirs_[lock.dir].path + "/" +
                                             lock.file + " all the time");
}

// The old file cannot be used: once its last name is gone it cannot get another.
Result<void> HeldLocks::TakeAgain(LockFile& lock) {
  ServiceDir& dir = dirs_[lock.dir];
  struct stat seen {};
  if (::fstat(dir.fd.get(), &seen) == 0 && seen.st_nlink == 0) {
    LOCKSTEP_TRY(dir, root_.MakeService(ServiceRef(dir.service)));  // Removed on the host.
  }
  LOCKSTEP_TRY(LockFile made, MakeLockFile(dir, lock.file, aside_, *core_));
  made.dir = lock.dir;
  const JournalEntry entry = EntryFor(made, dir.service);
  core_->live.insert(made.id);
  const FileId old = std::exchange(lock, std::move(made)).id;
  core_->live.erase(old);
  LOCKSTEP_TRYV(core_->journal.Add({&entry, 1}));
  const int error = LinkLockFile(lock, dir, aside_);
  LOCKSTEP_TRYV(core_->journal.Remove({&old, 1}));
  if (error == 0 || error == EEXIST) return Ok();  // The caller looks again.
  return SystemError(error, "take lock " + dir.path + "/" + lock.file);
}

}  // namespace lockstep::lockfs
