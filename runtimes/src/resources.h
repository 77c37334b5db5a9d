// Networks and volumes: from a definition to what the engine is asked for, and back.
#ifndef LOCKSTEP_RUNTIMES_RESOURCES_H_
#define LOCKSTEP_RUNTIMES_RESOURCES_H_

#include "json_read.h"
#include "lockstep/observed_state.h"
#include "lockstep/runtime_backend.h"

namespace lockstep::docker {

Json NetworkRequest(const NetworkSpec& spec);  // POST /networks/create
Json VolumeRequest(const VolumeSpec& spec);    // POST /volumes/create

// One entry of GET /networks and of the list in GET /volumes.
ObservedNetwork ReadNetwork(const Json& json);
ObservedVolume ReadVolume(const Json& json);

// Whether a network or volume that was found is one of the app that `owner` names. By the id where
// it does not say the uuid.
template <typename Observed, typename Owner>
bool IsOfApp(const Observed& found, const Owner& owner) {
  const bool same_id =
      !owner.app_id.empty() && found.app_id == owner.app_id && found.app == found.app_id;
  return found.owned && (found.app == owner.app || same_id);
}

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_RESOURCES_H_
