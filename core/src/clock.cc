#include "lockstep/clock.h"

namespace lockstep {

WallTime SystemClock::Now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

MonoTime SystemClock::Monotonic() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now());
}

bool SystemClock::WaitUntil(std::condition_variable_any& changed,
                            std::unique_lock<std::mutex>& lock, std::optional<MonoTime> deadline,
                            std::stop_token stop, const std::function<bool()>& done) {
  if (!deadline) return changed.wait(lock, stop, done);
  return changed.wait_until(lock, stop, *deadline, done);
}

}  // namespace lockstep
