// Whether Lockstep itself runs in a container, and in which: that one it never stops.
#ifndef LOCKSTEP_INTEGRATION_OWN_CONTAINER_H_
#define LOCKSTEP_INTEGRATION_OWN_CONTAINER_H_

#include <string>
#include <string_view>

namespace lockstep {

// The id of the container that a process with this /proc/PID/mountinfo (proc(5)) runs in: engines
// mount its /etc/hostname from a directory of that name. Empty: in none.
std::string ContainerOfMounts(std::string_view mountinfo);

// Of this process.
std::string OwnContainer();

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_OWN_CONTAINER_H_
