// `with-lock`: runs a command under the update lock of a service, inside the service's container.
//
// The lock is a file that appears whole, empty and already flocked, as flock(1) would have it had
// it no race, and that goes when the command ends. The command inherits the flock: should this
// program be killed, the lock lasts as long as the command, and then the host can prove that
// nobody is left.
//
// POSIX alone, so that a static build is small enough to copy into any container.
#ifndef LOCKSTEP_LOCKFS_WITH_LOCK_WITH_LOCK_H_
#define LOCKSTEP_LOCKFS_WITH_LOCK_WITH_LOCK_H_

namespace lockstep {

// Blocks until the command has ended and returns its exit status, 128 + n where a signal n ended
// it; else, as the exit statuses of `lockstep` are: 1 an error, 2 a wrong command line, 3 the lock
// is held by another; 126 or 127 where the command cannot be run. What it says goes to standard
// error. Blocks signals of the process and forwards those that come to the command: call it from
// main(), with no other thread. argv[0] names the program in messages.
int WithLockMain(int argc, char** argv);

}  // namespace lockstep

#endif  // LOCKSTEP_LOCKFS_WITH_LOCK_WITH_LOCK_H_
