#include "flock_history.h"

#include <sys/stat.h>

namespace lockstep::lockfs {

bool MayBeOfFlock(const FileInfo& file) {
  constexpr mode_t kAnyWrite = S_IWUSR | S_IWGRP | S_IWOTH;
  return S_ISREG(file.mode) && file.size == 0 && file.links == 1 && (file.mode & kAnyWrite) != 0 &&
         file.id.born_ns != 0;
}

FlockHistory::Verdict FlockHistory::Judge(const std::string& path, const FileInfo& file,
                                          bool flocked, TimePoint now) {
  const std::lock_guard guard(mutex_);
  auto [it, is_new] = entries_.try_emplace(path);
  Entry& entry = it->second;
  if (is_new || entry.id != file.id) {
    entry = {file.id, flocked ? Stage::kSeenOnce : Stage::kHeld, now};
  }
  const bool apart = now - entry.since >= kApart;
  const auto go_to = [&](Stage stage) {
    entry.stage = stage;
    entry.since = now;
  };
  if (!MayBeOfFlock(file)) go_to(Stage::kHeld);  // For good: what it once was proves nothing now.
  switch (entry.stage) {
    case Stage::kHeld:
      break;
    case Stage::kSeenOnce:
      if (!flocked) {
        go_to(Stage::kHeld);
      } else if (apart) {
        go_to(Stage::kProven);
      }
      break;
    case Stage::kProven:
      if (!flocked) go_to(Stage::kSeenFree);
      break;
    case Stage::kSeenFree:
    case Stage::kLeftBehind:
      if (flocked) {
        go_to(Stage::kProven);
      } else if (apart) {
        go_to(Stage::kLeftBehind);
      }
      break;
  }
  if (entry.stage == Stage::kHeld) return Verdict::kHeld;
  return entry.stage == Stage::kLeftBehind ? Verdict::kLeftBehind : Verdict::kUndecided;
}

void FlockHistory::Forget(const std::string& path) {
  const std::lock_guard guard(mutex_);
  entries_.erase(path);
}

}  // namespace lockstep::lockfs
