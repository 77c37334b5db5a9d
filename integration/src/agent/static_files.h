// What the API serves as it is: built in, so that the program is one file.
#ifndef LOCKSTEP_INTEGRATION_AGENT_STATIC_FILES_H_
#define LOCKSTEP_INTEGRATION_AGENT_STATIC_FILES_H_

#include <string_view>

namespace lockstep {

extern const std::string_view kStatusPage;  // agent/status_page.html
extern const std::string_view kOpenApi;     // agent/openapi.json

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_STATIC_FILES_H_
