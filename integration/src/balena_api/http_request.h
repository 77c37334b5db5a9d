// One HTTP request to a backend on the internet, blocking and cancellable.
#ifndef LOCKSTEP_INTEGRATION_BALENA_API_HTTP_REQUEST_H_
#define LOCKSTEP_INTEGRATION_BALENA_API_HTTP_REQUEST_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "lockstep/result.h"

namespace lockstep {

struct HttpRequest {
  std::string method = "GET";
  std::string url;                               // http:// or https://
  std::string unix_socket;                       // Where that is; empty: by the URL's host.
  std::string bearer;                            // Secret, for `Authorization`; empty: none.
  std::vector<std::string> headers;              // "Name: value"
  std::string body;                              // Sent where the method is not GET.
  std::string ca_file;                           // PEM; empty: the authorities of the system.
  std::size_t max_body = std::size_t{64} << 20;  // Of the answer.
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(30);
  std::chrono::milliseconds timeout = std::chrono::seconds(120);  // Of all of it.
};

struct HttpReply {
  long status = 0;
  std::string body;
  std::string etag;         // Empty where there is none.
  std::string retry_after;  // As it was sent.
  std::string date;
  std::string content_type;
};

// Any status is a reply, but a redirect that is not followed. Redirects are followed for GET, 3 at
// most, to https of the same host and port only. Certificates are verified. Proxies of the
// environment (https_proxy, no_proxy) are used.
//
// Errors name the address and never what is secret: kUnavailable (no way there, or the connection
// broke), kDeadlineExceeded, kCancelled (within a moment of a stop request), kPermissionDenied (its
// certificate is not accepted), kBadReply (no HTTP, a redirect elsewhere, an answer longer than
// allowed), kInvalidInput (the URL or ca_file), kNoSpace (memory).
Result<HttpReply> PerformHttp(const HttpRequest& request, std::stop_token stop);

using HttpFunction = std::function<Result<HttpReply>(const HttpRequest&, std::stop_token)>;

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_BALENA_API_HTTP_REQUEST_H_
