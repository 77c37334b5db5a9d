// What a service asks for that only one container can have: ports of the host, fixed addresses.
#ifndef LOCKSTEP_CLAIMS_H_
#define LOCKSTEP_CLAIMS_H_

#include <string>
#include <vector>

#include "lockstep/service_spec.h"

namespace lockstep {

// "the host port 80/tcp", "the address 10.0.0.5 in front", "the MAC address 02:...": for messages,
// and to find who frees what another takes. Of ports the address of the host is left out.
std::vector<std::string> ClaimsOf(const ServiceSpec& spec);

// One that both cannot have at once; empty where there is none. Two ports on different addresses of
// the host do not collide.
std::string CommonClaim(const ServiceSpec& a, const ServiceSpec& b);

}  // namespace lockstep

#endif  // LOCKSTEP_CLAIMS_H_
