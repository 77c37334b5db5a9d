// The machine itself: which boot this is, and asking it to restart or to go down.
#ifndef LOCKSTEP_INTEGRATION_HOST_POWER_H_
#define LOCKSTEP_INTEGRATION_HOST_POWER_H_

#include <memory>
#include <string>

#include "lockstep/host_control.h"
#include "options.h"

namespace lockstep {

// How a machine is rebooted (--reboot).
enum class RebootWay {
  kLogind,   // systemd-logind, over the system bus: everything is stopped in good order.
  kSyscall,  // reboot(2), after a sync: for a host without systemd.
  kNever,    // Lockstep says that it is to be done, and leaves it to others.
};

struct HostPlace {
  std::string host_root = "/";
  RebootWay way = RebootWay::kLogind;
  // D-Bus address of the system bus; empty: the host's usual one.
  std::string bus = {};
};

class HostPower final : public HostControl {
 public:
  explicit HostPower(HostPlace place) : place_(std::move(place)) {}

  Result<std::string> BootId() override;
  // logind refuses while something inhibits it (kUnavailable), and whoever may not
  // (kPermissionDenied). Blocks for 30 s at most.
  Result<PowerAnswer> Reboot() override;
  Result<PowerAnswer> Shutdown() override;

 private:
  HostPlace place_;
};

// The machine that the options name. With the memory engine it is never rebooted.
std::unique_ptr<HostControl> OpenHost(const CommonOptions& options);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HOST_POWER_H_
