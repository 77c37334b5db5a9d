#include "leftovers.h"

#include <algorithm>
#include <memory>
#include <mutex>

#include "held_locks.h"

namespace lockstep::lockfs {
namespace {

ServiceRef ServiceOf(const JournalEntry& entry) {
  return {entry.app_dir, entry.app_dir, entry.service};
}

// Where a lock of ours, left behind too, has the place of an app's that force had set aside, the
// two change places. False: it is not so.
Result<bool> SwapForOurs(const HostLockFs::Core& core, const ServiceDir& dir, Aside& aside,
                         const JournalEntry& entry, const std::vector<JournalEntry>& dead) {
  const auto is_ours = [&](const FileInfo& seen) {
    return IsLeftByUs(dead, dir.service, entry.file, seen, core.options);
  };
  LOCKSTEP_TRY(const auto there, LookAt(dir.fd.get(), entry.file));
  if (!there || !is_ours(*there)) return false;
  const std::string name = Aside::NameOf(entry);
  const std::string what = "put back lock " + dir.path + "/" + entry.file;
  if (const int error = Exchange(aside.fd(), name, dir.fd.get(), entry.file); error != 0) {
    return SystemError(error, what);
  }
  LOCKSTEP_TRY(const auto moved, LookAt(aside.fd(), name));
  if (moved && is_ours(*moved)) {
    LOCKSTEP_TRYV(aside.Remove(name));
    return true;
  }
  // The app has made a newer one meanwhile: that one it is.
  if (const int error = Exchange(aside.fd(), name, dir.fd.get(), entry.file); error != 0) {
    return SystemError(error, what);
  }
  return false;
}

Result<void> MendOne(HostLockFs::Core& core, const LockRoot& root, Aside& aside,
                     const JournalEntry& entry, const std::vector<JournalEntry>& dead) {
  const std::string name = Aside::NameOf(entry);
  LOCKSTEP_TRY(const auto seen, LookAt(aside.fd(), name));
  if (!seen) return Ok();
  if (entry.former_boot)
    return aside.Remove(name);  // Nothing of it holds any more, whosever it is.
  const bool ours =
      entry.kind == JournalEntry::Kind::kTaken && IsSameFile(entry, *seen, core.options);
  if (ours) return aside.Remove(name);
  LOCKSTEP_TRY(const auto dir, root.OpenService(ServiceOf(entry)));
  if (dir && entry.kind == JournalEntry::Kind::kSetAside) {
    LOCKSTEP_TRY(const bool swapped, SwapForOurs(core, *dir, aside, entry, dead));
    if (swapped) return Ok();
  }
  // With its directory gone there is nothing left that it could lock.
  return dir ? aside.PutBack(name, dir->fd.get(), entry.file) : aside.Remove(name);
}

// Takes over the file of `entry` into `held`, if it is still there. False: there is none of ours.
Result<bool> AdoptEntry(HostLockFs::Core& core, HeldLocks& held, const JournalEntry& entry) {
  LOCKSTEP_TRY(auto dir, held.root().OpenService(ServiceOf(entry)));
  if (!dir) return false;
  LOCKSTEP_TRY(const auto seen, LookAt(dir->fd.get(), entry.file));
  if (!seen || !IsSameFile(entry, *seen, core.options)) return false;
  LockFile lock;
  lock.file = entry.file;
  lock.id = seen->id;
  LOCKSTEP_TRY(const bool adopted, AdoptLockFile(lock, *dir, core));
  if (!adopted) return false;
  held.Keep(std::move(lock), std::move(*dir));
  return true;
}

bool IsLeft(const std::vector<Unmended>& left, const FileId& id) {
  return std::any_of(left.begin(), left.end(),
                     [&](const Unmended& unmended) { return unmended.entry.id == id; });
}

}  // namespace

Result<std::vector<JournalEntry>> DeadEntries(const HostLockFs::Core& core) {
  LOCKSTEP_TRY(auto entries, core.journal.Entries());
  std::erase_if(entries, [&](const JournalEntry& entry) { return core.live.contains(entry.id); });
  return entries;
}

bool IsLeftByUs(const std::vector<JournalEntry>& dead, const ServiceRef& service,
                const std::string& file, const FileInfo& seen, const HostLockFsOptions& options) {
  return std::any_of(dead.begin(), dead.end(), [&](const JournalEntry& entry) {
    return entry.kind == JournalEntry::Kind::kTaken && entry.file == file &&
           entry.service == service.service && entry.app_dir == service.app_dir &&
           IsSameFile(entry, seen, options);
  });
}

Result<std::vector<Unmended>> MendAside(HostLockFs::Core& core, const LockRoot& root, Aside& aside,
                                        const std::vector<JournalEntry>& dead) {
  std::vector<FileId> mended;
  std::vector<Unmended> left;
  for (const JournalEntry& entry : dead) {
    if (auto done = MendOne(core, root, aside, entry, dead); !done) {
      left.push_back({entry, std::move(done).assume_error()});
    } else if (entry.kind == JournalEntry::Kind::kSetAside) {
      mended.push_back(entry.id);
    }
  }
  // One file may have been a lock under several names: what is left of it keeps all its entries.
  std::erase_if(mended, [&](const FileId& id) { return IsLeft(left, id); });
  if (mended.empty()) return left;
  LOCKSTEP_TRYV(core.journal.Remove(mended));
  return left;
}

Result<int> ReleaseLeftoverLocks(const std::shared_ptr<HostLockFs::Core>& core) {
  const std::lock_guard guard(core->mutex);
  LOCKSTEP_TRY(const auto dead, DeadEntries(*core));
  std::vector<FileId> settled;
  Result<void> result = Ok();
  int released = 0;
  LOCKSTEP_TRY(auto root, LockRoot::Open(core->options, core->seams));
  if (root) {
    LOCKSTEP_TRY(auto aside, Aside::Open(*root));
    LOCKSTEP_TRY(const auto left, MendAside(*core, *root, aside, dead));
    if (!left.empty()) result = left.front().error;
    HeldLocks held(core, std::move(*root), std::move(aside), {});
    for (const JournalEntry& entry : dead) {
      if (entry.kind != JournalEntry::Kind::kTaken) continue;  // An app's, put back just now.
      auto adopted = AdoptEntry(*core, held, entry);
      if (!adopted) {  // One service that cannot be looked at keeps no other's locks.
        if (result) result = std::move(adopted).assume_error();
      } else if (!adopted.assume_value() && !IsLeft(left, entry.id)) {
        settled.push_back(entry.id);
      }
    }
    released = static_cast<int>(held.size());
    if (auto given = held.GiveBack(); !given && result) result = std::move(given);
    held.aside().Sweep();
  } else {
    for (const JournalEntry& entry : dead) settled.push_back(entry.id);
  }
  LOCKSTEP_TRYV(core->journal.Remove(settled));
  LOCKSTEP_TRYV(result);
  return released;
}

}  // namespace lockstep::lockfs
