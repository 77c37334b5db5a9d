#include "lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

namespace lockstep::lockfs {
namespace {

constexpr mode_t kLockMode = 0444;

std::string ProcPath(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

// Where the file system has no unnamed files, one with a name that no container sees.
Result<void> MakeStaged(LockFile& lock, Aside& aside, const std::string& what) {
  lock.staged = aside.FreshName();
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  lock.fd.Reset(::openat(aside.fd(), lock.staged.c_str(), kFlags, kLockMode));
  if (!lock.fd) return SystemError(errno, what);
  return Ok();
}

void DropStaged(LockFile& lock, Aside& aside) {
  if (!lock.staged.empty()) ::unlinkat(aside.fd(), lock.staged.c_str(), 0);
  lock.staged.clear();
}

Result<void> Open(LockFile& lock, const ServiceDir& dir, Aside& aside, const Seams& seams,
                  const std::string& what) {
  if (seams.no_tmpfile) return MakeStaged(lock, aside, what);
  lock.fd.Reset(::openat(dir.fd.get(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, kLockMode));
  if (lock.fd) return Ok();
  if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) {
    return MakeStaged(lock, aside, what);
  }
  return SystemError(errno, what);
}

Result<void> Finish(LockFile& lock, const HostLockFsOptions& options, const std::string& what) {
  struct stat seen {};
  if (::fstat(lock.fd.get(), &seen) != 0) return SystemError(errno, what);
  if ((seen.st_uid != options.owner_uid || seen.st_gid != options.owner_gid) &&
      ::fchown(lock.fd.get(), options.owner_uid, options.owner_gid) != 0) {
    return SystemError(errno, what);
  }
  if (::fchmod(lock.fd.get(), kLockMode) != 0) return SystemError(errno, what);
  // Nobody else can have it yet. Where flock does not work at all the name holds all the same.
  (void)::flock(lock.fd.get(), LOCK_EX | LOCK_NB);
  LOCKSTEP_TRY(const FileInfo info, LookAtFd(lock.fd.get()));
  lock.id = info.id;
  return Ok();
}

}  // namespace

bool IsSameFile(const JournalEntry& entry, const FileInfo& seen, const HostLockFsOptions& options) {
  if (!IsIdOf(entry, seen.id) || (entry.former_boot && seen.id.born_ns == 0)) return false;
  // Without birth times (tmpfs before Linux 6) the number is all there is. Such a file system does
  // not soon use one again; ask for what is else known of our files.
  return seen.id.born_ns != 0 || (S_ISREG(seen.mode) && seen.uid == options.owner_uid);
}

JournalEntry EntryFor(const LockFile& lock, const ServiceRef& service) {
  return {JournalEntry::Kind::kTaken, lock.id, service.app_dir, service.service, lock.file};
}

Result<LockFile> MakeLockFile(const ServiceDir& dir, const std::string& file, Aside& aside,
                              const HostLockFs::Core& core) {
  const std::string what = "make lock " + dir.path + "/" + file;
  LockFile lock;
  lock.file = file;
  LOCKSTEP_TRYV(Open(lock, dir, aside, core.seams, what));
  if (auto finished = Finish(lock, core.options, what); !finished) {
    DropStaged(lock, aside);
    return std::move(finished).assume_error();
  }
  return lock;
}

int LinkLockFile(LockFile& lock, const ServiceDir& dir, Aside& aside) {
  const bool staged = !lock.staged.empty();
  const int from_dir = staged ? aside.fd() : AT_FDCWD;
  const std::string from = staged ? lock.staged : ProcPath(lock.fd.get());
  const int done = ::linkat(from_dir, from.c_str(), dir.fd.get(), lock.file.c_str(),
                            staged ? 0 : AT_SYMLINK_FOLLOW);
  const int error = done == 0 ? 0 : errno;
  lock.linked = error == 0;
  DropStaged(lock, aside);
  return error;
}

namespace {

// The file at `lock`'s place, opened if `is_it` says that it is the one: O_PATH opens no file.
struct Opened {
  UniqueFd fd;             // None: it is not there, or another is, or
  bool is_in_use = false;  // somebody has a lease on it.
};
template <typename IsIt>
Result<Opened> OpenIf(const LockFile& lock, const ServiceDir& dir, const std::string& what,
                      IsIt is_it) {
  const UniqueFd seen(::openat(dir.fd.get(), lock.file.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!seen && errno == ENOENT) return Opened();
  if (!seen) return SystemError(errno, what);
  LOCKSTEP_TRY(const FileInfo info, LookAtFd(seen.get()));
  if (!is_it(info)) return Opened();
  UniqueFd fd(::open(ProcPath(seen.get()).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd && errno == EWOULDBLOCK) return Opened{UniqueFd(), true};
  if (!fd) return SystemError(errno, what);
  return Opened{std::move(fd), false};
}

}  // namespace

Result<bool> AdoptLockFile(LockFile& lock, const ServiceDir& dir, HostLockFs::Core& core) {
  const auto is_ours = [&](const FileInfo& seen) {
    return IsSameFile(EntryFor(lock, dir.service), seen, core.options);
  };
  LOCKSTEP_TRY(auto opened,
               OpenIf(lock, dir, "take over lock " + dir.path + "/" + lock.file, is_ours));
  if (!opened.fd && !opened.is_in_use) return false;
  lock.fd = std::move(opened.fd);
  lock.linked = true;
  if (opened.is_in_use ||
      (::flock(lock.fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)) {
    // When its maker died an app's flock(1) got the lock, and runs on the strength of it.
    LeaveToApp(lock);
    LOCKSTEP_TRYV(core.journal.Remove({&lock.id, 1}));
    return false;
  }
  return true;
}

Result<bool> TakeLeftFile(LockFile& lock, const ServiceDir& dir, HostLockFs::Core& core) {
  const auto is_left = [&](const FileInfo& seen) {
    return seen.id == lock.id && MayBeOfFlock(seen);
  };
  LOCKSTEP_TRY(auto opened, OpenIf(lock, dir, "take lock " + dir.path + "/" + lock.file, is_left));
  if (!opened.fd) return false;
  const JournalEntry entry = EntryFor(lock, dir.service);
  LOCKSTEP_TRYV(core.journal.Add({&entry, 1}));
  lock.fd = std::move(opened.fd);
  lock.found = true;
  lock.linked = true;
  if (::flock(lock.fd.get(), LOCK_EX | LOCK_NB) == 0) {
    LOCKSTEP_TRY(const auto now, LookAt(dir.fd.get(), lock.file));
    if (now && now->id == lock.id) return true;
  }
  LOCKSTEP_TRYV(LeaveFileAsFound(lock, core));
  return false;
}

Result<void> LeaveFileAsFound(LockFile& lock, HostLockFs::Core& core) {
  lock.fd.Reset();  // With it goes the flock.
  lock.linked = false;
  return core.journal.Remove({&lock.id, 1});
}

Result<bool> SetLockAside(LockFile& lock, const ServiceDir& dir, Aside& aside, const Seams& seams) {
  DropStaged(lock, aside);
  if (!lock.linked) return false;
  const std::string aside_name = Aside::NameOf(EntryFor(lock, dir.service));
  const int error = Rename(dir.fd.get(), lock.file, aside.fd(), aside_name);
  if (error == ENOENT) return false;  // The app removed it.
  if (error != 0) return SystemError(error, "release lock " + dir.path + "/" + lock.file);
  seams.At("renamed-aside");
  LOCKSTEP_TRY(const auto moved, LookAt(aside.fd(), aside_name));
  if (moved && moved->id == lock.id) return true;
  LOCKSTEP_TRYV(aside.PutBack(aside_name, dir.fd.get(), lock.file));
  return false;
}

Result<void> DropLockAside(LockFile& lock, const ServiceDir& dir, Aside& aside,
                           const ProcLocks& proc_locks) {
  const std::string aside_name = Aside::NameOf(EntryFor(lock, dir.service));
  if (!proc_locks.IsWaitedFor(lock.id)) return aside.Remove(aside_name);
  LOCKSTEP_TRYV(aside.PutBack(aside_name, dir.fd.get(), lock.file));
  LeaveToApp(lock);
  return Ok();
}

void LeaveToApp(LockFile& lock) {
  // The journal decides; the owner is for people to see. One that flock(1) had left is the app's.
  const auto seen = LookAtFd(lock.fd.get());
  if (seen && (seen.assume_value().mode & 0222) == 0) {
    (void)::fchown(lock.fd.get(), 0, 0);
    (void)::fchmod(lock.fd.get(), 0644);  // As flock(1) would have made it: see FlockHistory.
  }
  (void)::flock(lock.fd.get(), LOCK_UN);
  lock.fd.Reset();
  lock.linked = false;
}

}  // namespace lockstep::lockfs
