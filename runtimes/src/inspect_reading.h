// From what the engine reports of one container to a specification.
#ifndef LOCKSTEP_RUNTIMES_INSPECT_READING_H_
#define LOCKSTEP_RUNTIMES_INSPECT_READING_H_

#include <string>

#include "engine_names.h"
#include "json_read.h"
#include "lockstep/service_spec.h"

namespace lockstep::docker {

// `container` and `image` are replies of GET /containers/<id>/json and /images/<id>/json. What the
// image says already, what Lockstep adds to every container and what an engine does by default is
// left out. `shared_service`: the service whose current container gives this one its network; empty
// where there is none.
ServiceSpec ReadSpec(const Json& container, const Json& image, const AppNames& names,
                     const std::string& service, const std::string& shared_service);

// "no", "always", "unless-stopped", "on-failure[:n]".
std::string ReadRestartPolicy(const Json& container);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_INSPECT_READING_H_
