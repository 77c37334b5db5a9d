// What the routes of the API have in common.
#ifndef LOCKSTEP_INTEGRATION_AGENT_API_HANDLERS_H_
#define LOCKSTEP_INTEGRATION_AGENT_API_HANDLERS_H_

#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/api_context.h"
#include "agent/app_requests.h"
#include "json_value.h"

namespace lockstep {

using Handle = std::function<void(ApiRequest, ApiReply)>;

inline ApiResponse Json(const nlohmann::ordered_json& body) {
  return JsonResponse(200, Dump(body));
}

// A handler that is given the body as an object.
template <typename F>
Handle WithBody(F handle) {
  return [handle](ApiRequest request, ApiReply reply) {
    auto body = BodyOf(request);
    if (!body) return reply.Send(ErrorResponse(400, std::move(body).assume_error()));
    handle(std::move(request), std::move(reply), std::move(body).assume_value());
  };
}

// Answers with what `of` makes of a view of the run.
Handle Viewing(ApiContext& context,
               std::function<ApiResponse(const RunView&, const ApiRequest&)> of);

// The action on the app that the body's `appId` names, or the path's `:id`.
Handle AppActionOfBody(ApiContext& context, AppAction action);
Handle AppActionOfPath(ApiContext& context, AppAction action);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_API_HANDLERS_H_
