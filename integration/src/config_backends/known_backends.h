// The configuration backends that Lockstep knows, and which of them a device has.
#ifndef LOCKSTEP_INTEGRATION_KNOWN_BACKENDS_H_
#define LOCKSTEP_INTEGRATION_KNOWN_BACKENDS_H_

#include <vector>

#include "lockstep/config_backend.h"
#include "lockstep/device_config.h"
#include "options.h"

namespace lockstep {

// Those of this device. A board is recognised by what it has: the files that a backend is about.
DeviceConfig OpenConfigBackends(const CommonOptions& options);

// The rules of all that are known: for a plan without a device.
std::vector<ConfigRule> KnownConfigRules();

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_KNOWN_BACKENDS_H_
