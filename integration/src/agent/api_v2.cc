// GET and POST /v2/...: what clients of balena-supervisor ask for.
#include <memory>
#include <utility>

#include "agent/api_handlers.h"
#include "agent/app_requests.h"
#include "agent/device_state.h"

namespace lockstep {

std::vector<Route> RoutesV2(ApiContext& context) {
  constexpr auto kAppOfId = RouteAccess::kAppOfId;
  const auto service = [&](AppRequestKind kind) {
    return AppActionOfPath(
        context,
        {.kind = kind, .needs_locks = kind != AppRequestKind::kStart, .needs_service = true});
  };
  return {
      {"GET", "/v2/state/status", RouteAccess::kAnyKey,
       Viewing(context,
               [](const RunView& view, const ApiRequest& request) {
                 return Json(StateStatusJson(view, request.scope));
               })},
      {"GET", "/v2/applications/state", RouteAccess::kAnyKey,
       Viewing(context,
               [](const RunView& view, const ApiRequest& request) {
                 return Json(ApplicationsJson(view, request.scope));
               })},
      {"POST", "/v2/applications/:id/restart-service", kAppOfId, service(AppRequestKind::kRestart)},
      {"POST", "/v2/applications/:id/stop-service", kAppOfId, service(AppRequestKind::kStop)},
      {"POST", "/v2/applications/:id/start-service", kAppOfId, service(AppRequestKind::kStart)},
      {"POST", "/v2/applications/:id/restart", kAppOfId,
       AppActionOfPath(context, {.kind = AppRequestKind::kRestart})},
      {"POST", "/v2/applications/:id/purge", kAppOfId,
       AppActionOfPath(context, {.kind = AppRequestKind::kPurge})},
      {"POST", "/v2/local/target-state", RouteAccess::kDevice,
       [&context](ApiRequest request, ApiReply reply) {
         if (!context.push) {
           return reply.Send(ErrorResponse(
               400, MakeError(ErrorCode::kUnsupported, "targets come from elsewhere here",
                              "run the agent with --source push")));
         }
         AnswerOnWorker(context, std::make_shared<ApiReply>(std::move(reply)),
                        [&context, text = std::move(request.body)] {
                          auto pushed = context.push(text);
                          return pushed
                                     ? JsonResponse(200, R"({"status":"success","message":"OK"})")
                                     : ErrorResponse(400, std::move(pushed).assume_error());
                        });
       },
       std::size_t{64} << 20},
      {"GET", "/v2/version", RouteAccess::kAnyKey,
       [](const ApiRequest&, ApiReply reply) {
         nlohmann::ordered_json body;
         body["status"] = "success";
         body["version"] = kSupervisorVersion;
         reply.Send(Json(body));
       }},
  };
}

}  // namespace lockstep
