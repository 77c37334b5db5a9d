// ManualClock: time that stands still until a test lets it pass.
#ifndef LOCKSTEP_TESTING_MANUAL_CLOCK_H_
#define LOCKSTEP_TESTING_MANUAL_CLOCK_H_

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "lockstep/clock.h"

namespace lockstep::test {

// Thread-safe. Advance() wakes whoever waits for a time that has come.
class ManualClock final : public Clock {
 public:
  void Advance(std::chrono::milliseconds by) {
    std::vector<std::condition_variable_any*> waiting;
    {
      const std::scoped_lock lock(mutex_);
      passed_ += by;
      waiting = waiting_;
    }
    for (std::condition_variable_any* changed : waiting) changed->notify_all();
  }

  // How many calls of WaitUntil wait now.
  std::size_t waiting() const {
    const std::scoped_lock lock(mutex_);
    return waiting_.size();
  }

  WallTime Now() override {
    const std::scoped_lock lock(mutex_);
    return WallTime{} + std::chrono::days(20'000) + passed_;
  }
  MonoTime Monotonic() override {
    const std::scoped_lock lock(mutex_);
    return MonoTime{} + passed_;
  }

  bool WaitUntil(std::condition_variable_any& changed, std::unique_lock<std::mutex>& lock,
                 std::optional<MonoTime> deadline, std::stop_token stop,
                 const std::function<bool()>& done) override {
    {
      const std::scoped_lock own(mutex_);
      waiting_.push_back(&changed);
    }
    // Advance() may come between the look at the time and the wait: the wait is cut into pieces so
    // that it is seen all the same.
    while (!done() && !stop.stop_requested() && !(deadline && Monotonic() >= *deadline)) {
      changed.wait_for(lock, std::chrono::milliseconds(5));
    }
    const std::scoped_lock own(mutex_);
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &changed));
    return done();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::condition_variable_any*> waiting_;
  std::chrono::milliseconds passed_{0};
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTING_MANUAL_CLOCK_H_
