// FakeHostControl: a machine that can be rebooted in a test.
#ifndef LOCKSTEP_TESTING_FAKE_HOST_CONTROL_H_
#define LOCKSTEP_TESTING_FAKE_HOST_CONTROL_H_

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "lockstep/host_control.h"

namespace lockstep::test {

// Thread-safe.
class FakeHostControl final : public HostControl {
 public:
  // As if the machine had restarted: another boot id.
  void Restart() { ++boot_; }
  // What the next calls of Reboot and Shutdown answer; until then it goes down. That it does is a
  // test's own to play: Restart().
  void Answer(Result<PowerAnswer> answer) {
    const std::scoped_lock lock(mutex_);
    answer_ = std::move(answer);
  }
  // Called in each Reboot, before it answers.
  void OnReboot(std::function<void()> call) {
    const std::scoped_lock lock(mutex_);
    on_reboot_ = std::move(call);
  }
  int reboots() const { return reboots_; }      // Accepted.
  int shutdowns() const { return shutdowns_; }  // Accepted.

  Result<std::string> BootId() override { return "boot-" + std::to_string(boot_.load()); }
  Result<PowerAnswer> Reboot() override {
    const std::scoped_lock lock(mutex_);
    if (on_reboot_) on_reboot_();
    if (answer_ && answer_.assume_value() == PowerAnswer::kGoesDown) ++reboots_;
    return answer_;
  }
  Result<PowerAnswer> Shutdown() override {
    const std::scoped_lock lock(mutex_);
    if (answer_ && answer_.assume_value() == PowerAnswer::kGoesDown) ++shutdowns_;
    return answer_;
  }

 private:
  std::atomic<int> boot_{1};
  std::atomic<int> reboots_{0};
  std::atomic<int> shutdowns_{0};
  std::mutex mutex_;
  Result<PowerAnswer> answer_ = PowerAnswer::kGoesDown;
  std::function<void()> on_reboot_;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTING_FAKE_HOST_CONTROL_H_
