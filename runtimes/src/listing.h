// From the engine's lists to observed things.
#ifndef LOCKSTEP_RUNTIMES_LISTING_H_
#define LOCKSTEP_RUNTIMES_LISTING_H_

#include <string_view>

#include "json_read.h"
#include "lockstep/observed_state.h"

namespace lockstep::docker {

// The replies of GET /containers/json, /images/json, /networks and /volumes. Fills `state` with all
// that they tell: for an owned container its attachments and lock directory too.
void ReadLists(const Json& containers, const Json& images, const Json& networks,
               const Json& volumes, EngineState& state);

// What the engine says in words: "Up 3 minutes (healthy)", "Exited (137) 2 hours ago".
Health HealthInStatus(std::string_view status);
int ExitCodeInStatus(std::string_view status);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_LISTING_H_
