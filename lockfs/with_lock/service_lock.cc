#include "service_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace lockstep {
namespace {

// As flock(1) makes it, and with a bit that says nothing of a file, and that no other tool sets: by
// it the file of one that was killed is known.
constexpr mode_t kMode = S_ISVTX | 0644;

bool IsOfUs(const struct stat& file) {
  return S_ISREG(file.st_mode) && (file.st_mode & 07777) == kMode && file.st_size == 0 &&
         file.st_nlink == 1;
}

bool IsSame(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

int ServiceLock::Take() {
  fd_ = ::openat(dir_, ".", O_TMPFILE | O_WRONLY, kMode);
  if (fd_ < 0) return errno == EOPNOTSUPP || errno == EISDIR ? MakeNamed() : errno;
  (void)::fchmod(fd_, kMode);             // Whatever the umask says.
  (void)::flock(fd_, LOCK_EX | LOCK_NB);  // The name holds where flock does not work.
  std::array<char, 32> path;
  std::snprintf(path.data(), path.size(), "/proc/self/fd/%d", fd_);
  if (::linkat(AT_FDCWD, path.data(), dir_, file_, AT_SYMLINK_FOLLOW) == 0) return 0;
  const int error = errno;
  ::close(fd_);
  fd_ = -1;
  if (error == EEXIST) return TakeOver();
  return error == ENOENT ? MakeNamed() : error;  // No /proc here.
}

int ServiceLock::TakeOver() {
  struct stat seen {};
  held_by_flock_ = false;
  if (::fstatat(dir_, file_, &seen, AT_SYMLINK_NOFOLLOW) != 0 || !IsOfUs(seen)) return EEXIST;
  fd_ = ::openat(dir_, file_, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (fd_ < 0) return EEXIST;
  struct stat opened {};
  struct stat now {};
  const bool ours = ::fstat(fd_, &opened) == 0 && IsOfUs(opened) &&
                    ::flock(fd_, LOCK_EX | LOCK_NB) == 0 &&
                    ::fstatat(dir_, file_, &now, AT_SYMLINK_NOFOLLOW) == 0 && IsSame(opened, now);
  if (ours) return 0;
  held_by_flock_ = true;
  ::close(fd_);
  fd_ = -1;
  return EEXIST;
}

int ServiceLock::MakeNamed() {
  fd_ = ::openat(dir_, file_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, kMode);
  if (fd_ < 0) return errno == EEXIST ? TakeOver() : errno;
  (void)::fchmod(fd_, kMode);
  (void)::flock(fd_, LOCK_EX | LOCK_NB);
  return 0;
}

int ServiceLock::Release() {
  if (fd_ < 0) return 0;
  struct stat ours {};
  struct stat there {};
  const bool is_ours = ::fstat(fd_, &ours) == 0 &&
                       ::fstatat(dir_, file_, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
                       IsSame(ours, there);
  const int error = is_ours && ::unlinkat(dir_, file_, 0) != 0 ? errno : 0;
  ::close(fd_);
  fd_ = -1;
  return error;
}

}  // namespace lockstep
