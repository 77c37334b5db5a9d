#include "http_api/http_server.h"

#include <system_error>
#include <utility>

#include "http_api/http_loop.h"

namespace lockstep {

HttpServer::HttpServer() = default;
HttpServer::~HttpServer() { Close(); }

Result<std::unique_ptr<HttpServer>> HttpServer::Listen(const HttpServerOptions& options,
                                                       HttpHandler& handler) {
  std::unique_ptr<HttpServer> server(new HttpServer);
  std::vector<ListeningSocket> sockets;
  if (!options.unix_socket.empty()) {
    LOCKSTEP_TRY(auto socket, ListeningSocket::Unix(options.unix_socket));
    sockets.push_back(std::move(socket));
  }
  for (const std::string& address : options.tcp) {
    LOCKSTEP_TRY(auto socket, ListeningSocket::Tcp(address));
    server->tcp_ports_.push_back(socket.port());
    sockets.push_back(std::move(socket));
  }
  if (sockets.empty()) {
    return MakeError(ErrorCode::kInvalidInput, "there is no address to listen on",
                     "name a unix socket or a TCP address");
  }
  LOCKSTEP_TRY(server->loop_, Loop::Make(options, handler, std::move(sockets)));
  try {
    server->thread_ = std::thread([loop = server->loop_.get()] { loop->Run(); });
  } catch (const std::system_error& error) {
    return WithContext(MakeError(ErrorCode::kUnavailable, error.what()), "serve HTTP");
  }
  return server;
}

void HttpServer::Close() {
  if (!thread_.joinable()) return;
  loop_->Stop();
  thread_.join();
  loop_.reset();
}

}  // namespace lockstep
