// What a request line asks for: path and query, decoded (RFC 3986, and for the query the
// application/x-www-form-urlencoded of the WHATWG URL standard).
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_REQUEST_TARGET_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_REQUEST_TARGET_H_

#include <string>
#include <string_view>

#include "http_api/api_message.h"
#include "lockstep/result.h"

namespace lockstep {

struct RequestTarget {
  std::string path;
  TextMap query;
};

// Of the origin form only ("/path?query"). Errors: kInvalidInput, with words for the client:
// another form; bytes that are no UTF-8 or are control characters when decoded; "%" without two
// digits; in the path also "." and "..", a backslash and an encoded "/", which others might read
// otherwise.
Result<RequestTarget> ParseRequestTarget(std::string_view raw);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_REQUEST_TARGET_H_
