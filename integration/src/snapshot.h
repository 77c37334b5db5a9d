// Snapshots (lockstep.snapshot/1): an observed state as a file, to plan without a device.
#ifndef LOCKSTEP_INTEGRATION_SNAPSHOT_H_
#define LOCKSTEP_INTEGRATION_SNAPSHOT_H_

#include <optional>
#include <string>
#include <string_view>

#include "lockstep/observed_state.h"
#include "lockstep/result.h"

namespace lockstep {

// Fields that are not known are ignored; all but `format` may be absent.
// Errors: kInvalidInput, with the place in `where` ("containers.3.state").
Result<ObservedState> ReadSnapshot(std::string_view text);

// JSON, indented, with a newline at its end; reading it gives `state` again. May hold secrets:
// for a file of mode 0600.
std::string WriteSnapshot(const ObservedState& state);

// RFC 3339 in UTC with milliseconds where there are any: "2026-01-01T00:00:00Z".
std::string FormatTime(WallTime time);
// Any RFC 3339 time, with any offset; finer than milliseconds is cut off.
std::optional<WallTime> ParseTime(std::string_view text);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_SNAPSHOT_H_
