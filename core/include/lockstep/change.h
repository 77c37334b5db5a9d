// What differs between a service as it runs and as it should run, and why: typed reasons.
#ifndef LOCKSTEP_CHANGE_H_
#define LOCKSTEP_CHANGE_H_

#include <string>
#include <string_view>
#include <vector>

#include "lockstep/observed_state.h"
#include "lockstep/target.h"

namespace lockstep {

enum class ReasonCode {
  kFieldChanged,  // `field` says which.
  kImageChanged,
  kNotInTarget,
  kMissing,
  kNotRunning,
  kNetworkChanged,
  kVolumeChanged,
  kDependencyRestarts,
  kReleaseChanged,
  kUnhealthy,
  kShouldNotRun,   // Runs, but the target says it should not.
  kLeftOver,       // A further container of the service.
  kReleaseFailed,  // Going back from a release that failed.
  kPaused,         // Left as it is, and reported; likewise kRestarting and kUnhealthy.
  kRestarting,
  kNameChanged,  // Somebody renamed the container: `from` and `to` are its names.
  kAsked,        // A person asked for it.
  kLost,         // Runs, and the engine does not know.
};
std::string_view ReasonCodeName(ReasonCode code);  // "field-changed", ...

struct Reason {
  ReasonCode code = ReasonCode::kMissing;
  std::string field;  // "user", "environment.A"; empty where the reason is no field.
  Value from;
  Value to;
  // True where from and to may be secret (environment): shown on request only.
  bool secret = false;
  friend bool operator==(const Reason&, const Reason&) = default;
};

// Every field that differs, in the table's order. Empty: the same specification.
std::vector<Reason> DiffSpecs(const ServiceSpec& from, const ServiceSpec& to);

}  // namespace lockstep

#endif  // LOCKSTEP_CHANGE_H_
