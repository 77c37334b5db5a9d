// Waiting for files in lock directories to come and go.
#ifndef LOCKSTEP_LOCKFS_SRC_WATCH_H_
#define LOCKSTEP_LOCKFS_SRC_WATCH_H_

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core.h"

namespace lockstep::lockfs {

struct WatchedFiles {
  std::vector<ServiceRef> services;
  std::vector<std::string> names;  // Of files in a service's directory.
  std::optional<std::chrono::steady_clock::time_point> until = std::nullopt;  // None: no limit.
  bool flocks = false;  // They are locks: an flock of theirs that ends makes no event, and counts.
};

// Calls the sink once the watch stands, and each time one of these files may have come or gone,
// until stopped or the time is up.
Result<void> WatchFiles(HostLockFs::Core& core, const WatchedFiles& watched, LockSink& sink,
                        std::stop_token stop);

}  // namespace lockstep::lockfs

#endif  // LOCKSTEP_LOCKFS_SRC_WATCH_H_
