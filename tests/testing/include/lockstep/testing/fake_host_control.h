// FakeHostControl: a machine that can be rebooted in a test.
#ifndef LOCKSTEP_TESTING_FAKE_HOST_CONTROL_H_
#define LOCKSTEP_TESTING_FAKE_HOST_CONTROL_H_

#include <atomic>
#include <string>

#include "lockstep/host_control.h"

namespace lockstep::test {

// Thread-safe.
class FakeHostControl final : public HostControl {
 public:
  // As if the machine had restarted: another boot id.
  void Restart() { ++boot_; }

  Result<std::string> BootId() override { return "boot-" + std::to_string(boot_.load()); }

 private:
  std::atomic<int> boot_{1};
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTING_FAKE_HOST_CONTROL_H_
