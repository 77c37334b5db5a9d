#include "lockstep/pull_progress.h"

#include <cmath>

namespace lockstep {

void TransferRate::Add(MonoTime at, std::int64_t bytes) {
  constexpr std::chrono::milliseconds kWindow{5'000};
  // Fewer bytes than before: a pull that began again.
  if (!samples_.empty() && bytes < samples_.back().second) samples_.clear();
  samples_.emplace_back(at, bytes);
  while (samples_.size() > 2 && at - samples_[1].first >= kWindow) samples_.pop_front();
}

double TransferRate::bytes_per_second() const {
  if (samples_.size() < 2) return 0;
  const auto time = samples_.back().first - samples_.front().first;
  const auto bytes = samples_.back().second - samples_.front().second;
  if (time < std::chrono::milliseconds(200) || bytes <= 0) return 0;
  return static_cast<double>(bytes) * 1000.0 / static_cast<double>(time.count());
}

std::optional<std::chrono::seconds> TimeLeft(std::int64_t current_bytes, std::int64_t total_bytes,
                                             double bytes_per_second) {
  constexpr double kLongest = 99 * 3600.0;
  if (bytes_per_second <= 0 || total_bytes <= current_bytes) return std::nullopt;
  const double seconds = static_cast<double>(total_bytes - current_bytes) / bytes_per_second;
  if (seconds > kLongest) return std::nullopt;
  return std::chrono::seconds(static_cast<std::int64_t>(std::ceil(seconds)));
}

}  // namespace lockstep
