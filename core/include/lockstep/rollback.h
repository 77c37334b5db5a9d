// Rollback: whether an app whose release does not become healthy goes back to the one before it.
// Who applies a target says so for all apps (SessionOptions::rollback); a label of a service says
// so for its app, and wins.
#ifndef LOCKSTEP_ROLLBACK_H_
#define LOCKSTEP_ROLLBACK_H_

#include <optional>

#include "lockstep/identity.h"
#include "lockstep/target.h"

namespace lockstep {

// What kLabelRollback says: 1 and true are yes, 0 and false no. None where it is not there, and
// where it says something else (a reader of targets makes a gap of that).
std::optional<bool> RollbackOf(const Labels& labels);

// What the services of a release say together: one that says no wins.
std::optional<bool> RollbackOf(const TargetRelease& release);

}  // namespace lockstep

#endif  // LOCKSTEP_ROLLBACK_H_
