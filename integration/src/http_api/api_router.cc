#include "http_api/api_router.h"

#include <string_view>
#include <utility>

#include "http_api/site_guard.h"

namespace lockstep {
namespace {

using Admission = HttpHandler::Admission;

Admission Refuse(int status, ErrorCode code, std::string message, std::string hint,
                 std::vector<std::pair<std::string, std::string>> headers = {}) {
  Admission admission;
  admission.refusal = ErrorResponse(status, MakeError(code, std::move(message), std::move(hint)));
  admission.refusal->headers = std::move(headers);
  return admission;
}

Admission WrongMethod(const RouteTable::Match& match) {
  std::string allowed;
  for (const std::string& method : match.allowed) {
    allowed.append(allowed.empty() ? "" : ", ").append(method);
  }
  return Refuse(405, ErrorCode::kUnsupported, "this path does not know this method",
                "use " + allowed, {{"Allow", allowed}});
}

bool Opens(const KeyScope& scope, const Route& route, const TextMap& params) {
  switch (route.access) {
    case RouteAccess::kAnyone:
    case RouteAccess::kAnyKey:
      return true;
    case RouteAccess::kAppOfId:
      return scope.Covers(params.find("id")->second);  // Make() saw to it that there is one.
    case RouteAccess::kDevice:
      break;
  }
  return scope.device;
}

}  // namespace

ApiRouter::ApiRouter(RouteTable routes, ApiAccess& access, std::vector<std::string> host_names)
    : routes_(std::move(routes)), access_(access), host_names_(std::move(host_names)) {}

Admission ApiRouter::Admit(ApiRequest& request) {
  const bool over_tcp = request.peer.kind == ApiPeer::Kind::kTcp;
  // Somebody may forward a port to the unix socket: then pages come there as well.
  const bool from_page =
      !request.Header("origin").empty() || !request.Header("sec-fetch-site").empty();
  const bool guarded = over_tcp || from_page;
  if (guarded && !IsOwnHost(request.Header("host"), host_names_)) {
    return Refuse(421, ErrorCode::kPermissionDenied,
                  "the Host field of the request is no name of this device",
                  "call it by its address or as localhost, or add the name to its configuration");
  }
  if (guarded) {
    if (const std::string_view why = CrossSiteRefusal(request); !why.empty()) {
      return Refuse(403, ErrorCode::kPermissionDenied, std::string(why),
                    "send it from a program, or from a page of this device");
    }
  }
  RouteTable::Match match = routes_.Find(request.method, request.path);
  if (match.route == nullptr && !match.allowed.empty()) return WrongMethod(match);
  if (match.route == nullptr) {
    return Refuse(404, ErrorCode::kNotFound, "there is no such path", "look at its spelling");
  }
  request.scope = {};
  if (!over_tcp) {
    request.scope.device = true;
  } else if (match.route->access != RouteAccess::kAnyone) {
    const std::string_view key = KeyOf(request);
    const ApiAccess::Answer answer =
        key.empty() ? ApiAccess::Answer() : access_.Check(key, request.peer.limit_key);
    if (answer.verdict == ApiAccess::Verdict::kTooManyWrong) {
      return Refuse(429, ErrorCode::kUnavailable, "too many wrong API keys from this address",
                    "use the right key",
                    {{"Retry-After", std::to_string(answer.retry_after.count())}});
    }
    if (answer.verdict == ApiAccess::Verdict::kNotYetKnown) {
      return Refuse(503, ErrorCode::kUnavailable, "not every API key is known yet",
                    "ask again in a moment", {{"Retry-After", "5"}});
    }
    if (answer.verdict == ApiAccess::Verdict::kWrong) {
      return Refuse(401, ErrorCode::kPermissionDenied,
                    key.empty() ? "this needs an API key" : "the API key is wrong",
                    "send \"Authorization: Bearer KEY\"", {{"WWW-Authenticate", "Bearer"}});
    }
    request.scope = answer.scope;
  }
  if (!Opens(request.scope, *match.route, match.params)) {
    // Not 403: clients of balena-supervisor know 401 for it.
    return Refuse(401, ErrorCode::kPermissionDenied, "the API key is for something else",
                  "use the device's key, or the key of this app");
  }
  request.params = std::move(match.params);
  request.headers.erase("authorization");
  request.query.erase("apikey");
  Admission admission;
  admission.max_body_bytes = match.route->max_body_bytes;
  return admission;
}

void ApiRouter::Handle(ApiRequest request, ApiReply reply) {
  // Found again, since Admit() found it.
  const Route* const route = routes_.Find(request.method, request.path).route;
  if (route != nullptr) route->handle(std::move(request), std::move(reply));
}

}  // namespace lockstep
