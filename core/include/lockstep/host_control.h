// Port to the machine itself.
#ifndef LOCKSTEP_HOST_CONTROL_H_
#define LOCKSTEP_HOST_CONTROL_H_

#include <string>

#include "lockstep/result.h"

namespace lockstep {

enum class PowerAnswer {
  kGoesDown,      // Soon, and this process with it.
  kLeftToOthers,  // Lockstep is told not to do it itself: whoever does has to, some time.
};

// Thread-safety: every method may be called from several threads at once.
class HostControl {
 public:
  HostControl() = default;
  HostControl(const HostControl&) = delete;
  HostControl& operator=(const HostControl&) = delete;
  virtual ~HostControl() = default;

  // Names this boot: the same until the machine restarts, never the same after. On Linux
  // /proc/sys/kernel/random/boot_id. Error: kUnavailable.
  virtual Result<std::string> BootId() = 0;

  // Asks the machine to restart, or to go down, in good order. Never forces what the machine itself
  // refuses. Errors: kPermissionDenied, kUnavailable (something inhibits it, or nobody is there to
  // ask), kUnsupported (there is no way to do it here), kDeadlineExceeded (it was asked, and no
  // answer came: it may go down all the same).
  virtual Result<PowerAnswer> Reboot() = 0;
  virtual Result<PowerAnswer> Shutdown() = 0;
};

}  // namespace lockstep

#endif  // LOCKSTEP_HOST_CONTROL_H_
