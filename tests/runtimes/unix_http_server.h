// HTTP/1.1 on a unix socket of its own, for engines that are only made up.
#ifndef LOCKSTEP_TESTS_RUNTIMES_UNIX_HTTP_SERVER_H_
#define LOCKSTEP_TESTS_RUNTIMES_UNIX_HTTP_SERVER_H_

#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "json_read.h"

namespace lockstep::test {

struct HttpCall {
  std::string method;
  std::string target;  // As it came, without "/v1.41": "/images/app%3Av1/json?x=1".
  std::string path;    // Decoded, without the query.
  std::map<std::string, std::string> query;
  docker::Json body;  // null where there is none, or it is no JSON.
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// One reply in the making. Every method is silent about a client that has hung up.
class HttpAnswer {
 public:
  explicit HttpAnswer(int connection) : connection_(connection) {}

  void Send(int status, const HttpHeaders& headers, std::string_view body);
  // A reply in pieces; false once the client is gone.
  bool Open(int status, const HttpHeaders& headers);
  bool Write(std::string_view piece);
  void Finish();
  // Says nothing more; returns when the client hangs up or the server ends. True: the client did.
  bool AwaitHangUp(const std::stop_token& stop);

 private:
  bool Put(std::string_view bytes);

  const int connection_;
};

// Each connection has a thread of its own, and calls the handler on it for each request.
class UnixHttpServer {
 public:
  using Handler = std::function<void(const HttpCall&, HttpAnswer&, const std::stop_token&)>;

  explicit UnixHttpServer(Handler handler);
  ~UnixHttpServer();  // Cuts what is open.
  UnixHttpServer(const UnixHttpServer&) = delete;
  UnixHttpServer& operator=(const UnixHttpServer&) = delete;

  std::string url() const { return "unix://" + path_; }

 private:
  void Accept();
  void Serve(int connection);

  Handler handler_;
  char directory_[32] = "/tmp/lockstep-http-XXXXXX";
  std::string path_;
  int listener_ = -1;
  std::stop_source stop_;
  std::vector<int> connections_;  // Of the accepting thread, until that has ended.
  std::vector<std::thread> serving_;
  std::thread accepting_;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_RUNTIMES_UNIX_HTTP_SERVER_H_
