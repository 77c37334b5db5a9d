// Which handler answers which request.
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_ROUTE_TABLE_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_ROUTE_TABLE_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "http_api/api_message.h"
#include "http_api/api_reply.h"
#include "lockstep/result.h"

namespace lockstep {

// Who may use a route. Over the unix socket everybody may use all of them.
enum class RouteAccess {
  kAnyone,   // Without a key; one that is given is not looked at.
  kAnyKey,   // The handler asks the request's scope what else it may.
  kAppOfId,  // The device's key, or the one of the app that stands where the pattern says ":id".
  kDevice,   // The device's key.
};

struct Route {
  std::string method;   // "GET" answers HEAD, too.
  std::string pattern;  // "/v2/applications/:id/restart"; ":id" is one segment, not empty.
  RouteAccess access = RouteAccess::kDevice;
  // Called on the server's thread: it must not block, and either answers or keeps the reply.
  std::function<void(ApiRequest, ApiReply)> handle;
  std::size_t max_body_bytes = 1U << 20;
};

class RouteTable {
 public:
  // Errors: kInternal (a pattern that does not begin with "/", two routes for one request, access
  // by an ":id" that the pattern does not have, no handler).
  static Result<RouteTable> Make(std::vector<Route> routes);

  struct Match {
    const Route* route = nullptr;      // Owned by the table; none: nothing answers.
    TextMap params;                    // Where a route was found.
    std::vector<std::string> allowed;  // Where the path is known, but not with this method.
  };
  // Fixed segments win over ":id".
  Match Find(std::string_view method, std::string_view path) const;

  const std::vector<Route>& routes() const { return routes_; }

 private:
  explicit RouteTable(std::vector<Route> routes) : routes_(std::move(routes)) {}
  std::vector<Route> routes_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_ROUTE_TABLE_H_
