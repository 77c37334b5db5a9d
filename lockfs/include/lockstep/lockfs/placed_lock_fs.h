// Another scheme of locks by a few lines: which directory has the locks of which service.
#ifndef LOCKSTEP_LOCKFS_PLACED_LOCK_FS_H_
#define LOCKSTEP_LOCKFS_PLACED_LOCK_FS_H_

#include <functional>
#include <memory>
#include <optional>

#include "lockstep/lock_fs.h"

namespace lockstep {

// Both pure, thread-safe, and always of the same answer.
struct LockPlacement {
  // Where the locks of a service are: in whose directory. Several services may share one, such as
  // all those of an app: {service.app, service.app_dir, "app"}.
  std::function<ServiceRef(const ServiceRef& service)> place_of;
  // For List: whose locks are at a place (`service` empty: those of a whole app); none: nobody's,
  // whatever lies there. Null: List tells of places.
  std::function<std::optional<ServiceRef>(const ServiceRef& place)> service_at = nullptr;
};

// `locks` with the directories that `placement` says, for everything that speaks of services:
// holders are told as those of the first service asked for that has its locks there. As LockFs
// says, but for Forget, which removes nothing: others may share the place.
std::unique_ptr<LockFs> PlaceLocks(std::unique_ptr<LockFs> locks, LockPlacement placement);

}  // namespace lockstep

#endif  // LOCKSTEP_LOCKFS_PLACED_LOCK_FS_H_
