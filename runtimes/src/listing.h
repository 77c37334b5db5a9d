// From the engine's lists to observed things.
#ifndef LOCKSTEP_RUNTIMES_LISTING_H_
#define LOCKSTEP_RUNTIMES_LISTING_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "json_read.h"
#include "lockstep/observed_state.h"

namespace lockstep::docker {

using ImageLabels = std::map<std::string, Labels>;  // By image id.

// The images of containers that carry an app's labels, as far as `images` does not list them: the
// parent of another image that lost its tag, or one removed by force. What labels they have must be
// known to tell whose the container is.
std::vector<std::string> UnlistedImages(const Json& containers, const Json& images);

// The replies of GET /containers/json, /images/json, /networks and /volumes. Fills `state` with all
// that they tell: for an owned container its attachments and lock directory too. `unlisted` has the
// labels of further images; a container whose image is nowhere is not owned.
void ReadLists(const Json& containers, const Json& images, const Json& networks,
               const Json& volumes, ImageLabels unlisted, EngineState& state);

// What the engine says in words: "Up 3 minutes (healthy)", "Exited (137) 2 hours ago".
Health HealthInStatus(std::string_view status);
int ExitCodeInStatus(std::string_view status);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_LISTING_H_
