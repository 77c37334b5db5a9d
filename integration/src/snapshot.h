// Snapshots (lockstep.snapshot/1): an observed state as a file, to plan without a device.
#ifndef LOCKSTEP_INTEGRATION_SNAPSHOT_H_
#define LOCKSTEP_INTEGRATION_SNAPSHOT_H_

#include <string>
#include <string_view>

#include "lockstep/device_info.h"
#include "lockstep/observed_state.h"
#include "lockstep/result.h"
#include "rfc3339.h"

namespace lockstep {

// Fields that are not known are ignored; all but `format` may be absent. `device`, if it is not
// null, gets what the snapshot says of the device.
// Errors: kInvalidInput, with the place in `where` ("containers.3.state").
Result<ObservedState> ReadSnapshot(std::string_view text, DeviceInfo* device = nullptr);

// JSON, indented, with a newline at its end; reading it gives `state` and the facts of `device`
// again. May hold secrets: for a file of mode 0600.
std::string WriteSnapshot(const ObservedState& state, const DeviceInfo& device = {});

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_SNAPSHOT_H_
