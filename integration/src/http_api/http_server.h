// An HTTP/1.1 server for few and small requests, on a unix socket and TCP (RFC 9110, RFC 9112;
// libmicrohttpd reads and writes the protocol).
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_HTTP_SERVER_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_HTTP_SERVER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "http_api/http_handler.h"
#include "lockstep/result.h"

namespace lockstep {

struct HttpServerOptions {
  std::string unix_socket;       // Its path, absolute; empty: none.
  std::vector<std::string> tcp;  // "127.0.0.1:48484", "[::]:48484".

  // Never more than half of the descriptors that the process may have. An eighth of them is for the
  // unix socket alone.
  std::size_t max_connections = 2000;
  std::size_t max_connections_per_address = 256;  // Of TCP; of IPv6 for each network of 64 bits.
  std::size_t max_streams = 64;                   // Clients that read server-sent events.
  std::size_t max_bodies_bytes = 128U << 20;      // Of all requests together that are being read.

  // Sending and reading a body gets a second more for each 16 KiB of it.
  std::chrono::milliseconds request_timeout{30'000};   // From its first line until it is whole.
  std::chrono::milliseconds response_timeout{60'000};  // From the answer until it is read.
  std::chrono::milliseconds idle_timeout{60'000};      // Between two requests.
  std::chrono::milliseconds stream_comment{30'000};    // Of silence on an event stream.
  std::chrono::milliseconds close_grace{1'000};        // For what was answered before Close().
};

// One thread, which sleeps while no client does anything. It bounds what clients cost:
//   head of a request   16 KiB, else 431 or 414
//   body                as the handler says: 413 at once by its Content-Length, or where it gets
//                       longer; nothing is read of a body that is refused
//   time                the options above: 408, or cut off
//   connections         the options above: 503, or cut off
// A client that does not read its events is cut off when it has taken nothing for
// `response_timeout`; meanwhile it costs the kernel's buffer.
class HttpServer {
 public:
  // Clients may connect from here on. `handler` outlives the server. Errors: those of
  // ListeningSocket, kInvalidInput (nowhere to listen), kUnavailable (no descriptors, no memory).
  static Result<std::unique_ptr<HttpServer>> Listen(const HttpServerOptions& options,
                                                    HttpHandler& handler);

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();  // Close().

  // Takes no more clients, answers 503 for what nobody has answered, ends event streams, and
  // returns when what was answered is sent, after `close_grace` at the latest. The handler is not
  // called any more when it returns; replies that are still held do nothing. Not to be called by
  // the handler.
  void Close();

  // Of each TCP address of the options, in their order: the port that it has.
  const std::vector<std::uint16_t>& tcp_ports() const { return tcp_ports_; }

  class Loop;  // Its own affair.

 private:
  HttpServer();

  std::vector<std::uint16_t> tcp_ports_;
  std::unique_ptr<Loop> loop_;
  std::thread thread_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_HTTP_SERVER_H_
