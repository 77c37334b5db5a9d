// From a request to its route: who it may be, where it comes from, what answers it.
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_API_ROUTER_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_API_ROUTER_H_

#include <string>
#include <vector>

#include "http_api/api_access.h"
#include "http_api/http_handler.h"
#include "http_api/route_table.h"

namespace lockstep {

// What it refuses, before any of the body is read, in this order: over TCP, and of a browser, a
// Host that is not ours (421) and what another site's page sends (403); an unknown path (404) or
// method (405); over TCP without a key, or with one that is wrong or opens something else (401), or
// too many wrong ones (429). Handlers see neither the Authorization field nor `?apikey`.
class ApiRouter final : public HttpHandler {
 public:
  // `access` outlives the router. `host_names`: by which clients may call this device, other than
  // by address and as localhost; without ports.
  ApiRouter(RouteTable routes, ApiAccess& access, std::vector<std::string> host_names);

  Admission Admit(ApiRequest& request) override;
  void Handle(ApiRequest request, ApiReply reply) override;

 private:
  const RouteTable routes_;
  ApiAccess& access_;
  const std::vector<std::string> host_names_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_API_ROUTER_H_
