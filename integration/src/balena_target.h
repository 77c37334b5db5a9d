// Reads a balena state (version 3), as a device gets it from the balena or openBalena API.
#ifndef LOCKSTEP_INTEGRATION_BALENA_TARGET_H_
#define LOCKSTEP_INTEGRATION_BALENA_TARGET_H_

#include <string>
#include <string_view>

#include "lockstep/result.h"
#include "lockstep/target.h"
#include "lockstep/value.h"

namespace lockstep {

// What becomes of a field that is not known. Of who writes a file, the whole is refused. A backend
// sends what others wrote for other programs: there it blocks the app alone, and a field of the
// Compose Specification that balena's supervisor ignores too is a gap that blocks nothing.
enum class UnknownFields { kRefused, kGaps };

struct ReadTargetOptions {
  std::string device_uuid = {};  // Empty: the file must be for one device.
  UnknownFields unknown_fields = UnknownFields::kRefused;
};

// The target is complete: what balena means when it says nothing is in it. A wrong value inside
// an app is a gap of that app alone, and the app's release is then not to be relied upon.
// Errors: kInvalidTarget where the text has not the shape of a target or has an unknown field that
// is refused, with the place in `where` ("apps.<uuid>.releases.<commit>...").
Result<Target> ReadBalenaTarget(std::string_view text, const ReadTargetOptions& options = {});
Result<Target> ReadBalenaState(const Value& document, const ReadTargetOptions& options);  // Parsed.

// A configuration key under its one name: RESIN_X and BALENA_X are BALENA_X.
std::string CanonicalConfigKey(std::string_view key);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_BALENA_TARGET_H_
