// What a process that sleeps for months need not keep.
#ifndef LOCKSTEP_INTEGRATION_AGENT_RESTING_MEMORY_H_
#define LOCKSTEP_INTEGRATION_AGENT_RESTING_MEMORY_H_

namespace lockstep {

// Gives free heap back to the system, and lets go of the pages of program code: they come back from
// the page cache, or the disk, when they are run again. Some milliseconds.
void GiveMemoryBack();

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_RESTING_MEMORY_H_
