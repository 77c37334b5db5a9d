// HTTP/1.1 to one peer, blocking and cancellable. Private to the room.
#ifndef LOCKSTEP_RUNTIMES_HTTP_CLIENT_H_
#define LOCKSTEP_RUNTIMES_HTTP_CLIENT_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine_address.h"
#include "lockstep/result.h"

namespace lockstep::docker {

struct HttpRequest {
  std::string method = "GET";
  std::string path;                      // With the query, escaped.
  std::string body;                      // JSON; may be empty.
  std::vector<std::string> headers;      // "Name: value", besides those that every request has.
  std::chrono::milliseconds timeout{0};  // Of the whole exchange; 0: none.
  std::size_t max_body = std::size_t{64} << 20;
  // Takes the body of a reply with status 200 piece by piece, in place of HttpReply::body. False
  // ends the exchange there, which is no error.
  std::function<bool(std::string_view piece)> on_data;
  // Told once the head of a reply with status 200 has come, before any of its body.
  std::function<void()> on_open;
  // For a stream, whose silence means nothing once it stands: of the time until on_open is told; 0:
  // none.
  std::chrono::milliseconds open_timeout{0};
  // Asked about once a second; an error ends the exchange with it.
  std::function<std::optional<Error>()> watchdog;
};

struct HttpReply {
  long status = 0;
  std::string body;
};

// Thread-safe. Keeps a few connections open for the next calls.
class HttpClient {
 public:
  // `connect_timeout`: until a connection stands, TLS included; within the time-out of the call.
  explicit HttpClient(EngineAddress address,
                      std::chrono::milliseconds connect_timeout = std::chrono::seconds(10));
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  const EngineAddress& address() const { return address_; }

  // Any status is a reply but a redirect, which is never followed. Errors: kUnavailable,
  // kPermissionDenied (the socket), kDeadlineExceeded, kCancelled, kBadReply (no HTTP, a redirect,
  // headers or a body longer than allowed), those of tls_error.h, and what the watchdog says. Each
  // names the engine.
  Result<HttpReply> Perform(const HttpRequest& request, std::stop_token stop);

 private:
  class Lane;

  std::unique_ptr<Lane> Take();
  void GiveBack(std::unique_ptr<Lane> lane);

  const EngineAddress address_;
  const std::chrono::milliseconds connect_timeout_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Lane>> idle_;
};

// Percent-encodes everything but unreserved characters.
std::string EscapeQuery(std::string_view text);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_HTTP_CLIENT_H_
