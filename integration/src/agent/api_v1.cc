// GET and POST /v1/...: the device and its update.
#include <utility>

#include "agent/api_handlers.h"
#include "agent/app_requests.h"
#include "agent/device_state.h"
#include "agent/run_json.h"
#include "json_value.h"
#include "lock_view.h"
#include "plan_json.h"

namespace lockstep {
namespace {

ApiResponse NoContent() {
  ApiResponse response;
  response.status = 204;
  response.content_type.clear();
  return response;
}

void Update(ApiContext& context, const ApiRequest& request, ApiReply reply,
            const nlohmann::json& body) {
  UpdateRequest update;
  update.force = IsTrue(body, "force");
  update.cancel = IsTrue(body, "cancel");
  if (!request.scope.device) update.apps = {request.scope.app_uuid};
  context.look_now();
  // Before there is a target the source alone is asked.
  (void)context.control.Update(std::move(update));
  reply.Send(NoContent());
}

Handle Power(ApiContext& context, PowerAction action) {
  return WithBody([&context, action](ApiRequest request, ApiReply reply, nlohmann::json body) {
    AnswerPowerAction(context, std::move(reply), request.scope, IsTrue(body, "force"), action);
  });
}

void Healthy(ApiContext& context, ApiReply reply) {
  const auto problem = context.problem();
  if (problem) return reply.Send(ErrorResponse(500, *problem));
  // The run answers, or there is none yet that could.
  auto held = std::make_shared<ApiReply>(std::move(reply));
  context.control.View([held](const std::shared_ptr<const RunView>&) {
    ApiResponse ok;
    ok.content_type = "text/plain; charset=utf-8";
    ok.body = "OK";
    held->Send(std::move(ok));
  });
}

void Metrics(ApiContext& context, ApiReply reply) {
  auto held = std::make_shared<ApiReply>(std::move(reply));
  context.control.View([&context, held](std::shared_ptr<const RunView> view) {
    AnswerOnWorker(context, held, [&context, view = std::move(view)] {
      ApiResponse response;
      response.content_type = "text/plain; version=0.0.4; charset=utf-8";
      response.body = context.counters.Render(view.get());
      return response;
    });
  });
}

}  // namespace

std::vector<Route> RoutesV1(ApiContext& context) {
  constexpr auto kAnyKey = RouteAccess::kAnyKey;
  constexpr auto kDevice = RouteAccess::kDevice;
  constexpr auto kAppOfId = RouteAccess::kAppOfId;
  const auto answer_json = R"({"Data":"OK","Error":""})";
  const auto healthy = [&context](const ApiRequest&, ApiReply reply) {
    Healthy(context, std::move(reply));
  };
  return {
      {"POST", "/v1/update", kAnyKey,
       WithBody([&context](const ApiRequest& request, ApiReply reply, const nlohmann::json& body) {
         Update(context, request, std::move(reply), body);
       })},
      {"GET", "/v1/device", kAnyKey,
       Viewing(context,
               [&context](const RunView& view, const ApiRequest&) {
                 const auto device = context.device();
                 return Json(DeviceJson(view, device ? device->facts : DeviceInfo()));
               })},
      {"POST", "/v1/reboot", kAnyKey, Power(context, PowerAction::kReboot)},
      {"POST", "/v1/shutdown", kAnyKey, Power(context, PowerAction::kShutdown)},
      {"POST", "/v1/restart", kAnyKey,
       AppActionOfBody(context, {.kind = AppRequestKind::kRestart})},
      {"POST", "/v1/purge", kAnyKey,
       AppActionOfBody(context, {.kind = AppRequestKind::kPurge, .success = answer_json})},
      {"POST", "/v1/apps/:id/stop", kAppOfId,
       AppActionOfPath(context, {.kind = AppRequestKind::kStop})},
      {"POST", "/v1/apps/:id/start", kAppOfId,
       AppActionOfPath(context, {.kind = AppRequestKind::kStart, .needs_locks = false})},
      {"POST", "/v1/apps/:id/restart", kAppOfId,
       AppActionOfPath(context, {.kind = AppRequestKind::kRestart})},
      {"POST", "/v1/apps/:id/purge", kAppOfId,
       AppActionOfPath(context, {.kind = AppRequestKind::kPurge})},
      {"POST", "/v1/pause", kDevice,
       [&context](const ApiRequest&, ApiReply reply) {
         AnswerForEachApp(context, std::move(reply), AppRequestKind::kPause);
       }},
      {"POST", "/v1/resume", kDevice,
       [&context](const ApiRequest&, ApiReply reply) {
         AnswerForEachApp(context, std::move(reply), AppRequestKind::kResume);
       }},
      {"POST", "/v1/apps/:id/pause", kAppOfId,
       AppActionOfPath(context, {.kind = AppRequestKind::kPause, .needs_locks = false})},
      {"POST", "/v1/apps/:id/resume", kAppOfId,
       AppActionOfPath(context, {.kind = AppRequestKind::kResume, .needs_locks = false})},
      {"POST", "/v1/apps/:id/remove", kAppOfId,
       AppActionOfPath(context, {.kind = AppRequestKind::kRemove})},
      {"GET", "/v1/locks", kDevice,
       Viewing(context,
               [&context](const RunView& view, const ApiRequest&) {
                 return Json(LocksToJson(HoldersNow(context, view, {}), SystemClock().Now()));
               })},
      {"GET", "/v1/plan", kDevice,
       Viewing(context,
               [](const RunView& view, const ApiRequest&) {
                 auto plan = PlanToJson(view.plan);
                 AddRun(view, plan);
                 return Json(plan);
               })},
      {"GET", "/v1/status", kDevice,
       Viewing(context,
               [&context](const RunView& view, const ApiRequest&) {
                 return Json(RunToJson(view, {HoldersNow(context, view, {}),
                                              context.target_problem(), SystemClock().Now()}));
               })},
      {"GET", "/v1/events", kDevice,
       [&context](const ApiRequest&, ApiReply reply) {
         ApiResponse response;
         response.events = context.events;
         reply.Send(std::move(response));
       }},
      {"GET", "/v1/healthy", RouteAccess::kAnyone, healthy},
      {"GET", "/ping", RouteAccess::kAnyone, healthy},
      {"GET", "/metrics", kDevice,
       [&context](const ApiRequest&, ApiReply reply) { Metrics(context, std::move(reply)); }},
  };
}

}  // namespace lockstep
