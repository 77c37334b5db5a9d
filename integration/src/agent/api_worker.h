// One thread for what an API request may have to wait for: disks, locks, large documents. The
// server's thread and the run's must not.
#ifndef LOCKSTEP_INTEGRATION_AGENT_API_WORKER_H_
#define LOCKSTEP_INTEGRATION_AGENT_API_WORKER_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace lockstep {

// The thread is there from the first task on. Thread-safe.
class ApiWorker {
 public:
  // Tasks that wait; more are refused.
  static constexpr std::size_t kMostTasks = 4096;

  // False where too many wait.
  bool Post(std::function<void()> task) {
    {
      const std::scoped_lock lock(mutex_);
      if (tasks_.size() >= kMostTasks) return false;
      tasks_.push_back(std::move(task));
      if (!thread_.joinable()) {
        thread_ = std::jthread([this](const std::stop_token& stop) { Work(stop); });
      }
    }
    work_.notify_one();
    return true;
  }

 private:
  void Work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (work_.wait(lock, stop, [this] { return !tasks_.empty(); })) {
      if (stop.stop_requested()) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any work_;
  std::deque<std::function<void()>> tasks_;
  std::jthread thread_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_API_WORKER_H_
