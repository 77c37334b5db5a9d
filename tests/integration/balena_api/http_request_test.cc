// Real connections, to servers that behave well and badly.
#include "balena_api/http_request.h"

#include <gmock/gmock.h>
#include <httplib.h>

#include <string>
#include <thread>

#include "../../runtimes/local_server.h"
#include "../../runtimes/test_certificates.h"
#include "../target_sources/scratch_directory.h"
#include "balena_api/http_error.h"
#include "lockstep/testing/matchers.h"

namespace lockstep {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::IsError;
using test::IsOk;
using test::LocalServer;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kKey = "very-secret-key";

std::string Url(const LocalServer& server) {
  return "http://127.0.0.1:" + std::to_string(server.port()) + "/device/v3/dev1/state";
}

HttpRequest Get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  request.bearer = kKey;
  return request;
}

// Sends `text` to whoever asks.
LocalServer::Behaviour Saying(std::string text) {
  return [text = std::move(text)](int connection) {
    if (!LocalServer::ReadHead(connection).empty()) LocalServer::Send(connection, text);
  };
}

TEST(HttpRequestTest, GivesStatusBodyAndHeaders) {
  std::string head;
  LocalServer server([&](int connection) {
    head = LocalServer::ReadHead(connection);
    LocalServer::Send(connection,
                      "HTTP/1.1 100 Continue\r\nETag: none\r\n\r\n"
                      "HTTP/1.1 200 OK\r\neTag:  \"1\" \r\nRetry-After: 5\r\nDate: today\r\n"
                      "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
  });
  HttpRequest request = Get(Url(server));
  request.headers = {"If-None-Match: \"0\""};
  const auto reply = PerformHttp(request, {});
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply.assume_value().status, 200);
  EXPECT_EQ(reply.assume_value().body, "{}");
  EXPECT_EQ(reply.assume_value().etag, "\"1\"");
  EXPECT_EQ(reply.assume_value().retry_after, "5");
  EXPECT_EQ(reply.assume_value().date, "today");
  EXPECT_EQ(reply.assume_value().content_type, "application/json");
  EXPECT_THAT(head, HasSubstr("Authorization: Bearer very-secret-key\r\n"));
  EXPECT_THAT(head, HasSubstr("If-None-Match: \"0\"\r\n"));
}

TEST(HttpRequestTest, SendsABody) {
  httplib::Server server;
  std::string body;
  std::string type;
  server.Patch("/device/v3/state", [&](const httplib::Request& request, httplib::Response& reply) {
    body = request.body;
    type = request.get_header_value("Content-Type");
    reply.status = 204;
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  std::jthread serving([&] { server.listen_after_bind(); });
  HttpRequest request = Get("http://127.0.0.1:" + std::to_string(port) + "/device/v3/state");
  request.method = "PATCH";
  request.body = std::string(200'000, 'x');
  const auto reply = PerformHttp(request, {});
  server.stop();
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply.assume_value().status, 204);
  EXPECT_EQ(body, request.body);
  EXPECT_EQ(type, "application/json");
}

TEST(HttpRequestTest, AnAnswerWithoutEndIsCutOff) {
  LocalServer server([](int connection) {
    LocalServer::ReadHead(connection);
    LocalServer::Send(connection, "HTTP/1.1 200 OK\r\n\r\n");
    const std::string much(1 << 20, ' ');
    while (LocalServer::Send(connection, much)) {
    }
  });
  HttpRequest request = Get(Url(server));
  request.max_body = std::size_t{8} << 20;
  const auto reply = PerformHttp(request, {});
  ASSERT_THAT(reply, IsError(ErrorCode::kBadReply));
  EXPECT_THAT(reply.assume_error().message, HasSubstr("more than 8 MiB"));
}

TEST(HttpRequestTest, WhatUnpacksToTooMuchIsCutOff) {
  httplib::Server server;
  server.Get("/", [](const httplib::Request&, httplib::Response& reply) {
    reply.set_content(std::string(std::size_t{16} << 20, ' '), "application/json");
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  std::jthread serving([&] { server.listen_after_bind(); });
  HttpRequest request = Get("http://127.0.0.1:" + std::to_string(port) + "/");
  request.max_body = std::size_t{1} << 20;
  const auto reply = PerformHttp(request, {});
  server.stop();
  EXPECT_THAT(reply, IsError(ErrorCode::kBadReply));
}

TEST(HttpRequestTest, HeadersWithoutEndAreCutOff) {
  LocalServer server([](int connection) {
    LocalServer::ReadHead(connection);
    LocalServer::Send(connection, "HTTP/1.1 200 OK\r\n");
    while (LocalServer::Send(connection, "X-More: " + std::string(1000, 'x') + "\r\n")) {
    }
  });
  EXPECT_THAT(PerformHttp(Get(Url(server)), {}), IsError(ErrorCode::kBadReply));
}

struct Garbage {
  std::string name;
  std::string sent;
};
class GarbageTest : public ::testing::TestWithParam<Garbage> {};

TEST_P(GarbageTest, IsAnErrorThatNamesThePeer) {
  LocalServer server(Saying(GetParam().sent));
  const auto reply = PerformHttp(Get(Url(server)), {});
  ASSERT_THAT(reply, AnyOf(IsError(ErrorCode::kBadReply), IsError(ErrorCode::kUnavailable)));
  const std::string text = Describe(reply.assume_error());
  EXPECT_THAT(text, HasSubstr("http://127.0.0.1:" + std::to_string(server.port())));
  EXPECT_THAT(text, Not(HasSubstr(kKey)));
  EXPECT_THAT(text, Not(HasSubstr("dev1")));
}

const Garbage kGarbage[] = {
    {"Nothing", ""},
    {"NoHttp", "SSH-2.0-OpenSSH_9.2\r\n"},
    {"HalfAHead", "HTTP/1.1 200 OK\r\nContent-Le"},
    {"HalfABody", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"dev1\":"},
    {"HalfAChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"},
    {"NoChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{"},
    {"NoGzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"},
    {"RedirectElsewhere", "HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\n\r\n"},
    {"RedirectToAFile", "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n"},
    {"RedirectToItself", "HTTP/1.1 307 Away\r\nLocation: /device/v3/dev1/state\r\n\r\n"},
};
INSTANTIATE_TEST_SUITE_P(Cases, GarbageTest, ::testing::ValuesIn(kGarbage),
                         [](const auto& param_info) { return param_info.param.name; });

TEST(HttpRequestTest, WhoeverDoesNotListenIsUnavailable) {
  int port = 0;
  {
    LocalServer gone([](int) {});
    port = gone.port();
  }
  EXPECT_THAT(PerformHttp(Get("http://127.0.0.1:" + std::to_string(port)), {}),
              IsError(ErrorCode::kUnavailable));
  EXPECT_THAT(PerformHttp(Get("http://nowhere.invalid/"), {}), IsError(ErrorCode::kUnavailable));
}

TEST(HttpRequestTest, SilenceEndsWithTheTimeOut) {
  LocalServer server([](int connection) { LocalServer::AwaitEnd(connection); });
  HttpRequest request = Get(Url(server));
  request.timeout = milliseconds(100);
  EXPECT_THAT(PerformHttp(request, {}), IsError(ErrorCode::kDeadlineExceeded));
}

TEST(HttpRequestTest, AStopRequestEndsItAtOnce) {
  std::stop_source stop;
  LocalServer server([&](int connection) {
    LocalServer::ReadHead(connection);
    LocalServer::Send(connection, "HTTP/1.1 200 OK\r\n\r\n{");
    stop.request_stop();
    LocalServer::AwaitEnd(connection);
  });
  EXPECT_THAT(PerformHttp(Get(Url(server)), stop.get_token()), IsError(ErrorCode::kCancelled));
}

TEST(HttpRequestTest, WhatIsNoAddressIsRefused) {
  for (const char* url : {"", "file:///etc/passwd", "ftp://127.0.0.1/", "http://", "http://a b/"}) {
    EXPECT_THAT(PerformHttp(Get(url), {}), IsError(ErrorCode::kInvalidInput)) << url;
  }
  HttpRequest request = Get("http://127.0.0.1/");
  request.bearer = "a\r\nX-Evil: 1";
  EXPECT_THAT(PerformHttp(request, {}), IsError(ErrorCode::kInvalidInput));
}

TEST(HttpRequestTest, ASecretGoesNowhereElse) {
  EXPECT_TRUE(MayFollow("https://a.example/x", "https://a.example/y"));
  EXPECT_TRUE(MayFollow("https://a.example/x", "https://A.example:443/y"));
  for (const char* to : {"http://a.example/y", "http://a.example:443/y", "https://b.example/y",
                         "https://a.example:444/y", "https://a.example@b.example/",
                         "https://u@a.example/", "file:///a", ""}) {
    EXPECT_FALSE(MayFollow("https://a.example/x", to)) << to;
  }
}

class TlsServerTest : public ::testing::Test {
 protected:
  TlsServerTest()
      : authority_(test::MakeCertificate({.name = "authority"}, nullptr)),
        ca_file_(dir_.At("ca.pem")) {
    authority_.WriteCertificate(ca_file_);
  }
  ~TlsServerTest() override {
    if (server_) server_->stop();
  }

  // Where it is: localhost, of which the certificate may be.
  std::string Serve(const test::CertificateWish& wish) {
    certificate_ = test::MakeCertificate(wish, &authority_);
    server_ = std::make_unique<httplib::SSLServer>(certificate_.x509.get(), certificate_.key.get());
    server_->Get("/", [](const httplib::Request&, httplib::Response& reply) {
      reply.set_content("{}", "application/json");
    });
    server_->Get("/moved", [](const httplib::Request&, httplib::Response& reply) {
      reply.set_redirect("/", 307);
    });
    const int port = server_->bind_to_any_port("127.0.0.1");
    thread_ = std::jthread([this] { server_->listen_after_bind(); });
    while (!server_->is_running()) std::this_thread::yield();  // Else stop() would not count.
    return "https://127.0.0.1:" + std::to_string(port);
  }
  Result<HttpReply> Ask(const std::string& url) const {
    HttpRequest request = Get(url);
    request.ca_file = ca_file_;
    return PerformHttp(request, {});
  }

  test::ScratchDirectory dir_;
  test::Certificate authority_;
  test::Certificate certificate_;
  std::string ca_file_;
  std::unique_ptr<httplib::SSLServer> server_;
  std::jthread thread_;
};

TEST_F(TlsServerTest, IsTrustedByItsAuthority) {
  const std::string url = Serve({.hosts = "IP:127.0.0.1"});
  EXPECT_THAT(Ask(url + "/"), IsOk());
  const auto moved = Ask(url + "/moved");
  ASSERT_THAT(moved, IsOk());
  EXPECT_EQ(moved.assume_value().status, 200);
  EXPECT_EQ(moved.assume_value().body, "{}");
}

TEST_F(TlsServerTest, IsNotTrustedWithoutOne) {
  const std::string url = Serve({.hosts = "IP:127.0.0.1"});
  const auto reply = PerformHttp(Get(url), {});
  ASSERT_THAT(reply, IsError(ErrorCode::kPermissionDenied));
  EXPECT_THAT(Describe(reply.assume_error()), HasSubstr("unknown authority"));
}

TEST_F(TlsServerTest, IsNotTrustedUnderAnotherName) {
  EXPECT_THAT(Ask(Serve({.hosts = "DNS:other.example"})), IsError(ErrorCode::kPermissionDenied));
}

TEST_F(TlsServerTest, IsNotTrustedWhenItsTimeIsOver) {
  const auto reply = Ask(Serve({.hosts = "IP:127.0.0.1", .from_hours = -2, .until_hours = -1}));
  ASSERT_THAT(reply, IsError(ErrorCode::kPermissionDenied));
  EXPECT_THAT(Describe(reply.assume_error()), HasSubstr("expired"));
}

TEST_F(TlsServerTest, ThatIsYetToComeIsAMatterOfTheClock) {
  const auto reply = Ask(Serve({.hosts = "IP:127.0.0.1", .from_hours = 1, .until_hours = 2}));
  ASSERT_THAT(reply, IsError(ErrorCode::kUnavailable));
  EXPECT_THAT(Describe(reply.assume_error()), HasSubstr("clock"));
}

TEST_F(TlsServerTest, AuthoritiesThatCannotBeReadAreNamed) {
  const std::string url = Serve({.hosts = "IP:127.0.0.1"});
  HttpRequest request = Get(url);
  request.ca_file = dir_.At("none.pem");
  const auto reply = PerformHttp(request, {});
  ASSERT_THAT(reply, IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(Describe(reply.assume_error()), HasSubstr("none.pem"));
}

TEST(HttpRequestTest, WhoeverSpeaksNoTlsIsAnError) {
  LocalServer server(
      [](int connection) { LocalServer::Send(connection, "HTTP/1.1 200 OK\r\n\r\n"); });
  EXPECT_THAT(PerformHttp(Get("https://127.0.0.1:" + std::to_string(server.port())), {}),
              AnyOf(IsError(ErrorCode::kBadReply), IsError(ErrorCode::kUnavailable)));
}

}  // namespace
}  // namespace lockstep
