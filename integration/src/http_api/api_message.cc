#include "http_api/api_message.h"

#include <algorithm>

#include "error_json.h"
#include "json_value.h"

namespace lockstep {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

int StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidInput:
    case ErrorCode::kInvalidTarget:
      return 400;
    case ErrorCode::kPermissionDenied:
      return 403;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kConflict:
    case ErrorCode::kDefunct:
    case ErrorCode::kAnotherOrchestrator:
      return 409;
    case ErrorCode::kUnsupported:
      return 501;
    case ErrorCode::kBadReply:
      return 502;
    case ErrorCode::kUnavailable:
    case ErrorCode::kCancelled:
    case ErrorCode::kNoSpace:
      return 503;
    case ErrorCode::kDeadlineExceeded:
      return 504;
    case ErrorCode::kUnsafeLockRoot:
    case ErrorCode::kInternal:
      break;
  }
  return 500;
}

// For one page that brings its own scripts and styles, and asks nobody but this server.
constexpr char kContentSecurityPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

}  // namespace

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

std::string LowerCase(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), Lower);
  return out;
}

std::string_view ApiRequest::Header(std::string_view lower_case_name) const {
  const auto field = headers.find(lower_case_name);
  return field == headers.end() ? std::string_view() : std::string_view(field->second);
}

ApiResponse ErrorResponse(int status, const Error& error) {
  ApiResponse response;
  response.status = status;
  response.body = Dump(ErrorDocument(error)) + "\n";
  return response;
}

ApiResponse ErrorResponse(const Error& error) { return ErrorResponse(StatusOf(error.code), error); }

std::vector<std::pair<std::string, std::string>> HeaderFields(const ApiResponse& response) {
  std::vector<std::pair<std::string, std::string>> fields;
  const auto has = [&](std::string_view name) {
    return std::any_of(fields.begin(), fields.end(),
                       [&](const auto& field) { return EqualsIgnoringCase(field.first, name); });
  };
  const std::string type = response.events ? "text/event-stream" : response.content_type;
  if (!type.empty()) fields.emplace_back("Content-Type", type);
  for (const auto& [name, value] : response.headers) {
    if (!LowerCase(name).starts_with("access-control-")) fields.emplace_back(name, value);
  }
  if (!has("X-Content-Type-Options")) fields.emplace_back("X-Content-Type-Options", "nosniff");
  if (!has("Cache-Control")) fields.emplace_back("Cache-Control", "no-store");
  if (LowerCase(type).starts_with("text/html")) {
    if (!has("Content-Security-Policy")) {
      fields.emplace_back("Content-Security-Policy", kContentSecurityPolicy);
    }
    if (!has("X-Frame-Options")) fields.emplace_back("X-Frame-Options", "DENY");
  }
  return fields;
}

}  // namespace lockstep
