// CountingSink: who waits for locks, in a test.
#ifndef LOCKSTEP_TESTING_COUNTING_LOCK_SINK_H_
#define LOCKSTEP_TESTING_COUNTING_LOCK_SINK_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "lockstep/lock_fs.h"

namespace lockstep::test {

// Counts the calls of a watch, and waits for them. Thread-safe.
class CountingSink final : public LockSink {
 public:
  void OnLocksChanged() override {
    const std::lock_guard lock(mutex_);
    ++calls_;
    changed_.notify_all();
  }
  void OnPolling(const Error& why) override {
    const std::lock_guard lock(mutex_);
    polling_.push_back(Describe(why));
  }
  // Why the watch looks once a second instead; empty where it does not.
  std::vector<std::string> polling() {
    const std::lock_guard lock(mutex_);
    return polling_;
  }
  int calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  // The limit only ends a test that has failed.
  bool AwaitMoreThan(int calls) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return calls_ > calls; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int calls_ = 0;
  std::vector<std::string> polling_;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTING_COUNTING_LOCK_SINK_H_
