#include "flock_look.h"

#include <sys/stat.h>

namespace lockstep::lockfs {

const ProcLocks& FlockLook::Locks() {
  if (!locks_) locks_ = ProcLocks::Read(core_.options.host_root);
  return *locks_;
}

void FlockLook::Tell(const FileInfo& file, LockHolder& holder) {
  if (!S_ISREG(file.mode)) return;
  const bool flocked = Locks().IsFlocked(file.id);
  if (flocked) {
    holder.kind = LockKind::kFlock;
    holder.holder = Locks().DescribeHolder(file.id);
  }
  if (!Locks().whole() || core_.seams.in_pid_namespace) {
    if (!flocked && MayBeOfFlock(file)) {
      holder.notes.push_back(
          "holds: from inside a container nobody can tell whether flock(1) left it behind");
    }
    return;
  }
  switch (core_.flocks.Judge(holder.path, file, flocked, core_.seams.Now())) {
    case FlockHistory::Verdict::kLeftBehind:
      holder.held = false;
      holder.notes.push_back("left behind by flock(1): nobody holds it");
      break;
    case FlockHistory::Verdict::kUndecided:
      undecided_ = true;
      break;
    case FlockHistory::Verdict::kHeld:
      if (!flocked && MayBeOfFlock(file)) {
        holder.notes.push_back("no process has it flocked: if flock(1) left it behind, remove it");
      }
      break;
  }
}

}  // namespace lockstep::lockfs
