// The name of a release that has none: a hash of what it says.
#ifndef LOCKSTEP_INTEGRATION_COMPOSE_COMMIT_H_
#define LOCKSTEP_INTEGRATION_COMPOSE_COMMIT_H_

#include <string>
#include <string_view>

#include "lockstep/target.h"

namespace lockstep {

// 32 hexadecimal digits, of the app's name and all that is canonical in `release` (not its commit).
// The same from one version of Lockstep to the next: a release is not another one because a field
// became known that it does not use.
std::string CommitOf(std::string_view app, const TargetRelease& release);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_COMPOSE_COMMIT_H_
