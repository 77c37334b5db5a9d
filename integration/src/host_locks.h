// The update locks of this device.
#ifndef LOCKSTEP_INTEGRATION_HOST_LOCKS_H_
#define LOCKSTEP_INTEGRATION_HOST_LOCKS_H_

#include <memory>

#include "lockstep/lock_fs.h"
#include "lockstep/result.h"
#include "options.h"

namespace lockstep {

// Below --locks-root; on OS 1.X, and nowhere else, those beside the data of apps as well. Errors:
// those of OpenHostLockFs.
Result<std::unique_ptr<LockFs>> OpenLocks(const CommonOptions& options);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HOST_LOCKS_H_
