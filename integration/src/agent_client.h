// Asking an agent that runs, over its unix socket.
#ifndef LOCKSTEP_INTEGRATION_AGENT_CLIENT_H_
#define LOCKSTEP_INTEGRATION_AGENT_CLIENT_H_

#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>

#include "lockstep/result.h"

namespace lockstep {

struct AgentAnswer {
  long status = 0;
  std::string body;
};

// POST `path` with `body`. Errors: those of PerformHttp; what the agent answers is no error.
Result<AgentAnswer> PostToAgent(const std::string& socket, const std::string& path,
                                const nlohmann::ordered_json& body, std::stop_token stop);

// As it stands in a URL's path.
std::string PathSegment(const std::string& text);

// What went wrong, in the agent's words.
Error ErrorOf(const AgentAnswer& answer);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_CLIENT_H_
