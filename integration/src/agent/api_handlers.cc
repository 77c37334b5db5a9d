#include "agent/api_handlers.h"

#include <cstdint>
#include <string>

namespace lockstep {

Handle Viewing(ApiContext& context,
               std::function<ApiResponse(const RunView&, const ApiRequest&)> of) {
  return [&context, of = std::move(of)](ApiRequest request, ApiReply reply) {
    request.body.clear();
    AnswerWithView(
        context, std::move(reply),
        [of, request = std::move(request)](const RunView& view) { return of(view, request); });
  };
}

Handle AppActionOfBody(ApiContext& context, AppAction action) {
  return WithBody([&context, action](ApiRequest request, ApiReply reply, nlohmann::json body) {
    const auto id = body.find("appId");
    std::string app;
    if (id != body.end() && id->is_number_integer()) app = std::to_string(id->get<std::int64_t>());
    if (id != body.end() && id->is_string()) app = id->get<std::string>();
    if (app.empty()) {
      return reply.Send(ErrorResponse(
          400, MakeError(ErrorCode::kInvalidInput, "the body names no app", "give its appId")));
    }
    AnswerAppAction(context, std::move(reply), request.scope, app, body, action);
  });
}

Handle AppActionOfPath(ApiContext& context, AppAction action) {
  return WithBody([&context, action](ApiRequest request, ApiReply reply, nlohmann::json body) {
    AnswerAppAction(context, std::move(reply), request.scope, request.params["id"], body, action);
  });
}

}  // namespace lockstep
