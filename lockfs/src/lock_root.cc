#include "lock_root.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace lockstep::lockfs {
namespace {

constexpr mode_t kUpperMode = 0755;
constexpr mode_t kServiceMode = 01777;

enum class Sharing { kNone, kSticky };  // kSticky: others may write where only owners may remove.

// Empty where the directory is out of everybody else's reach, else what is wrong with it.
std::string WhatIsUnsafe(int fd, Sharing sharing) {
  struct stat seen {};
  if (::fstat(fd, &seen) != 0) return "cannot be looked at: " + ErrnoText(errno);
  if (seen.st_uid != 0 && seen.st_uid != ::geteuid()) {
    return "belongs to another user (" + std::to_string(seen.st_uid) + ")";
  }
  const bool shared = (seen.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  const bool sticky = (seen.st_mode & S_ISVTX) != 0;
  if (shared && !(sticky && sharing == Sharing::kSticky)) return "can be written by other users";
  return {};
}

std::string WhyRefused(int error) {
  switch (error) {
    case ELOOP:
    case ENOTDIR:
      return "is a symbolic link or no directory";
    case EXDEV:
      return "is on another file system";
    case ENAMETOOLONG:
      return "has too long a name";
    default:
      return {};
  }
}

constexpr const char* kRootHint = "remove it, or choose another root for locks";
// Not to be removed: what is below the root may be bound into containers.
constexpr const char* kAppHint = "chown and chmod it as Lockstep makes it: root, mode 0755";
constexpr const char* kPlaceHint = "put a plain directory there, on the file system of the root";

Error OpenError(int error, const std::string& path, const char* hint) {
  const std::string why = WhyRefused(error);
  return why.empty() ? SystemError(error, "open lock directory " + path)
                     : UnsafeError(path, why, hint);
}

// mkdirat whatever the umask says. 0 or the errno; EEXIST is fine.
int MakeDirectory(int dir, const std::string& name, mode_t mode) {
  if (::mkdirat(dir, name.c_str(), 0700) != 0) return errno == EEXIST ? 0 : errno;
  const OpenedDirectory made = OpenDirectoryInSteps(dir, name, O_RDONLY);
  if (!made.fd) return made.error;
  return ::fchmod(made.fd.get(), mode) == 0 ? 0 : errno;
}

std::vector<std::string> Components(const std::string& path) {
  std::vector<std::string> components;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    std::string name = path.substr(at, end - at);
    if (!name.empty() && name != ".") components.push_back(std::move(name));
    at = end + 1;
  }
  return components;
}

}  // namespace

bool IsAppDirectoryName(std::string_view name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return IsServiceName(name) && plain(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return plain(c) || c == '_' || c == '-'; });
}

bool IsServiceName(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

Result<void> CheckNames(const ServiceRef& service) {
  if (!IsAppDirectoryName(service.app_dir)) {
    return MakeError(ErrorCode::kInvalidInput,
                     "\"" + service.app_dir + "\" cannot name the lock directory of an app",
                     "use a number, or lower-case letters, digits, '_' and '-'");
  }
  if (!IsServiceName(service.service)) {
    return MakeError(ErrorCode::kInvalidInput,
                     "\"" + service.service + "\" cannot name the lock directory of a service",
                     "use one path component of at most 255 bytes");
  }
  return Ok();
}

Result<std::optional<LockRoot>> LockRoot::Open(const HostLockFsOptions& options,
                                               const Seams& seams) {
  return Walk(options, seams, false);
}

Result<LockRoot> LockRoot::Make(const HostLockFsOptions& options, const Seams& seams) {
  LOCKSTEP_TRY(auto root, Walk(options, seams, true));
  return std::move(*root);
}

// Walked anew for each use: a cleaner of /tmp may have removed and somebody remade any of it.
Result<std::optional<LockRoot>> LockRoot::Walk(const HostLockFsOptions& options, const Seams& seams,
                                               bool make) {
  UniqueFd fd(::open(options.host_root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return SystemError(errno, "open host root " + options.host_root);
  const std::vector<std::string> components = Components(options.locks_root);
  std::string path;
  for (std::size_t i = 0; i < components.size(); ++i) {
    const std::string& name = components[i];
    path += "/" + name;
    constexpr int kFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    UniqueFd next(::openat(fd.get(), name.c_str(), kFlags));
    if (!next && errno == ENOENT) {
      if (!make) return std::optional<LockRoot>();
      if (const int error = MakeDirectory(fd.get(), name, kUpperMode); error != 0) {
        return SystemError(error, "make lock directory " + path);
      }
      next.Reset(::openat(fd.get(), name.c_str(), kFlags));
    }
    if (!next) return OpenError(errno, path, kRootHint);
    const bool last = i + 1 == components.size();
    const std::string unsafe = WhatIsUnsafe(next.get(), last ? Sharing::kNone : Sharing::kSticky);
    if (!unsafe.empty()) return UnsafeError(path, unsafe, kRootHint);
    fd = std::move(next);
  }
  return std::optional<LockRoot>(LockRoot(std::move(fd), std::move(path), seams.no_openat2));
}

bool LockRoot::IsInMemory() const {
  struct statfs seen {};
  if (::fstatfs(fd(), &seen) != 0) return false;
  return seen.f_type == TMPFS_MAGIC || seen.f_type == RAMFS_MAGIC;
}

OpenedDirectory LockRoot::OpenIn(int dir, const std::string& name, int flags) const {
  return no_openat2_ ? OpenDirectoryInSteps(dir, name, flags) : OpenDirectory(dir, name, flags);
}

Result<std::optional<UniqueFd>> LockRoot::OpenApp(const std::string& app_dir, int flags) const {
  OpenedDirectory opened = OpenIn(fd(), app_dir, flags);
  if (opened.error == ENOENT) return std::optional<UniqueFd>();
  const std::string path = path_ + "/" + app_dir;
  if (opened.error != 0) return OpenError(opened.error, path, kPlaceHint);
  const std::string unsafe = WhatIsUnsafe(opened.fd.get(), Sharing::kNone);
  if (!unsafe.empty()) return UnsafeError(path, unsafe, kAppHint);
  return std::optional<UniqueFd>(std::move(opened.fd));
}

Result<std::optional<ServiceDir>> LockRoot::OpenService(const ServiceRef& service) const {
  LOCKSTEP_TRYV(CheckNames(service));
  LOCKSTEP_TRY(const auto app, OpenApp(service.app_dir, O_PATH));
  if (!app) return std::optional<ServiceDir>();
  return OpenServiceIn(*app, service);
}

Result<std::optional<ServiceDir>> LockRoot::OpenServiceIn(const UniqueFd& app,
                                                          const ServiceRef& service) const {
  OpenedDirectory opened = OpenIn(app.get(), service.service, O_PATH);
  if (opened.error == ENOENT) return std::optional<ServiceDir>();
  std::string path = path_ + "/" + service.app_dir + "/" + service.service;
  if (opened.error != 0) return OpenError(opened.error, path, kPlaceHint);
  return std::optional<ServiceDir>(ServiceDir{service, std::move(path), std::move(opened.fd)});
}

Result<UniqueFd> LockRoot::MakeApp(const std::string& app_dir) const {
  LOCKSTEP_TRY(auto there, OpenApp(app_dir, O_PATH));
  if (there) return std::move(*there);
  const std::string what = "make lock directory " + path_ + "/" + app_dir;
  if (const int error = MakeDirectory(fd(), app_dir, kUpperMode); error != 0) {
    return SystemError(error, what);
  }
  LOCKSTEP_TRY(auto made, OpenApp(app_dir, O_PATH));
  if (!made) return SystemError(ENOENT, what);  // Removed again at once.
  return std::move(*made);
}

Result<ServiceDir> LockRoot::MakeService(const ServiceRef& service) const {
  LOCKSTEP_TRY(auto there, OpenService(service));
  if (there) return std::move(*there);
  LOCKSTEP_TRY(const UniqueFd app, MakeApp(service.app_dir));
  const std::string what =
      "make lock directory " + path_ + "/" + service.app_dir + "/" + service.service;
  if (const int error = MakeDirectory(app.get(), service.service, kServiceMode); error != 0) {
    return SystemError(error, what);
  }
  LOCKSTEP_TRY(auto made, OpenService(service));
  if (!made) return SystemError(ENOENT, what);
  return std::move(*made);
}

Result<void> LockRoot::SetServiceMode(const ServiceDir& dir) const {
  LOCKSTEP_TRY(const FileInfo info, LookAtFd(dir.fd.get()));
  if ((info.mode & 07777) == kServiceMode) return Ok();
  // fchmod does not work on an O_PATH descriptor; "." of it is the same directory.
  const OpenedDirectory opened = OpenDirectoryInSteps(dir.fd.get(), ".", O_RDONLY);
  if (!opened.fd) return SystemError(opened.error, "open lock directory " + dir.path);
  if (::fchmod(opened.fd.get(), kServiceMode) != 0) {
    return SystemError(errno, "set mode 1777 on " + dir.path);
  }
  return Ok();
}

}  // namespace lockstep::lockfs
