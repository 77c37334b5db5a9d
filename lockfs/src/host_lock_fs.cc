#include "lockstep/lockfs/host_lock_fs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "aside.h"
#include "core.h"
#include "hand_over.h"
#include "leftovers.h"
#include "lock_root.h"
#include "look.h"
#include "take.h"
#include "watch.h"

namespace lockstep {
namespace {

using lockfs::Aside;
using lockfs::LockRoot;

bool IsPlainAbsolute(const std::string& path) {
  return path.starts_with('/') && path.find('\0') == std::string::npos &&
         (path + "/").find("/../") == std::string::npos &&
         path.find_first_not_of('/') != std::string::npos;
}

Result<void> CheckOptions(const HostLockFsOptions& options) {
  const auto refuse = [](std::string what) {
    return WithContext(MakeError(ErrorCode::kInvalidInput, std::move(what)), "open locks");
  };
  if (!IsPlainAbsolute(options.locks_root)) {
    return refuse("the root for locks must be an absolute path without \"..\", not \"" +
                  options.locks_root + "\"");
  }
  if (options.host_root.empty()) return refuse("no host root is given");
  if (options.journal_dir.empty()) return refuse("no directory for the journal is given");
  if (options.boot_id.empty()) return refuse("no boot id is given");
  if (options.lock_files.empty()) return refuse("no lock file is named");
  for (const std::string& file : options.lock_files) {
    if (!lockfs::IsServiceName(file)) return refuse("\"" + file + "\" cannot name a lock file");
  }
  return Ok();
}

std::string DirectoryOf(const HostLockFsOptions& options, const ServiceRef& service) {
  std::string path = options.locks_root;
  while (path.ends_with('/')) path.pop_back();
  return path + "/" + service.app_dir + "/" + service.service;
}

Result<void> PrepareOne(const LockRoot& root, const ServiceRef& service) {
  LOCKSTEP_TRY(const auto dir, root.MakeService(service));
  return root.SetServiceMode(dir);
}

}  // namespace

HostLockFs::HostLockFs(std::shared_ptr<Core> core) : core_(std::move(core)) {}
HostLockFs::~HostLockFs() = default;

Result<LockPaths> HostLockFs::Resolve(const ServiceRef& service) const {
  LOCKSTEP_TRYV(lockfs::CheckNames(service));
  LockPaths paths;
  paths.engine_dir = DirectoryOf(core_->options, service);
  paths.container_dirs = core_->options.container_dirs;
  for (const std::string& file : core_->options.lock_files) {
    paths.files.push_back(paths.engine_dir + "/" + file);
  }
  return paths;
}

Result<void> HostLockFs::Prepare(std::span<const ServiceRef> services) {
  LOCKSTEP_TRY(const LockRoot root, LockRoot::Make(core_->options, core_->seams));
  Result<void> result = Ok();
  for (const ServiceRef& service : services) {
    auto prepared = PrepareOne(root, service);
    if (!prepared && result) result = std::move(prepared);
  }
  return result;
}

Result<void> HostLockFs::Forget(const ServiceRef& service) {
  LOCKSTEP_TRYV(lockfs::CheckNames(service));
  LOCKSTEP_TRY(const auto root, LockRoot::Open(core_->options, core_->seams));
  if (!root) return Ok();
  LOCKSTEP_TRY(const auto app, root->OpenApp(service.app_dir, O_PATH));
  if (!app) return Ok();
  LOCKSTEP_TRY(const auto dir, root->OpenService(service));  // Refuses what is no plain directory.
  if (dir) {
    LOCKSTEP_TRY(Aside aside, Aside::Open(*root));
    const std::string name = aside.FreshName();
    const int error = lockfs::Rename(app->get(), service.service, aside.fd(), name);
    if (error != 0 && error != ENOENT) {
      return lockfs::SystemError(error, "remove lock directory " + dir->path);
    }
    LOCKSTEP_TRYV(aside.Remove(name));
  }
  if (::unlinkat(root->fd(), service.app_dir.c_str(), AT_REMOVEDIR) == 0) return Ok();
  if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOENT) return Ok();
  return lockfs::SystemError(errno, "remove lock directory of app " + service.app_dir);
}

Result<std::vector<LockHolder>> HostLockFs::Holders(std::span<const ServiceRef> services) {
  lockfs::FlockLook flocks(*core_);
  return lockfs::LookAtServices(*core_, services, flocks);
}

Result<std::vector<LockHolder>> HostLockFs::List() { return lockfs::LookAtAll(*core_); }

Result<LockOutcome> HostLockFs::TakeAll(std::span<const ServiceRef> services, LockMode mode) {
  return lockfs::TakeAllLocks(core_, services, mode);
}

Result<int> HostLockFs::ReleaseLeftovers() { return lockfs::ReleaseLeftoverLocks(core_); }

Result<void> HostLockFs::Watch(std::span<const ServiceRef> services, LockSink& sink,
                               std::stop_token stop) {
  const lockfs::WatchedFiles watched{
      {services.begin(), services.end()}, core_->options.lock_files, std::nullopt, true};
  return lockfs::WatchFiles(*core_, watched, sink, std::move(stop));
}

Result<void> HostLockFs::ClearHandOver(const ServiceRef& service) {
  return lockfs::ClearHandOverFiles(*core_, service);
}

Result<HandOverOutcome> HostLockFs::AwaitHandOver(const ServiceRef& service,
                                                  std::chrono::milliseconds timeout,
                                                  std::stop_token stop) {
  return lockfs::AwaitHandOverFile(*core_, service, timeout, std::move(stop));
}

Result<std::unique_ptr<HostLockFs>> OpenHostLockFs(HostLockFsOptions options) {
  return lockfs::OpenHostLockFsWith(std::move(options), {});
}

Result<std::unique_ptr<HostLockFs>> lockfs::OpenHostLockFsWith(HostLockFsOptions options,
                                                               Seams seams) {
  LOCKSTEP_TRYV(CheckOptions(options));
  LOCKSTEP_TRYV(LockRoot::Open(options, seams));  // An unsafe root is said at once.
  return std::make_unique<HostLockFs>(
      std::make_shared<HostLockFs::Core>(std::move(options), std::move(seams)));
}

}  // namespace lockstep
