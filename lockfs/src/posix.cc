#include "posix.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace lockstep::lockfs {
namespace {

std::int64_t Nanoseconds(const struct statx_timestamp& time) {
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

// 0 or the errno.
int Statx(int dir, const char* name, int flags, FileInfo& info) {
  struct statx seen {};
  if (::statx(dir, name, flags | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
              STATX_BASIC_STATS | STATX_BTIME, &seen) != 0) {
    return errno;
  }
  info.id.device = makedev(seen.stx_dev_major, seen.stx_dev_minor);
  info.id.inode = seen.stx_ino;
  info.id.born_ns = (seen.stx_mask & STATX_BTIME) != 0 ? Nanoseconds(seen.stx_btime) : 0;
  info.mode = seen.stx_mode;
  info.uid = seen.stx_uid;
  info.size = seen.stx_size;
  info.links = seen.stx_nlink;
  info.modified_ns = Nanoseconds(seen.stx_mtime);
  return 0;
}

}  // namespace

void UniqueFd::Reset(int fd) {
  if (fd_ >= 0) {
    const int saved = errno;
    ::close(fd_);
    errno = saved;
  }
  fd_ = fd;
}

Result<std::optional<FileInfo>> LookAt(int dir, const std::string& name) {
  FileInfo info;
  const int error = Statx(dir, name.c_str(), 0, info);
  if (error == ENOENT) return std::optional<FileInfo>();
  if (error != 0) return SystemError(error, "look at " + name);
  return std::optional<FileInfo>(info);
}

Result<FileInfo> LookAtFd(int fd) {
  FileInfo info;
  if (const int error = Statx(fd, "", AT_EMPTY_PATH, info); error != 0) {
    return SystemError(error, "look at an open file");
  }
  return info;
}

OpenedDirectory OpenDirectory(int dir, const std::string& name, int flags) {
  constexpr int kAttempts = 4;  // EAGAIN: something was renamed meanwhile.
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const long fd = ::syscall(SYS_openat2, dir, name.c_str(), &how, sizeof(how));
    if (fd >= 0) return {UniqueFd(static_cast<int>(fd)), 0};
    if (errno == ENOSYS || errno == EPERM) return OpenDirectoryInSteps(dir, name, flags);
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return {UniqueFd(), errno};
}

OpenedDirectory OpenDirectoryInSteps(int dir, const std::string& name, int flags) {
  UniqueFd fd(::openat(dir, name.c_str(), flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return {UniqueFd(), errno};
  struct stat above {};
  struct stat here {};
  if (::fstat(dir, &above) != 0 || ::fstat(fd.get(), &here) != 0) return {UniqueFd(), errno};
  if (above.st_dev != here.st_dev) return {UniqueFd(), EXDEV};
  return {std::move(fd), 0};
}

int Rename(int from_dir, const std::string& from, int to_dir, const std::string& to) {
  return ::renameat2(from_dir, from.c_str(), to_dir, to.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
}

int Exchange(int a_dir, const std::string& a, int b_dir, const std::string& b) {
  return ::renameat2(a_dir, a.c_str(), b_dir, b.c_str(), RENAME_EXCHANGE) == 0 ? 0 : errno;
}

std::string ErrnoText(int error) { return std::generic_category().message(error); }

Error SystemError(int error, const std::string& what) {
  ErrorCode code = ErrorCode::kUnavailable;
  std::string hint;
  if (error == EACCES || error == EPERM) {
    code = ErrorCode::kPermissionDenied;
    hint = "run as root";
  } else if (error == ENOSPC || error == EDQUOT) {
    code = ErrorCode::kNoSpace;
    hint = "free space or inodes there";
  } else if (error == EROFS) {
    hint = "mount it writable";
  } else if (error == EMFILE || error == ENFILE) {
    hint = "raise the limit of open files";
  }
  return WithContext(MakeError(code, ErrnoText(error), std::move(hint)), what);
}

Error UnsafeError(const std::string& path, const std::string& why, std::string hint) {
  return WithContext(MakeError(ErrorCode::kUnsafeLockRoot, path + " " + why, std::move(hint)),
                     "open lock directory");
}

}  // namespace lockstep::lockfs
