// Locks as values: who holds what. The file system behind it is a LockFs (lock_fs.h).
#ifndef LOCKSTEP_LOCK_H_
#define LOCKSTEP_LOCK_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

enum class LockKind { kExclusiveFile, kFlock, kDirectory, kSymlink, kOther };

std::string_view LockKindName(LockKind kind);      // "exclusive-file", ...
LockKind LockKindFromName(std::string_view name);  // kOther for an unknown name.

struct LockHolder {
  std::string app;  // Uuid where known, else the directory's name.
  std::string app_dir;
  std::string service;
  std::string path;  // As seen on the host.
  LockKind kind = LockKind::kExclusiveFile;
  std::optional<WallTime> since;   // Never used for a verdict: clocks jump.
  std::int64_t owner_uid = -1;     // -1: not known.
  bool ours = false;               // Held by Lockstep itself; holds up nothing.
  bool held = true;                // False for what looks like a lock and is none (see notes).
  std::vector<std::string> notes;  // For people.
  std::string holder;              // What is known of the process and its container, for people.
  friend bool operator==(const LockHolder&, const LockHolder&) = default;

  // No lock: a person wants the app to be left as it runs. Nothing runs over it.
  bool IsPause() const { return service.empty() && path.empty(); }
};

// What stands among an app's holders while it is paused.
LockHolder PausedByPerson(const std::string& app, const std::string& app_dir);

}  // namespace lockstep

#endif  // LOCKSTEP_LOCK_H_
