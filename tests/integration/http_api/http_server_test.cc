#include "http_api/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <random>
#include <thread>

#include "lockstep/testing/matchers.h"
#include "test_server.h"

namespace lockstep::test {
namespace {

using ::testing::HasSubstr;

TEST(HttpServerTest, AnswersOnBothKindsOfSocket) {
  TestServer test;
  test.Start();
  ASSERT_TRUE(test.server);
  for (const bool over_tcp : {false, true}) {
    RawClient client = over_tcp ? test.Tcp() : test.Unix();
    client.Get("/a%20b?x=1");
    const RawResponse response = client.Read();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "GET /a b ");
    client.Post("/c", "text");
    EXPECT_EQ(client.Read().body, "POST /c text");  // On the same connection.
  }
}

TEST(HttpServerTest, SaysWhoAsks) {
  TestServer test;
  ApiPeer seen;
  test.handler.handle = [&](ApiRequest request, ApiReply reply) {
    seen = request.peer;
    reply.Send({});
  };
  test.options.tcp.push_back("[::1]:0");
  test.Start();
  ASSERT_TRUE(test.server);
  const auto ask = [](RawClient client) {
    client.Get("/");
    EXPECT_EQ(client.Read().status, 200);
  };
  ask(test.Unix());
  EXPECT_EQ(seen.kind, ApiPeer::Kind::kUnix);
  EXPECT_EQ(seen.uid, getuid());
  ask(test.Tcp());
  EXPECT_EQ(seen.kind, ApiPeer::Kind::kTcp);
  EXPECT_EQ(seen.address, "127.0.0.1");
  ask(RawClient::Tcp(test.server->tcp_ports().back(), "::1"));
  EXPECT_EQ(seen.address, "::1");
  EXPECT_EQ(seen.limit_key, "::/64");
}

TEST(HttpServerTest, GivesQueryAndHeaderFields) {
  TestServer test;
  ApiRequest seen;
  test.handler.handle = [&](ApiRequest request, ApiReply reply) {
    seen = std::move(request);
    reply.Send({});
  };
  test.Start();
  RawClient client = test.Unix();
  client.Get("/a?x=a+b", "X-One: 1\r\nx-two: 2\r\nX-Two: 3\r\n");
  ASSERT_EQ(client.Read().status, 200);
  EXPECT_EQ(seen.query, (TextMap{{"x", "a b"}}));
  EXPECT_EQ(seen.Header("x-one"), "1");
  EXPECT_EQ(seen.Header("x-two"), "2, 3");
  EXPECT_EQ(seen.Header("x-three"), "");
}

TEST(HttpServerTest, AnswersHeadWithoutABody) {
  TestServer test;
  test.Start();
  RawClient client = test.Unix();
  client.Send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("\r\n\r\n"), HasSubstr("Content-Length: 8\r\n"));
  client.Get("/b");  // What follows is the next head, not a body.
  EXPECT_EQ(client.Read().body, "GET /b ");
}

TEST(HttpServerTest, AnswersRequestsThatCameInOnePiece) {
  TestServer test;
  test.Start();
  RawClient client = test.Unix();
  client.Send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.Read().body, "GET /1 ");
  EXPECT_EQ(client.Read().body, "GET /2 ");
}

TEST(HttpServerTest, AnswersAClientThatHasEndedItsSide) {
  TestServer test;
  std::thread answering;
  test.handler.handle = [&](ApiRequest, ApiReply reply) {
    answering = std::thread([held = std::move(reply)]() mutable { held.Send({}); });
  };
  test.Start();
  RawClient client = test.Tcp();
  client.Get("/");
  client.EndSending();
  EXPECT_EQ(client.Read().status, 200);
  answering.join();
}

TEST(HttpServerTest, AnswersFromAnotherThread) {
  TestServer test;
  std::promise<ApiReply> asked;
  test.handler.handle = [&](ApiRequest request, ApiReply reply) {
    if (request.path == "/later") return asked.set_value(std::move(reply));
    reply.Send({});
  };
  test.Start();
  RawClient waiting = test.Tcp();
  waiting.Get("/later");
  ApiReply reply = asked.get_future().get();
  RawClient other = test.Tcp();  // Is not held up meanwhile.
  other.Get("/now");
  EXPECT_EQ(other.Read().status, 200);
  ApiResponse response;
  response.status = 202;
  response.body = "done";
  reply.Send(response);
  response.status = 500;
  reply.Send(response);  // Too late.
  const RawResponse read = waiting.Read();
  EXPECT_EQ(read.status, 202);
  EXPECT_EQ(read.body, "done");
  waiting.Get("/now");
  EXPECT_EQ(waiting.Read().status, 200);
}

TEST(HttpServerTest, AnswersWhatTheHandlerDropped) {
  TestServer test;
  test.handler.handle = [](ApiRequest, ApiReply) {};
  test.Start();
  RawClient client = test.Unix();
  client.Get("/");
  const RawResponse response = client.Read();
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, HasSubstr("{\"error\":{\"code\":\"internal\""));
}

TEST(HttpServerTest, SurvivesAHandlerThatThrows) {
  TestServer test;
  test.handler.handle = [](ApiRequest, ApiReply) { throw std::runtime_error("no"); };
  test.Start();
  RawClient client = test.Unix();
  client.Get("/");
  EXPECT_EQ(client.Read().status, 500);
}

TEST(HttpServerTest, SendsWhatKeepsBrowsersAtBay) {
  TestServer test;
  test.handler.handle = [](ApiRequest request, ApiReply reply) {
    ApiResponse response;
    if (request.path == "/page") response.content_type = "text/html; charset=utf-8";
    if (request.path == "/kept") response.headers = {{"cache-control", "max-age=60"}};
    response.headers.emplace_back("Access-Control-Allow-Origin", "*");
    response.headers.emplace_back("X-Two", "a\r\nX-Lines: b");
    reply.Send(std::move(response));
  };
  test.Start();
  RawClient client = test.Unix();
  client.Get("/");
  RawResponse response = client.Read();
  EXPECT_EQ(response.headers["content-type"], "application/json");
  EXPECT_EQ(response.headers["x-content-type-options"], "nosniff");
  EXPECT_EQ(response.headers["cache-control"], "no-store");
  EXPECT_FALSE(response.headers.contains("x-frame-options"));
  EXPECT_FALSE(response.headers.contains("access-control-allow-origin"));
  EXPECT_FALSE(response.headers.contains("x-lines"));
  client.Get("/page");
  response = client.Read();
  EXPECT_EQ(response.headers["x-frame-options"], "DENY");
  EXPECT_THAT(response.headers["content-security-policy"], HasSubstr("default-src 'none'"));
  client.Get("/kept");
  EXPECT_EQ(client.Read().headers["cache-control"], "max-age=60");
}

TEST(HttpServerTest, RefusesPathsThatHandlersMustNotSee) {
  TestServer test;
  test.Start();
  RawClient client = test.Unix();
  client.Get("/a/%2e%2e/b");
  const RawResponse response = client.Read();
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("\"code\":\"invalid-input\""));
  client.Get("/a");
  EXPECT_EQ(client.Read().status, 200);
}

TEST(HttpServerTest, SurvivesWhatIsNoHttp) {
  TestServer test;
  // For what may yet become a request.
  test.options.request_timeout = test.options.idle_timeout = std::chrono::milliseconds(100);
  test.Start();
  for (const std::string& bytes : std::vector<std::string>{
           std::string("\0\1\2\3\r\n\r\n", 8), std::string("GET\r\n\r\n"),
           std::string("\r\n\r\n\r\n"), std::string("GET / HTTP/9.9\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nHost: x\r\n: \r\n folded\r\n\r\n"),
           std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11),
           std::string("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
           std::string("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"),
           std::string(
               "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n"),
           std::string("GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\n\r\n"),
           "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(100'000, 'a') + "\r\n\r\n"}) {
    RawClient client = test.Tcp();
    (void)client.Send(bytes);  // It may be cut off before it is through.
    EXPECT_TRUE(client.ReadToEnd());
  }
  RawClient client = test.Tcp();
  client.Get("/");
  EXPECT_EQ(client.Read().status, 200);
}

TEST(HttpServerTest, SurvivesDamagedRequests) {
  TestServer test;
  test.Start();
  const std::string whole =
      "POST /v2/applications/12/restart?a=b%20c HTTP/1.1\r\nHost: localhost\r\nCookie: a=b; c\r\n"
      "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n12345\r\n"
      "0\r\nX-Footer: 1\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
  std::mt19937 chance(7);
  const auto below = [&](std::size_t limit) { return chance() % limit; };
  constexpr char kBytes[] = "\0\n\r :;,%/?&=+0fF-\t\x7f\xff";
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = whole;
    for (std::size_t i = 0; i <= below(4); ++i) {
      const std::size_t at = below(damaged.size());
      const std::size_t size = std::min(below(8), damaged.size() - at);
      damaged.replace(at, size, below(6), kBytes[below(sizeof(kBytes))]);
    }
    RawClient client = test.Unix();
    (void)client.Send(damaged);
    if (round % 10 == 0) client.Get("/");
  }
  RawClient client = test.Unix();
  client.Get("/");
  EXPECT_EQ(client.Read().status, 200);
}

TEST(HttpServerTest, ForgetsARequestWhoseClientHasGone) {
  TestServer test;
  std::promise<ApiReply> asked;
  test.handler.handle = [&](ApiRequest request, ApiReply reply) {
    if (request.path == "/later") return asked.set_value(std::move(reply));
    reply.Send({});
  };
  test.options.max_connections = 1;
  test.Start();
  RawClient client = test.Unix();
  client.Get("/later");
  ApiReply reply = asked.get_future().get();
  client.Close();
  // There is room for one, and it is for the next as soon as the first is seen to have gone.
  const auto is_answered = [&] {
    RawClient next = test.Unix();
    next.Get("/");
    return next.Read().status == 200;
  };
  EXPECT_TRUE(Eventually(is_answered));
  reply.Send({});
  EXPECT_TRUE(Eventually(is_answered));
}

TEST(HttpServerTest, ClosesWhileRepliesAreHeld) {
  TestServer test;
  std::promise<ApiReply> asked;
  test.handler.handle = [&](ApiRequest, ApiReply reply) { asked.set_value(std::move(reply)); };
  test.Start();
  RawClient waiting = test.Tcp();
  RawClient idle = test.Tcp();
  RawClient half = test.Tcp();
  half.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345");
  waiting.Get("/");
  ApiReply reply = asked.get_future().get();
  test.server->Close();
  EXPECT_EQ(waiting.Read().status, 503);
  EXPECT_TRUE(waiting.ReadToEnd());
  EXPECT_TRUE(idle.ReadToEnd());
  EXPECT_TRUE(half.ReadToEnd());
  EXPECT_FALSE(test.Tcp().connected());
  EXPECT_FALSE(std::filesystem::exists(test.options.unix_socket));
  test.server.reset();
  reply.Send({});  // Goes nowhere.
}

TEST(HttpServerTest, ClosesWhileThreadsAnswer) {
  for (int round = 0; round < 20; ++round) {
    TestServer test;
    std::vector<std::jthread> threads;
    test.handler.handle = [&](ApiRequest, ApiReply reply) {
      threads.emplace_back([held = std::move(reply)]() mutable { held.Send({}); });
    };
    test.Start();
    std::vector<RawClient> clients;
    for (int i = 0; i < 10; ++i) {
      clients.push_back(test.Unix());
      clients.back().Get("/");
    }
    clients.front().Read();
    test.server.reset();
    for (RawClient& client : clients) EXPECT_TRUE(client.ReadToEnd());
  }
}

TEST(HttpServerTest, SaysWhyItCannotListen) {
  LambdaHandler handler;
  EXPECT_THAT(HttpServer::Listen({}, handler), IsError(ErrorCode::kInvalidInput));
  const auto listen = [&](const std::string& path, std::vector<std::string> tcp) {
    HttpServerOptions options;
    options.unix_socket = path;
    options.tcp = std::move(tcp);
    return HttpServer::Listen(options, handler);
  };
  EXPECT_THAT(listen("", {"localhost:1"}), IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(listen("", {"127.0.0.1"}), IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(listen("", {"127.0.0.1:99999"}), IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(listen("", {"::1:80"}), IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(listen("api.sock", {}), IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(listen("/" + std::string(200, 'a'), {}), IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(listen("/nowhere/api.sock", {}), IsError(ErrorCode::kNotFound));
}

TEST(HttpServerTest, TakesOverASocketThatNobodyListensOn) {
  TestServer test;
  {
    const Descriptor left(socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    test.options.unix_socket.copy(address.sun_path, sizeof(address.sun_path) - 1);
    ASSERT_EQ(bind(left.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  test.Start();
  ASSERT_TRUE(test.server);
  RawClient client = test.Unix();
  client.Get("/");
  EXPECT_EQ(client.Read().status, 200);
  struct stat info {};
  ASSERT_EQ(stat(test.options.unix_socket.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0660U);
}

TEST(HttpServerTest, LeavesAloneWhatOthersListenOnOrIsNoSocket) {
  TestServer test;
  test.Start();
  ASSERT_TRUE(test.server);
  HttpServerOptions options;
  options.unix_socket = test.options.unix_socket;
  EXPECT_THAT(HttpServer::Listen(options, test.handler), IsError(ErrorCode::kConflict));
  RawClient client = test.Unix();
  client.Get("/");
  EXPECT_EQ(client.Read().status, 200);
  options.unix_socket = test.directory + "/file";
  std::ofstream(options.unix_socket) << "text";
  EXPECT_THAT(HttpServer::Listen(options, test.handler), IsError(ErrorCode::kConflict));
  EXPECT_TRUE(std::filesystem::exists(options.unix_socket));
  options.unix_socket.clear();
  options.tcp = {"127.0.0.1:" + std::to_string(test.server->tcp_ports().front())};
  EXPECT_THAT(HttpServer::Listen(options, test.handler), IsError(ErrorCode::kConflict));
}

TEST(HttpServerTest, LeavesTheSocketOfASuccessor) {
  TestServer test;
  test.Start();
  ASSERT_TRUE(test.server);
  std::filesystem::remove(test.options.unix_socket);
  std::ofstream(test.options.unix_socket) << "another's";
  test.server.reset();
  EXPECT_TRUE(std::filesystem::exists(test.options.unix_socket));
}

}  // namespace
}  // namespace lockstep::test
