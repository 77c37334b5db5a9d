// RebootRecord: why Lockstep reboots the device, and how often it has.
#ifndef LOCKSTEP_REBOOT_RECORD_H_
#define LOCKSTEP_REBOOT_RECORD_H_

#include <string>

#include "lockstep/config_backend.h"

namespace lockstep {

// So often a device is rebooted for one configuration at most, whatever becomes of it: one that
// does not take effect must not keep a device rebooting.
inline constexpr int kMostReboots = 3;

// Durable before the first change that needs a reboot is written, and kept for as long as the
// target wants the same configuration.
struct RebootRecord {
  std::string boot_id;        // The boot it ends.
  std::string configuration;  // Hash of all that the target wants and a reboot is needed for.
  int reboots = 0;            // Asked for, for this configuration.
  // What was written for it, and is to be looked at after the reboot; empty once it was.
  ConfigChanges changes;

  friend bool operator==(const RebootRecord&, const RebootRecord&) = default;
};

}  // namespace lockstep

#endif  // LOCKSTEP_REBOOT_RECORD_H_
