// A server with a handler of lambdas, on a unix socket and a TCP port of its own.
#ifndef LOCKSTEP_TESTS_INTEGRATION_HTTP_API_TEST_SERVER_H_
#define LOCKSTEP_TESTS_INTEGRATION_HTTP_API_TEST_SERVER_H_

#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "http_api/http_server.h"
#include "raw_client.h"

namespace lockstep::test {

class LambdaHandler final : public HttpHandler {
 public:
  std::function<Admission(ApiRequest&)> admit = [](ApiRequest&) {
    Admission admission;
    admission.max_body_bytes = 1U << 20;
    return admission;
  };
  // Unless a test says otherwise: who asks for what.
  std::function<void(ApiRequest, ApiReply)> handle = [](ApiRequest request, ApiReply reply) {
    ApiResponse response;
    response.body = request.method + ' ' + request.path + ' ' + request.body;
    reply.Send(std::move(response));
  };

 private:
  Admission Admit(ApiRequest& request) override { return admit(request); }
  void Handle(ApiRequest request, ApiReply reply) override {
    handle(std::move(request), std::move(reply));
  }
};

class TestServer {
 public:
  TestServer() : TestServer(HttpServerOptions()) {}
  explicit TestServer(HttpServerOptions wanted) : options(std::move(wanted)) {
    std::string pattern = (std::filesystem::temp_directory_path() / "http_api.XXXXXX").string();
    directory = mkdtemp(pattern.data());
    options.unix_socket = directory + "/api.sock";
    if (options.tcp.empty()) options.tcp = {"127.0.0.1:0"};
  }
  ~TestServer() {
    server.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }

  void Start() { Start(handler); }
  void Start(HttpHandler& other) {
    auto made = HttpServer::Listen(options, other);
    if (made) server = std::move(made).assume_value();
  }

  RawClient Unix() const { return RawClient::Unix(options.unix_socket); }
  RawClient Tcp() const { return RawClient::Tcp(server->tcp_ports().front()); }

  HttpServerOptions options;
  LambdaHandler handler;
  std::string directory;
  std::unique_ptr<HttpServer> server;  // None where it could not listen.
};

// Asks until it is so; false where it never is.
inline bool Eventually(const std::function<bool()>& is_so) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < end) {
    if (is_so()) return true;
    std::this_thread::yield();
  }
  return false;
}

// Client and server are one process here: both need descriptors.
inline bool HaveDescriptors(rlim_t wanted) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return true;
  limit.rlim_cur = wanted;
  if (limit.rlim_max < wanted) limit.rlim_max = wanted;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_INTEGRATION_HTTP_API_TEST_SERVER_H_
