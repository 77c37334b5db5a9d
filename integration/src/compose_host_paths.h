// Paths of the host that a compose file names.
#ifndef LOCKSTEP_INTEGRATION_COMPOSE_HOST_PATHS_H_
#define LOCKSTEP_INTEGRATION_COMPOSE_HOST_PATHS_H_

#include <string>
#include <string_view>

#include "lockstep/value.h"

namespace lockstep {

// `path` from `directory` on, without "." and ".."; an absolute one as it is.
std::string PathFrom(const std::string& directory, std::string_view path);

// `volumes` of a service with the paths of the host made absolute: what begins with a dot from
// `directory` on, what begins with `~/` from `home` on (where it is not empty), and a `source` of
// type bind. All else, wrong or right, comes back as it is.
Value WithHostPaths(const Value& volumes, const std::string& directory, const std::string& home);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_COMPOSE_HOST_PATHS_H_
