#include "agent/api_context.h"

#include <utility>

namespace lockstep {

void AnswerWithView(ApiContext& context, ApiReply reply, Render render) {
  // What std::function holds must be copied; a reply is sent once.
  auto held = std::make_shared<ApiReply>(std::move(reply));
  context.control.View(
      [&context, held, render = std::move(render)](std::shared_ptr<const RunView> view) {
        if (!view) {
          auto problem = context.problem();
          if (!problem) problem = context.target_problem();
          return held->Send(
              ErrorResponse(503, problem ? *problem
                                         : MakeError(ErrorCode::kUnavailable,
                                                     "no target is known yet", "ask again later")));
        }
        AnswerOnWorker(context, held, [render, view = std::move(view)] { return render(*view); });
      });
}

void AnswerOnWorker(ApiContext& context, std::shared_ptr<ApiReply> reply,
                    std::function<ApiResponse()> answer) {
  const bool posted =
      context.worker.Post([reply, answer = std::move(answer)] { reply->Send(answer()); });
  if (posted) return;
  reply->Send(ErrorResponse(
      503, MakeError(ErrorCode::kUnavailable, "too many requests wait", "ask again later")));
}

ApiResponse JsonResponse(int status, const std::string& body) {
  ApiResponse response;
  response.status = status;
  response.body = body;
  return response;
}

Result<nlohmann::json> BodyOf(const ApiRequest& request) {
  if (request.body.empty()) return nlohmann::json::object();
  auto body = nlohmann::json::parse(request.body, nullptr, false);
  if (!body.is_object()) {
    return MakeError(ErrorCode::kInvalidInput, "the body is no JSON object",
                     "send one, such as {\"force\": true}");
  }
  return body;
}

bool IsTrue(const nlohmann::json& object, const char* name) {
  const auto it = object.find(name);
  if (it == object.end()) return false;
  if (it->is_boolean()) return it->get<bool>();
  if (it->is_number()) return it->get<double>() != 0;
  const auto* text = it->get_ptr<const std::string*>();
  return text != nullptr && (*text == "true" || *text == "1" || *text == "on");
}

}  // namespace lockstep
