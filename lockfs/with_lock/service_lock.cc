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

constexpr mode_t kMode = 0644;  // As flock(1) makes it.

}  // namespace

int ServiceLock::Take() {
  fd_ = ::openat(dir_, ".", O_TMPFILE | O_WRONLY, kMode);
  if (fd_ < 0) return errno == EOPNOTSUPP || errno == EISDIR ? MakeNamed() : errno;
  (void)::flock(fd_, LOCK_EX | LOCK_NB);  // The name holds where flock does not work.
  std::array<char, 32> path;
  std::snprintf(path.data(), path.size(), "/proc/self/fd/%d", fd_);
  if (::linkat(AT_FDCWD, path.data(), dir_, file_, AT_SYMLINK_FOLLOW) == 0) return 0;
  const int error = errno;
  ::close(fd_);
  fd_ = -1;
  return error == ENOENT ? MakeNamed() : error;  // No /proc here.
}

int ServiceLock::MakeNamed() {
  fd_ = ::openat(dir_, file_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, kMode);
  if (fd_ < 0) return errno;
  (void)::flock(fd_, LOCK_EX | LOCK_NB);
  return 0;
}

int ServiceLock::Release() {
  if (fd_ < 0) return 0;
  struct stat ours {};
  struct stat there {};
  const bool is_ours = ::fstat(fd_, &ours) == 0 &&
                       ::fstatat(dir_, file_, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
                       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
  const int error = is_ours && ::unlinkat(dir_, file_, 0) != 0 ? errno : 0;
  ::close(fd_);
  fd_ = -1;
  return error;
}

}  // namespace lockstep
