// Where locks are: which names are allowed, and how a service's directory is reached.
//
// Every step goes from a descriptor by one name and follows no link. Above a service everything is
// the host's and must be out of everybody else's reach. The service's directory itself belongs to
// its app, which may change its owner and mode and anything in it at any time.
#ifndef LOCKSTEP_LOCKFS_SRC_LOCK_ROOT_H_
#define LOCKSTEP_LOCKFS_SRC_LOCK_ROOT_H_

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/identity.h"
#include "lockstep/lockfs/host_lock_fs.h"
#include "posix.h"

namespace lockstep::lockfs {

// Ways to make a system refuse what this one offers, and to be told of each point where a kill may
// strike. For tests.
struct Seams {
  std::function<void(std::string_view point)> at = nullptr;
  bool no_openat2 = false;
  bool no_tmpfile = false;
  bool no_inotify = false;
  bool no_rename_flags = false;
  bool in_pid_namespace = false;  // Where /proc/locks does not tell of every process.
  std::function<std::chrono::steady_clock::time_point()> now = nullptr;

  void At(std::string_view point) const {
    if (at) at(point);
  }
  std::chrono::steady_clock::time_point Now() const {
    return now ? now() : std::chrono::steady_clock::now();
  }
};

// [a-z0-9][a-z0-9_-]*: a number, a compose name, a uuid.
bool IsAppDirectoryName(std::string_view name);
// One path component of at most 255 bytes.
bool IsServiceName(std::string_view name);
Result<void> CheckNames(const ServiceRef& service);

struct ServiceDir {
  ServiceRef service;
  std::string path;  // As seen on the host.
  UniqueFd fd;       // O_PATH.
};

class LockRoot {
 public:
  // None: the root is missing, so nothing is held.
  static Result<std::optional<LockRoot>> Open(const HostLockFsOptions& options, const Seams& seams);
  // Makes what is missing (mode 0755).
  static Result<LockRoot> Make(const HostLockFsOptions& options, const Seams& seams);

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }  // As seen on the host.
  // Whether nothing in it outlives a power cut.
  bool IsInMemory() const;

  // None: it is missing. Any other oddity is an error.
  Result<std::optional<UniqueFd>> OpenApp(const std::string& app_dir, int flags) const;
  Result<std::optional<ServiceDir>> OpenService(const ServiceRef& service) const;
  // The same from its app's directory; the names have been checked.
  Result<std::optional<ServiceDir>> OpenServiceIn(const UniqueFd& app,
                                                  const ServiceRef& service) const;

  // Makes what is missing of the service's directory, with mode 1777.
  Result<ServiceDir> MakeService(const ServiceRef& service) const;
  // Sets mode 1777, in place.
  Result<void> SetServiceMode(const ServiceDir& dir) const;

 private:
  LockRoot(UniqueFd fd, std::string path, bool no_openat2)
      : fd_(std::move(fd)), path_(std::move(path)), no_openat2_(no_openat2) {}
  static Result<std::optional<LockRoot>> Walk(const HostLockFsOptions& options, const Seams& seams,
                                              bool make);
  OpenedDirectory OpenIn(int dir, const std::string& name, int flags) const;
  Result<UniqueFd> MakeApp(const std::string& app_dir) const;

  UniqueFd fd_;
  std::string path_;
  bool no_openat2_;
};

}  // namespace lockstep::lockfs

#endif  // LOCKSTEP_LOCKFS_SRC_LOCK_ROOT_H_
