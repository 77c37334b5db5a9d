// Remembers what an Orchestrator says, and lets a test wait for it.
#ifndef LOCKSTEP_TESTS_CORE_EVENT_RECORDER_H_
#define LOCKSTEP_TESTS_CORE_EVENT_RECORDER_H_

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "lockstep/event.h"

namespace lockstep::test {

// Thread-safe.
class Recorder final : public EventObserver {
 public:
  void OnEvent(const Event& event) override {
    const std::scoped_lock lock(mutex_);
    seen_.push_back(event);
    seen_.back().plan = nullptr;
    changed_.notify_all();
  }
  void AwaitFirst(EventKind kind) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] {
      return std::any_of(seen_.begin(), seen_.end(),
                         [&](const Event& event) { return event.kind == kind; });
    });
  }
  // False where none came: the limit only ends a test that has failed.
  bool Await(EventKind kind, const std::string& app) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] {
      return std::any_of(seen_.begin(), seen_.end(), [&](const Event& event) {
        return event.kind == kind && event.app == app;
      });
    });
  }
  std::vector<Event> seen() const {
    const std::scoped_lock lock(mutex_);
    return seen_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Event> seen_;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_CORE_EVENT_RECORDER_H_
