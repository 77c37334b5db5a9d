// Which lock files flock(1) left behind.
//
// flock(1) leaves its file, and that is the same, bit for bit, as the file that another tool makes
// for its lock. So a file is taken for left behind only where it was seen in flock's hands from the
// first look on, for a second at least, and then no more in two looks. An app that flocks its file
// for an instant and takes the *file* for its lock is respected, and so is one that made it first.
#ifndef LOCKSTEP_LOCKFS_SRC_FLOCK_HISTORY_H_
#define LOCKSTEP_LOCKFS_SRC_FLOCK_HISTORY_H_

#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "posix.h"

namespace lockstep::lockfs {

// What flock(1) makes: empty, one name, and writable, as the lock of no lockfile(1) is. Without a
// birth time nothing tells a file from its successor.
bool MayBeOfFlock(const FileInfo& file);

// Thread-safe.
class FlockHistory {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  // Looks that are to say something of what went on between them are this far apart.
  static constexpr std::chrono::milliseconds kApart{1000};

  enum class Verdict {
    kHeld,       // By whom it may be: nothing else will be known by looking again.
    kUndecided,  // In flock's hands, or just out of them: look again.
    kLeftBehind,
  };
  // Tells of a look at `path` (which file is there, whether it is flocked), and judges.
  Verdict Judge(const std::string& path, const FileInfo& file, bool flocked, TimePoint now);
  // Nothing is at `path`.
  void Forget(const std::string& path);

 private:
  enum class Stage { kHeld, kSeenOnce, kProven, kSeenFree, kLeftBehind };
  struct Entry {
    FileId id;
    Stage stage = Stage::kHeld;
    TimePoint since;
  };

  std::mutex mutex_;
  std::map<std::string, Entry> entries_;  // By path: there is no more than one for each place.
};

}  // namespace lockstep::lockfs

#endif  // LOCKSTEP_LOCKFS_SRC_FLOCK_HISTORY_H_
