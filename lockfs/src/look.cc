#include "look.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <memory>
#include <mutex>
#include <optional>

namespace lockstep::lockfs {
namespace {

LockKind KindOf(mode_t mode) {
  if (S_ISREG(mode)) return LockKind::kExclusiveFile;
  if (S_ISDIR(mode)) return LockKind::kDirectory;
  if (S_ISLNK(mode)) return LockKind::kSymlink;
  return LockKind::kOther;
}

WallTime ToWallTime(std::int64_t nanoseconds) {
  return WallTime(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::nanoseconds(nanoseconds)));
}

// One look's knowledge of which files are ours.
class Ours {
 public:
  static Ours Read(HostLockFs::Core& core) {
    const std::lock_guard guard(core.mutex);
    // Who may not read the journal sees locks of ours as somebody's: they hold, and rightly.
    auto entries = core.journal.Entries();
    return Ours(core.options,
                entries ? std::move(entries).assume_value() : std::vector<JournalEntry>());
  }

  bool Has(const FileInfo& seen) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const JournalEntry& entry) {
      return entry.kind == JournalEntry::Kind::kTaken && IsSameFile(entry, seen, options_);
    });
  }

 private:
  Ours(const HostLockFsOptions& options, std::vector<JournalEntry> entries)
      : options_(options), entries_(std::move(entries)) {}

  const HostLockFsOptions& options_;
  std::vector<JournalEntry> entries_;
};

Result<void> LookInto(const ServiceDir& dir, const std::vector<std::string>& files,
                      const Ours& ours, FlockLook& flocks, std::vector<LockHolder>& holders) {
  for (const std::string& file : files) {
    auto seen = LookAt(dir.fd.get(), file);
    if (!seen) return WithContext(std::move(seen).assume_error(), dir.path);
    const auto& info = seen.assume_value();
    if (!info) {
      flocks.Forget(dir.path + "/" + file);
      continue;
    }
    holders.push_back(DescribeLock(dir.service, dir.path, file, *info, ours.Has(*info)));
    if (!holders.back().ours) flocks.Tell(*info, holders.back());
  }
  return Ok();
}

// What some tools make when they are given the wrong path.
std::vector<std::string> NearMisses(const std::string& file) {
  std::string capital = file;
  capital[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(capital[0])));
  return {file + ".lock", file + ".STALE", std::move(capital)};
}

Result<void> LookForNearMisses(const ServiceDir& dir, const std::vector<std::string>& files,
                               std::vector<LockHolder>& holders) {
  for (const std::string& file : files) {
    for (const std::string& miss : NearMisses(file)) {
      LOCKSTEP_TRY(const auto seen, LookAt(dir.fd.get(), miss));
      if (!seen) continue;
      LockHolder holder = DescribeLock(dir.service, dir.path, miss, *seen, false);
      holder.held = false;
      holder.notes.push_back("locks nothing: a lock is named " + file);
      holders.push_back(std::move(holder));
    }
  }
  return Ok();
}

// The names in a directory above the services: the host's, so their number is the host's, too.
Result<std::vector<std::string>> NamesIn(int dir, const std::string& path) {
  OpenedDirectory opened = OpenDirectoryInSteps(dir, ".", O_RDONLY);
  if (!opened.fd) return SystemError(opened.error, "list " + path);
  std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(opened.fd.get()), &::closedir);
  if (!stream) return SystemError(errno, "list " + path);
  (void)opened.fd.Release();
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) names.push_back(entry->d_name);
  if (errno != 0) return SystemError(errno, "list " + path);
  std::sort(names.begin(), names.end());
  return names;
}

Result<bool> IsDirectory(int dir, const std::string& name) {
  LOCKSTEP_TRY(const auto seen, LookAt(dir, name));
  return seen && S_ISDIR(seen->mode);
}

// A directory that nobody may trust is never free, and keeps no other from being looked at.
LockHolder DescribeOdd(const ServiceRef& service, const std::string& path, const Error& error) {
  LockHolder holder;
  holder.app = service.app;
  holder.app_dir = service.app_dir;
  holder.service = service.service;
  holder.path = path;
  holder.kind = LockKind::kOther;
  holder.notes.push_back(error.hint.empty() ? error.message : error.message + "; " + error.hint);
  return holder;
}

Result<std::vector<ServiceRef>> ServicesOf(const LockRoot& root, const std::string& app) {
  std::vector<ServiceRef> services;
  LOCKSTEP_TRY(const bool is_app, IsDirectory(root.fd(), app));
  if (!is_app) return services;
  LOCKSTEP_TRY(const auto dir, root.OpenApp(app, O_PATH));
  if (!dir) return services;
  LOCKSTEP_TRY(const auto names, NamesIn(dir->get(), root.path() + "/" + app));
  for (const std::string& name : names) {
    if (!IsServiceName(name)) continue;
    LOCKSTEP_TRY(const bool is_service, IsDirectory(dir->get(), name));
    if (is_service) services.push_back({app, app, name});
  }
  return services;
}

Result<void> LookAtOne(const LockRoot& root, const ServiceRef& service,
                       const std::vector<std::string>& files, const Ours& ours, FlockLook& flocks,
                       std::vector<LockHolder>& holders) {
  LOCKSTEP_TRY(const auto dir, root.OpenService(service));
  if (!dir) return Ok();
  LOCKSTEP_TRYV(LookInto(*dir, files, ours, flocks, holders));
  return LookForNearMisses(*dir, files, holders);
}

}  // namespace

LockHolder DescribeLock(const ServiceRef& service, const std::string& dir_path,
                        const std::string& file, const FileInfo& seen, bool ours) {
  LockHolder holder;
  holder.app = service.app;
  holder.app_dir = service.app_dir;
  holder.service = service.service;
  holder.path = dir_path + "/" + file;
  holder.kind = KindOf(seen.mode);
  holder.since = ToWallTime(seen.id.born_ns != 0 ? seen.id.born_ns : seen.modified_ns);
  holder.owner_uid = seen.uid;
  holder.ours = ours;
  return holder;
}

Result<std::vector<LockHolder>> LookAtServices(HostLockFs::Core& core,
                                               std::span<const ServiceRef> services,
                                               FlockLook& flocks) {
  for (const ServiceRef& service : services) {
    LOCKSTEP_TRYV(CheckNames(service));
  }
  std::vector<LockHolder> holders;
  LOCKSTEP_TRY(const auto root, LockRoot::Open(core.options, core.seams));
  if (!root) return holders;
  const Ours ours = Ours::Read(core);
  const std::string* app_dir = nullptr;  // Services of one app mostly come together.
  std::optional<UniqueFd> app;
  for (const ServiceRef& service : services) {
    if (app_dir == nullptr || *app_dir != service.app_dir) {
      LOCKSTEP_TRY(app, root->OpenApp(service.app_dir, O_PATH));
      app_dir = &service.app_dir;
    }
    if (!app) continue;
    LOCKSTEP_TRY(const auto dir, root->OpenServiceIn(*app, service));
    if (!dir) continue;
    LOCKSTEP_TRYV(LookInto(*dir, core.options.lock_files, ours, flocks, holders));
  }
  return holders;
}

Result<std::vector<LockHolder>> LookAtAll(HostLockFs::Core& core) {
  std::vector<LockHolder> holders;
  LOCKSTEP_TRY(const auto root, LockRoot::Open(core.options, core.seams));
  if (!root) return holders;
  const Ours ours = Ours::Read(core);
  FlockLook flocks(core);
  LOCKSTEP_TRY(const auto apps, NamesIn(root->fd(), root->path()));
  for (const std::string& app : apps) {
    if (!IsAppDirectoryName(app)) continue;
    const std::string path = root->path() + "/" + app;
    const auto services = ServicesOf(*root, app);
    if (!services) {
      holders.push_back(DescribeOdd({app, app, ""}, path, services.assume_error()));
      continue;
    }
    for (const ServiceRef& service : services.assume_value()) {
      auto looked = LookAtOne(*root, service, core.options.lock_files, ours, flocks, holders);
      if (looked) continue;
      holders.push_back(DescribeOdd(service, path + "/" + service.service, looked.assume_error()));
    }
  }
  return holders;
}

}  // namespace lockstep::lockfs
