// What the handlers of the API work with.
#ifndef LOCKSTEP_INTEGRATION_AGENT_API_CONTEXT_H_
#define LOCKSTEP_INTEGRATION_AGENT_API_CONTEXT_H_

#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agent/api_worker.h"
#include "agent/counters.h"
#include "http_api/api_message.h"
#include "http_api/api_reply.h"
#include "http_api/event_stream.h"
#include "http_api/route_table.h"
#include "lockstep/device_info.h"
#include "lockstep/host_control.h"
#include "lockstep/lock_fs.h"
#include "lockstep/run_control.h"
#include "target_file.h"

namespace lockstep {

// Of a device that is open: what an API that was there before it could not use.
struct ApiDevice {
  LockFs& locks;
  HostControl& host;
  DeviceInfo facts;
};

struct ApiContext {
  RunControl& control;
  Counters& counters;
  std::shared_ptr<EventStream> events;
  std::function<void()> look_now;                 // Asks the target's source.
  std::function<Result<void>(std::string)> push;  // A target as text; empty: not in this mode.
  std::function<std::optional<Error>()> problem;  // Why the agent is not at work; none: it is.
  std::function<std::optional<Error>()> target_problem;      // Why no newer target could be had.
  std::function<std::shared_ptr<const ApiDevice>()> device;  // Null until it is open.
  ApiWorker& worker;
};

using Render = std::function<ApiResponse(const RunView&)>;

// Answers with what `render` makes of a view of the run, on the worker's thread; 503 where there is
// none.
void AnswerWithView(ApiContext& context, ApiReply reply, Render render);

// Sends what `answer` says on the worker's thread; 503 where too many wait for it. A reply is sent
// once.
void AnswerOnWorker(ApiContext& context, std::shared_ptr<ApiReply> reply,
                    std::function<ApiResponse()> answer);

ApiResponse JsonResponse(int status, const std::string& body);

// The request's body as an object; an empty body is one without members. Error: kInvalidInput.
Result<nlohmann::json> BodyOf(const ApiRequest& request);
// Truthy as clients of balena-supervisor write it: true, 1, "true", "1", "on".
bool IsTrue(const nlohmann::json& object, const char* name);

// All routes of the agent; `context` outlives them.
std::vector<Route> AgentRoutes(ApiContext& context);
std::vector<Route> RoutesV1(ApiContext& context);
std::vector<Route> RoutesV2(ApiContext& context);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_API_CONTEXT_H_
