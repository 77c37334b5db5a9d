// What answers the requests of an HttpServer.
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_HTTP_HANDLER_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_HTTP_HANDLER_H_

#include <cstddef>
#include <optional>

#include "http_api/api_message.h"
#include "http_api/api_reply.h"

namespace lockstep {

// Both methods are called on the server's one thread, and must not block: every client would wait.
class HttpHandler {
 public:
  HttpHandler() = default;
  HttpHandler(const HttpHandler&) = delete;
  HttpHandler& operator=(const HttpHandler&) = delete;
  virtual ~HttpHandler() = default;

  struct Admission {
    std::optional<ApiResponse> refusal;  // Where it is set, no body is read and this is the answer.
    std::size_t max_body_bytes = 0;      // A longer one is answered with 413.
  };
  // The head of a request is here, its body is not. What it changes of `request` is what Handle()
  // is given.
  virtual Admission Admit(ApiRequest& request) = 0;

  // The request is whole.
  virtual void Handle(ApiRequest request, ApiReply reply) = 0;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_HTTP_HANDLER_H_
