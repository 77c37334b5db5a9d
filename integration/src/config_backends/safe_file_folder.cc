#include "config_backends/safe_file_folder.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "private_file.h"

namespace lockstep {
namespace {

constexpr long kExfatMagic = 0x2011BAB0;  // Newer than some <linux/magic.h>.
constexpr long kFuseMagic = 0x65735546;

// What a program serves through FUSE may be FAT as well as anything else, so it is treated alike.
bool ReplacesAtOnce(const struct statfs& status) {
  const auto type = static_cast<long>(status.f_type);
  return type != MSDOS_SUPER_MAGIC && type != kExfatMagic && type != kFuseMagic;
}

// 0, or an errno.
int WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

int SyncFd(int fd) {
  while (::fsync(fd) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

// -1 where the file system does not say.
int FirstBlockOf(int fd) {
  int block = 0;
  return ::ioctl(fd, FIBMAP, &block) == 0 && block > 0 ? block : -1;
}

}  // namespace

OwnedFd::~OwnedFd() {
  if (fd_ >= 0) ::close(fd_);
}

Error SafeFolder::Failure(int errno_value, std::string_view what) const {
  return Failure(errno_value, what, name_);
}

Error SafeFolder::Failure(int errno_value, std::string_view what, const std::string& name) const {
  std::string path = path_.substr(0, path_.size() - name_.size()) + name;
  // Its own name says nothing to anybody.
  if (name != name_) path += " beside " + name_;
  const auto say = [&](ErrorCode code, std::string why, std::string hint) {
    return WithContext(MakeError(code, std::move(why), std::move(hint)),
                       std::string(what) + ' ' + path);
  };
  switch (errno_value) {
    case EROFS:
      return say(ErrorCode::kPermissionDenied, "its file system is read-only",
                 "make the file system writable; one that became read-only by itself has an error");
    case EISDIR:
    case ELOOP:
      return say(ErrorCode::kInvalidInput, "it is no regular file", "name a regular file");
    case EFBIG:
      return say(ErrorCode::kInvalidInput, "it is too large for its file system",
                 "check that it is the right file");
    case ENAMETOOLONG:
      return say(ErrorCode::kInvalidInput, "its name is too long for its file system",
                 "name another file");
    case ENOSPC:
    case EDQUOT:
      return say(ErrorCode::kNoSpace, "its partition is full", "free some space there");
    case EBUSY:
      return say(ErrorCode::kUnavailable, "something is mounted over it",
                 "mount its directory in place of the file alone");
    case EIO:
      return say(ErrorCode::kUnavailable, "the device has an error (EIO)",
                 "check its file system (fsck); the storage may be failing");
    default:
      return FileError(errno_value, what, path);
  }
}

Result<SafeFolder> SafeFolder::Open(const std::string& path) {
  SafeFolder folder;
  folder.path_ = path;
  const std::size_t slash = path.rfind('/');
  folder.name_ = slash == std::string::npos ? path : path.substr(slash + 1);
  if (folder.name_.empty() || folder.name_ == "." || folder.name_ == "..") {
    return folder.Failure(EISDIR, "open");
  }
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  folder.directory_ = OwnedFd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.fd() < 0) return folder.Failure(errno, "open the directory of");
  struct statfs status = {};
  if (::fstatfs(folder.fd(), &status) != 0) return folder.Failure(errno, "open the directory of");
  folder.replaces_at_once_ = ReplacesAtOnce(status);
  return folder;
}

std::string SafeFolder::Beside(std::string_view kind) const {
  if (replaces_at_once_) return name_ + ".lockstep-" + std::string(kind);
  // FAT writes a long name in several entries, maybe in two sectors. Torn apart, they leave a file
  // under a name like "CONFIG~1.LOC", which nobody would find again; and where there are no long
  // names, "config.txt.lockstep-new" is cut down to "config.txt" itself. A short name in capitals
  // is one entry, there or not.
  std::array<char, 16> name = {};
  std::snprintf(name.data(), name.size(), "LK%06X.",
                static_cast<unsigned>(XXH3_64bits(name_.data(), name_.size()) & 0xffffff));
  std::string beside = name.data();
  for (const char letter : kind) beside += static_cast<char>(letter - 'a' + 'A');
  return beside;
}

std::optional<struct stat> SafeFolder::StatusOf(const std::string& name) const {
  struct stat status = {};
  if (::fstatat(fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return status;
}

Result<bool> SafeFolder::Has(const std::string& name) const {
  if (StatusOf(name)) return true;
  if (errno == ENOENT) return false;
  return Failure(errno, "look for", name);
}

// Its mode is looked at before it is opened: opening a device can do something.
Result<OwnedFd> SafeFolder::OpenRegular(const std::string& name) const {
  struct stat status = {};
  if (::fstatat(fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return Failure(errno, "read", name);
  }
  if (!S_ISREG(status.st_mode)) return Failure(EISDIR, "read", name);
  OwnedFd file(::openat(fd(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0) return Failure(errno, "read", name);
  if (::fstat(file.get(), &status) != 0) return Failure(errno, "read", name);
  if (!S_ISREG(status.st_mode)) return Failure(EISDIR, "read", name);
  return file;
}

Result<std::optional<std::string>> SafeFolder::Read(const std::string& name,
                                                    std::size_t most_bytes) const {
  const auto file = OpenRegular(name);
  if (!file) {
    if (file.assume_error().code == ErrorCode::kNotFound) return std::optional<std::string>();
    return file.as_failure();
  }
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t count = ::read(file.assume_value().get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failure(errno, "read", name);
    if (count == 0) return std::optional(std::move(text));
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > most_bytes) {
      return WithContext(MakeError(ErrorCode::kInvalidInput,
                                   "it is larger than " + std::to_string(most_bytes >> 20) + " MiB",
                                   "check that it is the right file"),
                         "read " + path_);
    }
  }
}

OwnedFd SafeFolder::Hold(const std::string& name) const {
  auto file = OpenRegular(name);
  return file ? std::move(file).assume_value() : OwnedFd();
}

Result<void> SafeFolder::Fill(const OwnedFd& file, std::string_view text,
                              const std::optional<struct stat>& like) const {
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) return Failure(errno, "write");
  // FAT has one owner and few modes for all of its files: what it cannot keep, it never had.
  const auto keep = [&](int failed) {
    const bool cannot = errno == EPERM || errno == ENOSYS || errno == EOPNOTSUPP;
    return failed == 0 || (cannot && !replaces_at_once_);
  };
  // Before the mode, as a change of owner takes bits from that.
  if (like && (like->st_uid != status.st_uid || like->st_gid != status.st_gid) &&
      !keep(::fchown(file.get(), like->st_uid, like->st_gid))) {
    return Failure(errno, "keep the owner of");
  }
  if (!keep(::fchmod(file.get(), like ? like->st_mode & 07777 : 0644))) {
    return Failure(errno, "keep the mode of");
  }
  if (const int failed = WriteAll(file.get(), text); failed != 0) return Failure(failed, "write");
  return Sync(file);
}

Result<OwnedFd> SafeFolder::Create(const std::string& name, std::string_view text,
                                   const std::optional<struct stat>& like) const {
  OwnedFd file(
      ::openat(fd(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) return Failure(errno, "write", name);
  LOCKSTEP_TRYV(Fill(file, text, like));
  return file;
}

Result<void> SafeFolder::ReadBack(const std::string& name, std::string_view text) const {
  {
    LOCKSTEP_TRY(const OwnedFd file, OpenRegular(name));
    // It is durable, so that its pages can be dropped. Where they are not, memory is compared.
    (void)::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
  }
  LOCKSTEP_TRY(const auto found, Read(name, std::numeric_limits<std::size_t>::max()));
  if (found == text) return Ok();
  return WithContext(MakeError(ErrorCode::kUnavailable, "what was written does not come back",
                               "the storage may be failing: check it, or replace it"),
                     "write " + path_);
}

Result<void> SafeFolder::Rename(const std::string& from, const std::string& to) const {
  if (::renameat(fd(), from.c_str(), fd(), to.c_str()) != 0) return Failure(errno, "replace");
  return Ok();
}

Result<void> SafeFolder::Unlink(const std::string& name) const {
  if (::unlinkat(fd(), name.c_str(), 0) == 0 || errno == ENOENT) return Ok();
  return Failure(errno, "remove", name);
}

Result<void> SafeFolder::Sync(const OwnedFd& file) const {
  if (const int failed = SyncFd(file.get()); failed != 0) return Failure(failed, "write");
  return Ok();
}

Result<void> SafeFolder::SyncNames() const {
  // EINVAL: a file system whose directories cannot be synced, as they are durable or never are.
  const int failed = SyncFd(fd());
  return failed == 0 || failed == EINVAL ? Result<void>(Ok()) : Failure(failed, "write");
}

bool SafeFolder::ShareData(const std::string& one, const std::string& other) const {
  const OwnedFd first = Hold(one);
  const OwnedFd second = Hold(other);
  if (first.get() < 0 || second.get() < 0) return false;
  const int block = FirstBlockOf(first.get());
  return block >= 0 && block == FirstBlockOf(second.get());
}

}  // namespace lockstep
