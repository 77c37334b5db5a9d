// The exit statuses of the command: scripts rely on them.
#ifndef LOCKSTEP_INTEGRATION_EXIT_STATUS_H_
#define LOCKSTEP_INTEGRATION_EXIT_STATUS_H_

namespace lockstep {

enum ExitStatus : int {
  kExitOk = 0,         // Done, or in sync.
  kExitError = 1,      // Also a time-out, but for one that passed while held.
  kExitUsage = 2,      // The command line is wrong.
  kExitHeld = 3,       // Waits for an update lock.
  kExitUnhealthy = 4,  // Applied, but services did not become healthy; or gone back for that.
  kExitChanges = 5,    // plan --detailed-exitcode: changes are ready.
  kExitBlocked = 6,    // The target of an app cannot be planned.
  kExitInterrupted = 130,
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_EXIT_STATUS_H_
