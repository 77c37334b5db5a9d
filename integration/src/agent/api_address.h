// Where containers find the API.
#ifndef LOCKSTEP_INTEGRATION_AGENT_API_ADDRESS_H_
#define LOCKSTEP_INTEGRATION_AGENT_API_ADDRESS_H_

#include <string>

#include "agent/agent_options.h"

namespace lockstep {

struct ApiAddress {
  std::string host;  // Both empty: containers cannot reach it.
  std::string port;
};

// By the options; where they say to listen everywhere, the address of the first of the bridges
// supervisor0 (which balena-supervisor made), balena0 and docker0 that is there.
ApiAddress FindApiAddress(const AgentOptions& options);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_API_ADDRESS_H_
