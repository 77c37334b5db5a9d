// The ports of the host that a service asks for.
#ifndef LOCKSTEP_HOST_PORTS_H_
#define LOCKSTEP_HOST_PORTS_H_

#include <string>
#include <vector>

#include "lockstep/service_spec.h"

namespace lockstep {

struct HostPort {
  std::string address;  // Empty: every one.
  std::string number;
  std::string protocol;

  std::string ToString() const { return number + "/" + protocol; }
};

// Those whose number the specification fixes.
std::vector<HostPort> HostPortsOf(const ServiceSpec& spec);

// True where two containers cannot have them at once.
bool Overlap(const HostPort& a, const HostPort& b);

}  // namespace lockstep

#endif  // LOCKSTEP_HOST_PORTS_H_
