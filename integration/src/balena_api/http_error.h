// What went wrong with an HTTP request, in plain words.
#ifndef LOCKSTEP_INTEGRATION_BALENA_API_HTTP_ERROR_H_
#define LOCKSTEP_INTEGRATION_BALENA_API_HTTP_ERROR_H_

#include <curl/curl.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "balena_api/http_request.h"
#include "lockstep/error.h"

namespace lockstep {

struct FailedTransfer {
  CURL* easy = nullptr;
  CURLcode code = CURLE_OK;
  std::string_view detail;  // CURLOPT_ERRORBUFFER; may be empty.
};

// Codes: see PerformHttp().
Error TransportError(const FailedTransfer& failed, const std::string& url,
                     const HttpRequest& request);
Error AnswerTooLong(const std::string& url, std::size_t max_bytes);
Error NoHttp(const std::string& url, std::string_view how);  // "what answers at URL <how>"
Error RedirectRefused(const std::string& from, const std::string& to);

// Whether a request with a secret may go from one to the other: to https, of the same host and
// port.
bool MayFollow(const std::string& from, const std::string& to);

struct Site {
  std::string scheme;
  std::string host;
  bool user = false;  // There is a user or a password in it.
  bool rest = false;  // There is a query or a fragment.
};
std::optional<Site> ReadSite(const std::string& url);  // None where it is no URL of HTTP.

// Scheme, host and port alone, for people: paths name devices.
std::string SiteOf(const std::string& url);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_BALENA_API_HTTP_ERROR_H_
