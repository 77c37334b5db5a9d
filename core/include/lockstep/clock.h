// Port to time: what time it is, and waiting. A test gives its own.
#ifndef LOCKSTEP_CLOCK_H_
#define LOCKSTEP_CLOCK_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>

#include "lockstep/lock.h"

namespace lockstep {

// Monotonic: durations and deadlines count on this one, never on the wall clock.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::milliseconds>;

// Thread-safety: every method may be called from several threads at once.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  virtual WallTime Now() = 0;
  virtual MonoTime Monotonic() = 0;

  // Waits on `changed` until `done` holds, `deadline` (none: no limit) has come, or a stop is
  // requested. `lock` is held on call and return. Returns what `done` says then.
  virtual bool WaitUntil(std::condition_variable_any& changed, std::unique_lock<std::mutex>& lock,
                         std::optional<MonoTime> deadline, std::stop_token stop,
                         const std::function<bool()>& done) = 0;
};

// The system's clocks. Defined here, so that programs with run-time type information link it.
class SystemClock final : public Clock {
 public:
  WallTime Now() override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
  }
  MonoTime Monotonic() override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now());
  }
  bool WaitUntil(std::condition_variable_any& changed, std::unique_lock<std::mutex>& lock,
                 std::optional<MonoTime> deadline, std::stop_token stop,
                 const std::function<bool()>& done) override {
    if (!deadline) return changed.wait(lock, stop, done);
    return changed.wait_until(lock, stop, *deadline, done);
  }
};

}  // namespace lockstep

#endif  // LOCKSTEP_CLOCK_H_
