// How far the pull of an image has come.
#ifndef LOCKSTEP_PULL_PROGRESS_H_
#define LOCKSTEP_PULL_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lockstep/clock.h"

namespace lockstep {

struct LayerProgress {
  std::string id;      // As the engine calls it.
  std::string status;  // In the engine's words: "Downloading", "Extracting", "Pull complete", ...
  std::int64_t current_bytes = 0;
  std::int64_t total_bytes = 0;  // 0: not known yet, or present before.
  friend bool operator==(const LayerProgress&, const LayerProgress&) = default;
};

struct PullProgress {
  std::int64_t current_bytes = 0;
  std::int64_t total_bytes = 0;            // Grows while layers become known; 0: not known yet.
  std::vector<LayerProgress> layers = {};  // Sorted by id; empty where an engine tells of none.
  friend bool operator==(const PullProgress&, const PullProgress&) = default;
};

// Called from the pulling thread, at most some ten times a second; must not block.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual void OnProgress(const PullProgress& progress) = 0;
};

// Bytes a second, over the last few.
class TransferRate {
 public:
  void Add(MonoTime at, std::int64_t bytes);  // All that have come, not those since the last call.
  double bytes_per_second() const;            // 0: not known.

 private:
  std::deque<std::pair<MonoTime, std::int64_t>> samples_;
};

// Rounded up to seconds; none where it is not known, or days away.
std::optional<std::chrono::seconds> TimeLeft(std::int64_t current_bytes, std::int64_t total_bytes,
                                             double bytes_per_second);

}  // namespace lockstep

#endif  // LOCKSTEP_PULL_PROGRESS_H_
