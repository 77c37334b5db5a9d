// The variables that containers are told beside their own: of the app, the service and the device.
// They are no part of a specification, so that a renamed device or a new OS restarts nobody.
// IsAmbientVariable (identity.h) goes by the same table.
#ifndef LOCKSTEP_AMBIENT_H_
#define LOCKSTEP_AMBIENT_H_

#include <map>
#include <string>

#include "lockstep/device_info.h"
#include "lockstep/target.h"

namespace lockstep {

// What is not known is left out, and what a feature label brings where `service` does not have it.
std::map<std::string, std::string> AmbientVariables(const TargetApp& app,
                                                    const TargetService& service,
                                                    const DeviceInfo& device);

}  // namespace lockstep

#endif  // LOCKSTEP_AMBIENT_H_
