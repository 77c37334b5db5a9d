// Keeps web pages away from the API: a browser on the device's network sends what any page tells it
// to. Both rules are for TCP; no page reaches a unix socket.
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_SITE_GUARD_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_SITE_GUARD_H_

#include <string>
#include <string_view>
#include <vector>

#include "http_api/api_message.h"

namespace lockstep {

// Against DNS rebinding: true where the Host field is an IP address, `localhost`, or one of `names`
// (case does not matter), with or without a port. A page that was loaded by any other name is not
// ours.
bool IsOwnHost(std::string_view host, const std::vector<std::string>& names);

// Against requests that another site's page makes. Of a request that may change something (all but
// GET, HEAD and OPTIONS) why it is refused, in words for the client; empty where it is not:
// `Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/) says that it comes from elsewhere;
// `Origin` is there and is not this host; or `Origin` is there and the content type is one that a
// plain form sends. Programs send neither field, so they are not concerned.
std::string_view CrossSiteRefusal(const ApiRequest& request);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_SITE_GUARD_H_
