// When a byte moved last on any pull of one engine.
#ifndef LOCKSTEP_RUNTIMES_PULL_WATCH_H_
#define LOCKSTEP_RUNTIMES_PULL_WATCH_H_

#include <atomic>
#include <chrono>

namespace lockstep::docker {

// Pulls share one link and wait for each other: one that stands still while another moves is in a
// queue, and giving it up would only put it at the end. Thread-safe.
class PullWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;

  void NoteByte(Time now) {
    Time::rep last = last_.load();
    const Time::rep mine = now.time_since_epoch().count();
    while (last < mine && !last_.compare_exchange_weak(last, mine)) {
    }
  }
  // Long ago where none has moved yet.
  Time last_byte() const { return Time(Time::duration(last_.load())); }

 private:
  std::atomic<Time::rep> last_ = Time::min().time_since_epoch().count();
};

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_PULL_WATCH_H_
