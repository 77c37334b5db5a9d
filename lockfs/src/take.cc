#include "take.h"

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <utility>
#include <vector>

#include "flock_look.h"
#include "held_locks.h"
#include "leftovers.h"
#include "look.h"

namespace lockstep::lockfs {
namespace {

constexpr int kAttempts = 8;  // An app may take and drop a lock as fast as we look.

// One TakeAll. Core's mutex is held throughout.
class Taking {
 public:
  Taking(HostLockFs::Core& core, std::unique_ptr<HeldLocks> held, LockMode mode)
      : core_(core), held_(std::move(held)), mode_(mode) {}

  Result<LockOutcome> Run();

 private:
  struct Blocker {
    std::size_t dir;
    std::string file;
    FileInfo info;
    bool live;  // Held by another LockSet of this process.
    LockHolder holder;
  };

  Result<void> Look();
  Result<void> LookAtPlace(std::size_t dir, const std::string& file,
                           const std::vector<JournalEntry>& dead, FlockLook& flocks);
  bool MayGoOn() const;
  // False: somebody came between.
  Result<bool> Take();
  Result<void> SetAside();
  Result<void> Commit();
  Result<void> Undo();
  std::vector<LockHolder> Holders() const;
  JournalEntry EntryOf(const Blocker& blocker) const;

  HostLockFs::Core& core_;
  std::unique_ptr<HeldLocks> held_;
  LockMode mode_;
  std::vector<LockFile> free_;        // Wanted, in canonical order; no file yet.
  std::vector<LockFile> leftovers_;   // Ours, from a process that is gone.
  std::vector<LockFile> left_files_;  // Left behind by flock(1).
  std::vector<Blocker> in_way_;
  std::vector<Blocker> set_aside_;
  std::vector<LockHolder> overridden_;
};

Result<LockOutcome> Taking::Run() {
  std::vector<LockHolder> last;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    LOCKSTEP_TRYV(Look());
    // Nothing is touched while a lock is known to be held: taking some and giving them back would
    // wake whoever watches, ourselves first.
    if (!MayGoOn()) return LockOutcome(LockHeld{Holders()});
    if (!in_way_.empty()) last = Holders();
    auto taken = Take();
    if (taken && taken.assume_value()) {
      LOCKSTEP_TRYV(Commit());
      return LockOutcome(LockTaken{LockSet(std::move(held_)), std::move(overridden_)});
    }
    auto undone = Undo();
    if (!taken) return std::move(taken).assume_error();
    LOCKSTEP_TRYV(std::move(undone));
  }
  if (!last.empty()) return LockOutcome(LockHeld{std::move(last)});
  return WithContext(MakeError(ErrorCode::kUnavailable, "apps take and drop them all the time"),
                     "take locks");
}

Result<void> Taking::Look() {
  free_.clear();
  leftovers_.clear();
  left_files_.clear();
  FlockLook flocks(core_);
  in_way_.clear();
  LOCKSTEP_TRY(const auto dead, DeadEntries(core_));
  for (std::size_t dir = 0; dir < held_->dirs().size(); ++dir) {
    for (const std::string& file : core_.options.lock_files) {
      LOCKSTEP_TRYV(LookAtPlace(dir, file, dead, flocks));
    }
  }
  return Ok();
}

Result<void> Taking::LookAtPlace(std::size_t dir, const std::string& file,
                                 const std::vector<JournalEntry>& dead, FlockLook& flocks) {
  const ServiceDir& place = held_->dirs()[dir];
  auto looked = LookAt(place.fd.get(), file);
  if (!looked) return WithContext(std::move(looked).assume_error(), place.path);
  const auto& seen = looked.assume_value();
  LockFile lock;
  lock.dir = dir;
  lock.file = file;
  if (!seen) {
    flocks.Forget(place.path + "/" + file);
    free_.push_back(std::move(lock));
    return Ok();
  }
  const bool left_over = IsLeftByUs(dead, place.service, file, *seen, core_.options);
  lock.id = seen->id;
  if (left_over) {
    leftovers_.push_back(std::move(lock));
    return Ok();
  }
  const bool live = core_.live.contains(seen->id);
  LockHolder holder = DescribeLock(place.service, place.path, file, *seen, live);
  if (!live) flocks.Tell(*seen, holder);
  if (holder.held) {
    in_way_.push_back({dir, file, *seen, live, std::move(holder)});
  } else {
    left_files_.push_back(std::move(lock));
  }
  return Ok();
}

// Force runs over apps, never over another LockSet of ours: two spans must not meet.
bool Taking::MayGoOn() const {
  return mode_ == LockMode::kForce
             ? std::none_of(in_way_.begin(), in_way_.end(), [](const auto& b) { return b.live; })
             : in_way_.empty();
}

Result<bool> Taking::Take() {
  for (LockFile& lock : leftovers_) {
    const ServiceDir& dir = held_->dirs()[lock.dir];
    LOCKSTEP_TRY(const bool adopted, AdoptLockFile(lock, dir, core_));
    if (!adopted) return false;
    held_->Keep(std::move(lock));
  }
  LOCKSTEP_TRYV(SetAside());
  const auto& names = core_.options.lock_files;
  const auto rank = [&](const LockFile& lock) {
    return std::pair(lock.dir, std::find(names.begin(), names.end(), lock.file));
  };
  std::sort(free_.begin(), free_.end(),
            [&](const LockFile& a, const LockFile& b) { return rank(a) < rank(b); });
  LOCKSTEP_TRY(const bool taken, held_->Take(std::move(free_)));
  if (!taken) return false;
  for (LockFile& lock : left_files_) {
    LOCKSTEP_TRY(const bool is_free, TakeLeftFile(lock, held_->dirs()[lock.dir], core_));
    if (!is_free) return false;
    held_->Keep(std::move(lock));
    core_.seams.At("left-file-taken");
  }
  return true;
}

Result<void> Taking::SetAside() {
  std::vector<JournalEntry> entries;
  for (const Blocker& blocker : in_way_) {
    entries.push_back(EntryOf(blocker));
  }
  LOCKSTEP_TRYV(core_.journal.Add(entries));
  for (Blocker& blocker : std::exchange(in_way_, {})) {
    const ServiceDir& dir = held_->dirs()[blocker.dir];
    const std::string name = Aside::NameOf(EntryOf(blocker));
    LockFile wanted;
    wanted.dir = blocker.dir;
    wanted.file = blocker.file;
    free_.push_back(std::move(wanted));
    const int error = Rename(dir.fd.get(), blocker.file, held_->aside().fd(), name);
    if (error != 0 && error != ENOENT) {
      return SystemError(error, "remove lock " + dir.path + "/" + blocker.file);
    }
    core_.seams.At("set-aside");
    set_aside_.push_back(blocker);  // If only for its journal entry.
    if (error == ENOENT) continue;
    LOCKSTEP_TRY(const auto moved, LookAt(held_->aside().fd(), name));
    if (moved && moved->id != blocker.info.id) {  // The app put another in its place.
      const ServiceRef& service = dir.service;
      set_aside_.back().holder = DescribeLock(service, dir.path, blocker.file, *moved, false);
    }
    overridden_.push_back(set_aside_.back().holder);
  }
  return Ok();
}

// What was run over goes for good.
Result<void> Taking::Commit() {
  std::vector<FileId> gone;
  Result<void> result = Ok();
  for (const Blocker& blocker : set_aside_) {
    auto removed = held_->aside().Remove(Aside::NameOf(EntryOf(blocker)));
    if (removed) gone.push_back(blocker.info.id);
    if (!removed && result) result = std::move(removed);
  }
  if (!gone.empty()) {
    if (auto removed = core_.journal.Remove(gone); !removed && result) result = std::move(removed);
  }
  if (!result) (void)held_->GiveBack();  // The first error counts.
  return result;
}

Result<void> Taking::Undo() {
  Result<void> result = held_->LeaveFound();
  if (auto given = held_->GiveBack(); !given && result) result = std::move(given);
  std::vector<FileId> back;
  for (const Blocker& blocker : set_aside_) {
    const ServiceDir& dir = held_->dirs()[blocker.dir];
    auto put = held_->aside().PutBack(Aside::NameOf(EntryOf(blocker)), dir.fd.get(), blocker.file);
    if (put) back.push_back(blocker.info.id);
    if (!put && result) result = std::move(put);
  }
  if (!back.empty()) {
    if (auto removed = core_.journal.Remove(back); !removed && result) result = std::move(removed);
  }
  set_aside_.clear();
  overridden_.clear();
  return result;
}

std::vector<LockHolder> Taking::Holders() const {
  std::vector<LockHolder> holders;
  for (const Blocker& blocker : in_way_) holders.push_back(blocker.holder);
  return holders;
}

JournalEntry Taking::EntryOf(const Blocker& blocker) const {
  const ServiceRef& service = held_->dirs()[blocker.dir].service;
  return {JournalEntry::Kind::kSetAside, blocker.info.id, service.app_dir, service.service,
          blocker.file};
}

// The canonical order. A directory that is named twice is one place.
std::vector<ServiceRef> InOrder(std::span<const ServiceRef> services) {
  std::vector<ServiceRef> sorted(services.begin(), services.end());
  std::sort(sorted.begin(), sorted.end());
  const auto place = [](const ServiceRef& s) { return std::tie(s.app_dir, s.service); };
  std::vector<ServiceRef> unique;
  for (ServiceRef& service : sorted) {
    const bool known = std::any_of(unique.begin(), unique.end(), [&](const ServiceRef& other) {
      return place(other) == place(service);
    });
    if (!known) unique.push_back(std::move(service));
  }
  return unique;
}

}  // namespace

Result<LockOutcome> TakeAllLocks(const std::shared_ptr<HostLockFs::Core>& core,
                                 std::span<const ServiceRef> services, LockMode mode) {
  const std::vector<ServiceRef> sorted = InOrder(services);
  for (const ServiceRef& service : sorted) {
    LOCKSTEP_TRYV(CheckNames(service));
  }
  const std::lock_guard guard(core->mutex);
  LOCKSTEP_TRY(auto root, LockRoot::Make(core->options, core->seams));
  core->journal.SetDurable(!root.IsInMemory());
  LOCKSTEP_TRY(auto aside, Aside::Open(root));
  if (!core->file_system_checked) {
    LOCKSTEP_TRYV(aside.CheckFileSystem(root, core->seams));
    core->file_system_checked = true;
  }
  LOCKSTEP_TRY(const auto dead, DeadEntries(*core));
  LOCKSTEP_TRY(const auto unmended, MendAside(*core, root, aside, dead));
  for (const Unmended& left : unmended) {  // Its own service is not free; the others may be.
    const bool wanted = std::any_of(sorted.begin(), sorted.end(), [&](const ServiceRef& service) {
      return service.app_dir == left.entry.app_dir && service.service == left.entry.service;
    });
    if (wanted) return left.error;
  }
  std::vector<ServiceDir> dirs;
  for (const ServiceRef& service : sorted) {
    LOCKSTEP_TRY(auto dir, root.MakeService(service));
    dirs.push_back(std::move(dir));
  }
  auto held = std::make_unique<HeldLocks>(core, std::move(root), std::move(aside), std::move(dirs));
  return Taking(*core, std::move(held), mode).Run();
}

}  // namespace lockstep::lockfs
