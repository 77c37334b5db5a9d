// HostLockFs: the update locks of services as files on the host, in the directories that are bound
// into their containers.
#ifndef LOCKSTEP_LOCKFS_HOST_LOCK_FS_H_
#define LOCKSTEP_LOCKFS_HOST_LOCK_FS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lockstep/lock_fs.h"

namespace lockstep {

struct HostLockFsOptions {
  // Absolute. Holds <app directory>/<service>/<lock file>; as the engine's host sees it.
  std::string locks_root = "/tmp/balena-supervisor/services";
  // Where the host's "/" is seen from here: put before locks_root in everything that is opened.
  std::string host_root = "/";
  // Remembers across a crash which locks are ours. Made with mode 0700 where it is missing; must
  // lie where no container can write. Not below host_root: a path of this process.
  std::string journal_dir;
  // Names this boot of the machine: locks of another boot are void.
  std::string boot_id;
  // Each is looked at and taken, in this order.
  std::vector<std::string> lock_files = {"updates.lock", "resin-updates.lock"};
  // Where the directory of a service is bound in its container.
  std::vector<std::string> container_dirs = {"/tmp/balena", "/tmp/resin"};
  // Who owns the files that are made. Another than this process's user needs CAP_CHOWN.
  std::uint32_t owner_uid = 65534;
  std::uint32_t owner_gid = 65534;
};

// An entry of a lock file's name holds, whatever it is: what an app made is looked at (lstat) and
// never opened. LockSets may outlive it. Of several that share a journal_dir only one at a time may
// take or release; any number may look.
class HostLockFs final : public LockFs {
 public:
  class Core;
  explicit HostLockFs(std::shared_ptr<Core> core);
  ~HostLockFs() override;

  Result<LockPaths> Resolve(const ServiceRef& service) const override;
  // One that cannot be prepared keeps no other from it; the first error is returned.
  Result<void> Prepare(std::span<const ServiceRef> services) override;
  Result<void> Forget(const ServiceRef& service) override;
  Result<std::vector<LockHolder>> Holders(std::span<const ServiceRef> services) override;
  // A directory that cannot be looked into is an entry of kind kOther with a note that says why.
  Result<std::vector<LockHolder>> List() override;
  Result<LockOutcome> TakeAll(std::span<const ServiceRef> services, LockMode mode) override;
  Result<int> ReleaseLeftovers() override;
  Result<void> ClearHandOver(const ServiceRef& service) override;
  Result<HandOverOutcome> AwaitHandOver(const ServiceRef& service,
                                        std::chrono::milliseconds timeout,
                                        std::stop_token stop) override;
  // Makes nothing. Sleeps in inotify; while a place cannot be watched (a limit is reached, the root
  // is missing, a name or directory is unsafe), calls the sink once a second, too.
  Result<void> Watch(std::span<const ServiceRef> services, LockSink& sink,
                     std::stop_token stop) override;

 private:
  std::shared_ptr<Core> core_;
};

// Makes nothing yet: looking at locks changes nothing. Errors: kInvalidInput (an option is wrong),
// kUnsafeLockRoot (the root, or a directory above it, is a symlink, no directory, another user's,
// or others may write there), kPermissionDenied, kUnavailable.
Result<std::unique_ptr<HostLockFs>> OpenHostLockFs(HostLockFsOptions options);

}  // namespace lockstep

#endif  // LOCKSTEP_LOCKFS_HOST_LOCK_FS_H_
