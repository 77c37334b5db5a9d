// A source that runs in a thread of its own, and what it has told so far.
#ifndef LOCKSTEP_TESTS_INTEGRATION_TARGET_SOURCES_RUNNING_SOURCE_H_
#define LOCKSTEP_TESTS_INTEGRATION_TARGET_SOURCES_RUNNING_SOURCE_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "target_sources/target_source.h"

namespace lockstep::test {

class RunningSource final : public TargetSink {
 public:
  explicit RunningSource(std::unique_ptr<TargetSource> source) : source_(std::move(source)) {
    thread_ = std::jthread([this](std::stop_token stop) {
      auto ended = source_->Run(*this, std::move(stop));
      if (!ended) Add("ended: " + Describe(ended.assume_error()));
    });
  }
  ~RunningSource() override { Stop(); }

  void Stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }
  TargetSource& source() { return *source_; }

  // Until that much was told; what was told then. Fewer where that takes a minute.
  std::vector<std::string> Await(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::minutes(1), [&] { return told_.size() >= count; });
    return told_;
  }
  LoadedTarget last() {
    const std::scoped_lock lock(mutex_);
    return last_;
  }

 private:
  void OnTarget(LoadedTarget target) override {
    std::string text = "target";
    for (const TargetApp& app : target.target.apps) {
      text += ' ' + app.name;
      if (!app.release) continue;
      for (const TargetService& service : app.release->services) text += ' ' + service.spec.image;
    }
    {
      const std::scoped_lock lock(mutex_);
      last_ = std::move(target);
    }
    Add(std::move(text));
  }
  void OnProblem(Error error) override { Add("problem: " + Describe(error)); }
  void OnProblemGone() override { Add("well"); }

  void Add(std::string text) {
    const std::scoped_lock lock(mutex_);
    told_.push_back(std::move(text));
    changed_.notify_all();
  }

  std::unique_ptr<TargetSource> source_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> told_;
  LoadedTarget last_;
  std::jthread thread_;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_INTEGRATION_TARGET_SOURCES_RUNNING_SOURCE_H_
