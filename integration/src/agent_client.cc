#include "agent_client.h"

#include <utility>

#include "balena_api/http_request.h"
#include "json_value.h"

namespace lockstep {

Result<AgentAnswer> PostToAgent(const std::string& socket, const std::string& path,
                                const nlohmann::ordered_json& body, std::stop_token stop) {
  HttpRequest request;
  request.method = "POST";
  request.url = "http://localhost" + path;
  request.unix_socket = socket;
  request.headers = {"Content-Type: application/json"};
  request.body = Dump(body);
  LOCKSTEP_TRY(HttpReply reply, PerformHttp(request, std::move(stop)));
  return AgentAnswer{reply.status, std::move(reply.body)};
}

std::string PathSegment(const std::string& text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string segment;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '~';
    if (plain) {
      segment += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    segment += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return segment;
}

Error ErrorOf(const AgentAnswer& answer) {
  std::string message = "it answered with status " + std::to_string(answer.status);
  std::string hint = "look at its log";
  const auto body = nlohmann::json::parse(answer.body, nullptr, false);
  const auto text = [](const nlohmann::json& in, const char* name) -> const std::string* {
    const auto it = in.find(name);
    return it == in.end() ? nullptr : it->get_ptr<const std::string*>();
  };
  if (body.is_object()) {
    if (const std::string* said = text(body, "message")) message = *said;
    if (const auto error = body.find("error"); error != body.end() && error->is_object()) {
      if (const std::string* said = text(*error, "message")) message = *said;
      if (const std::string* said = text(*error, "hint")) hint = *said;
    }
  }
  const ErrorCode code = answer.status == 404   ? ErrorCode::kNotFound
                         : answer.status == 400 ? ErrorCode::kInvalidInput
                                                : ErrorCode::kUnavailable;
  return MakeError(code, std::move(message), std::move(hint));
}

}  // namespace lockstep
