// ScriptedClock: time that passes at once. Whoever waits is at the end of the wait when it begins,
// but for what is to happen in between. For one thread.
#ifndef LOCKSTEP_TESTS_INTEGRATION_BALENA_API_SCRIPTED_CLOCK_H_
#define LOCKSTEP_TESTS_INTEGRATION_BALENA_API_SCRIPTED_CLOCK_H_

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <utility>

#include "lockstep/clock.h"

namespace lockstep::test {

class ScriptedClock final : public Clock {
 public:
  // Does `what` once somebody waits past that time.
  void At(std::chrono::milliseconds time, std::function<void()> what) {
    script_.emplace(MonoTime{} + time, std::move(what));
  }
  void JumpWallClock(std::chrono::hours by) { wall_ += by; }
  std::int64_t seconds() const {
    return std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch()).count();
  }
  int waits() const { return waits_; }

  WallTime Now() override { return wall_ + now_.time_since_epoch(); }
  MonoTime Monotonic() override { return now_; }
  bool WaitUntil(std::condition_variable_any&, std::unique_lock<std::mutex>& lock,
                 std::optional<MonoTime> deadline, std::stop_token stop,
                 const std::function<bool()>& done) override {
    ++waits_;
    while (!done() && !stop.stop_requested()) {
      if (!script_.empty() && (!deadline || script_.begin()->first <= *deadline)) {
        auto next = script_.extract(script_.begin());
        now_ = std::max(now_, next.key());
        lock.unlock();
        next.mapped()();
        lock.lock();
        continue;
      }
      if (!deadline) {
        ADD_FAILURE() << "waits for ever";
        std::abort();
      }
      now_ = std::max(now_, *deadline);
      break;
    }
    return done();
  }

 private:
  MonoTime now_{};
  WallTime wall_ = WallTime{} + std::chrono::days(20'000);
  std::multimap<MonoTime, std::function<void()>> script_;
  int waits_ = 0;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_INTEGRATION_BALENA_API_SCRIPTED_CLOCK_H_
