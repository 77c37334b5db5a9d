// Update locks as a table for people and as JSON. Pure.
#ifndef LOCKSTEP_INTEGRATION_LOCK_VIEW_H_
#define LOCKSTEP_INTEGRATION_LOCK_VIEW_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lockstep/lock.h"
#include "text.h"

namespace lockstep {

// `now`: what ages count to; one that would be negative is 0.
std::string RenderLocks(const std::vector<LockHolder>& locks, WallTime now, Style style);

// "web, db": who has these, as WhoHolds() says it of each.
std::string WhoHoldAll(const std::vector<LockHolder>& locks);

// An array with one object for each entry.
nlohmann::ordered_json LocksToJson(const std::vector<LockHolder>& locks, WallTime now);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_LOCK_VIEW_H_
