// Waiting until a file may read otherwise than before, by inotify(7).
#ifndef LOCKSTEP_INTEGRATION_TARGET_SOURCES_PATH_WATCH_H_
#define LOCKSTEP_INTEGRATION_TARGET_SOURCES_PATH_WATCH_H_

#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/error.h"

namespace lockstep {

// Each part of a path is watched itself: directories for being moved or removed, symlinks for being
// replaced, the file for being written. Where one is missing, the directory before it is watched
// for it to appear. So nothing else that happens in these directories wakes anybody up.
//
// A file that is being written does not count before it is closed, or has been still for 10 s.
// Changes that come close together are one. What is mounted over a path makes no event.
class PathWatch {
 public:
  // kNone: as on a file system that does not tell who has a file open.
  enum class Leases { kUsed, kNone };
  explicit PathWatch(Leases leases = Leases::kUsed);
  ~PathWatch();
  PathWatch(const PathWatch&) = delete;
  PathWatch& operator=(const PathWatch&) = delete;

  bool ok() const { return wake_ >= 0; }  // Else no descriptor was left: of no use.

  // Watches these, and nothing that was watched before. Paths are absolute. `names`: whether a file
  // of that name counts that comes, goes or is written in one of the directories.
  // None where all of it is watched; else why not: then Wait() returns twice a minute besides.
  std::optional<Error> Watch(const std::vector<std::string>& files,
                             const std::vector<std::string>& directories = {},
                             std::function<bool(std::string_view)> names = {});

  // Whether something has changed since Watch(), or is being written: what was read since may be
  // half of it.
  bool Stirred();

  // Whether something watched is being written, as far as is known.
  bool being_written() const { return !being_written_.empty(); }

  // Blocks until something watched may have changed since Watch(), somebody asks, or a stop is
  // requested.
  void Wait(const std::stop_token& stop);

  // Ends a Wait(), be it the next one. From any thread.
  void Ask();

 private:
  using Clock = std::chrono::steady_clock;
  enum class Last { kFile, kDirectory };
  enum class Seen { kNothing, kWriting, kChange };  // In rising order.
  struct Change {                                   // Since Watch().
    std::optional<Clock::time_point> first;
    Clock::time_point last;
    bool whole = false;  // Not only begun.
  };

  void Walk(const std::string& path, Last last);
  bool Add(const std::string& path, std::uint32_t mask, struct stat& status);
  void AddForName(const std::string& directory, const std::string& name);
  void Refused(int error);
  bool Poll(std::optional<Clock::time_point> until);
  void Drain();
  void Note(Seen seen);
  Seen Judge(int watch, std::uint32_t mask, const std::string& name);
  Seen JudgeFile(const std::string& path, std::uint32_t mask);
  std::optional<Clock::time_point> Deadline(Clock::time_point began, bool asked) const;

  const Leases leases_;
  int wake_;
  int inotify_ = -1;
  std::function<bool(std::string_view)> names_;
  std::map<int, std::set<std::string>> watches_;  // What each stands for; by an inode's one watch.
  std::map<std::string, std::uint32_t> masks_;
  std::map<std::string, std::set<std::string>> awaited_;  // Directory -> what is missing in it.
  std::set<std::string> listed_;                          // Directories of which every name counts.
  std::set<std::string> files_;                           // That are there.
  std::set<std::string> being_written_;
  Change change_;
  int refusal_ = 0;  // An errno.
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_TARGET_SOURCES_PATH_WATCH_H_
