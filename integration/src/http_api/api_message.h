// Requests and answers of the HTTP API, as values.
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_API_MESSAGE_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_API_MESSAGE_H_

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http_api/key_scope.h"
#include "lockstep/error.h"

namespace lockstep {

class EventStream;

using TextMap = std::map<std::string, std::string, std::less<>>;

// Who asks.
struct ApiPeer {
  enum class Kind { kUnix, kTcp };
  Kind kind = Kind::kUnix;
  uid_t uid = 0;        // Over the unix socket.
  std::string address;  // Over TCP: "192.0.2.1", "2001:db8::1".
  // What limits count by: the address, of IPv6 its network of 64 bits. Empty for the unix socket.
  std::string limit_key;
};

// As the client sent it, within bounds; nothing of it is trusted.
struct ApiRequest {
  std::string method;
  std::string path;  // Decoded. Begins with "/"; no NUL, no "." or ".." between slashes.
  TextMap query;     // Decoded; of a name that comes twice the first.
  TextMap headers;   // Names in lower case; fields of one name are joined by ", ".
  TextMap params;    // By the route: "id" -> what stood where its pattern says ":id".
  std::string body;
  ApiPeer peer;
  KeyScope scope;  // What it may do; all of the device where it came over the unix socket.

  // The header field's value; empty where there is none.
  std::string_view Header(std::string_view lower_case_name) const;
};

struct ApiResponse {
  int status = 200;
  std::string content_type = "application/json";  // Empty: none is sent.
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // More of them.
  // Where it is set, the answer is what this stream publishes from now on, without an end
  // (server-sent events); `body` and `content_type` do not count.
  std::shared_ptr<EventStream> events;
};

// {"error": {"code", "message", ...}}, as the command prints errors with --json.
ApiResponse ErrorResponse(int status, const Error& error);
// With the status that fits the code best: 400, 403, 404, 409, 500, 501, 502, 503, 504.
ApiResponse ErrorResponse(const Error& error);

// What is sent as header fields: Content-Type, the response's own, and what keeps browsers from
// guessing, framing or keeping an answer: `nosniff`, `no-store` unless the response says how long
// it may be kept, and for HTML a Content-Security-Policy (again unless there is one) and
// `X-Frame-Options: DENY`. Never an Access-Control field: no other site may read an answer.
std::vector<std::pair<std::string, std::string>> HeaderFields(const ApiResponse& response);

bool EqualsIgnoringCase(std::string_view a, std::string_view b);
std::string LowerCase(std::string_view text);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_API_MESSAGE_H_
