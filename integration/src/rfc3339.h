// Times as text (RFC 3339), as every format of Lockstep writes them.
#ifndef LOCKSTEP_INTEGRATION_RFC3339_H_
#define LOCKSTEP_INTEGRATION_RFC3339_H_

#include <optional>
#include <string>
#include <string_view>

#include "lockstep/lock.h"

namespace lockstep {

// In UTC, with milliseconds where there are any: "2026-01-01T00:00:00Z".
std::string FormatTime(WallTime time);

// Any offset is understood; what is finer than milliseconds is cut off.
std::optional<WallTime> ParseTime(std::string_view text);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_RFC3339_H_
