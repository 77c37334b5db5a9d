// What answers at the engine's address is no engine, or means ill.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

#include "http_client.h"
#include "local_server.h"
#include "lockstep/runtimes/docker_engine.h"
#include "lockstep/testing/matchers.h"
#include "stub_engine.h"

namespace lockstep::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What a case sends once it was asked. Bytes that were taken are added to `taken`.
using Reply = std::function<void(int connection, std::atomic<std::size_t>& taken)>;

Reply Says(std::string text) {
  return [text = std::move(text)](int connection, auto&) { LocalServer::Send(connection, text); };
}

// Says it, and then nothing more, without closing.
Reply StopsAfter(std::string text) {
  return [text = std::move(text)](int connection, auto&) {
    LocalServer::Send(connection, text);
    LocalServer::AwaitEnd(connection);
  };
}

// A gigabyte of `piece` after `head`, or as much of it as is taken.
Reply Floods(std::string head, const std::string& piece) {
  std::string block;
  while (block.size() < 65536) block += piece;
  return [head = std::move(head), block](int connection, std::atomic<std::size_t>& taken) {
    if (!LocalServer::Send(connection, head)) return;
    for (std::size_t sent = 0; sent < std::size_t{1} << 30; sent += block.size()) {
      if (!LocalServer::Send(connection, block)) return;
      taken += block.size();
    }
  };
}

struct HostileCase {
  std::string name;
  Reply reply;
  ErrorCode code;
  std::string cause;
};

const std::string kOk = "HTTP/1.1 200 OK\r\n";

const HostileCase kCases[] = {
    {"NoJson", Says(StubEngine::Reply("hello")), ErrorCode::kBadReply, "no API version"},
    {"WrongTypes", Says(StubEngine::Reply(R"({"ApiVersion":[1]})")), ErrorCode::kBadReply,
     "no API version"},
    {"InvalidText", Says(StubEngine::Reply("a\xff\x1b[2J", 500)), ErrorCode::kUnavailable,
     "a\xef\xbf\xbd\xef\xbf\xbd[2J"},
    {"Gigabyte", Floods(kOk + "Content-Length: 1073741824\r\n\r\n", "x"), ErrorCode::kBadReply,
     "longer than allowed"},
    {"GigabyteOfError", Floods("HTTP/1.1 500 No\r\nContent-Length: 1073741824\r\n\r\n", "x"),
     ErrorCode::kBadReply, "longer than allowed"},
    {"BodyWithoutEnd", Floods(kOk + "\r\n", "x"), ErrorCode::kBadReply, "longer than allowed"},
    {"ChunksWithoutEnd", Floods(kOk + "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
     ErrorCode::kBadReply, "longer than allowed"},
    {"HeaderOfAMegabyte", Says(kOk + "X: " + std::string(1 << 20, 'x') + "\r\n\r\n{}"),
     ErrorCode::kBadReply, "headers without end"},
    {"HeadersWithoutEnd", Floods(kOk, "X: y\r\n"), ErrorCode::kBadReply, "headers without end"},
    {"TrailersWithoutEnd",
     Floods(kOk + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", "X: y\r\n"),
     ErrorCode::kBadReply, "headers without end"},
    {"StatusLineWithoutEnd", Floods("HTTP/1.1 200 ", "x"), ErrorCode::kBadReply,
     "headers without end"},
    {"ContinuesWithoutEnd", Floods("", "HTTP/1.1 100 Continue\r\n\r\n"), ErrorCode::kBadReply,
     "headers without end"},
    {"Redirect",
     Says("HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/x\x1b[2J\r\nContent-Length: "
          "0\r\n\r\n"),
     ErrorCode::kBadReply, "redirect (302) to http://elsewhere.example/x"},
    {"RedirectToNowhere", Says("HTTP/1.1 307 No\r\nContent-Length: 0\r\n\r\n"),
     ErrorCode::kBadReply, "redirect (307)"},
    {"Garbage", Says("\x16\x03\x01\x02 SSH-2.0-OpenSSH\r\n\r\n"), ErrorCode::kBadReply, "no HTTP"},
    {"UnknownHttp", Says("HTTP/7.5 200 OK\r\n\r\n"), ErrorCode::kBadReply, "no HTTP"},
    {"BadLength", Says(kOk + "Content-Length: many\r\n\r\n{}"), ErrorCode::kBadReply, "no HTTP"},
    {"BadChunk", Says(kOk + "Transfer-Encoding: chunked\r\n\r\nzz\r\n"), ErrorCode::kBadReply,
     "malformed"},
    {"ClosesAtOnce", Says(""), ErrorCode::kUnavailable, "broke"},
    {"HalfAHead", Says("HTTP/1.1 200 OK\r\nConte"), ErrorCode::kUnavailable, "broke"},
    {"HalfABody", Says(kOk + "Content-Length: 100\r\n\r\n{"), ErrorCode::kUnavailable, "broke"},
    {"HalfAChunk", Says(kOk + "Transfer-Encoding: chunked\r\n\r\n9\r\n{"), ErrorCode::kUnavailable,
     "broke"},
};

class HostileEngineTest : public ::testing::TestWithParam<HostileCase> {};

Result<EngineInfo> Ask(const std::string& url, DockerOptions options = {}) {
  options.url = url;
  return MakeDockerEngine(options).value()->Describe({});
}

void ExpectSaidWell(const Error& error, const std::string& url, const std::string& cause) {
  const std::string line = Describe(error);
  EXPECT_THAT(line, HasSubstr("ask the engine for its version"));
  EXPECT_THAT(line, HasSubstr(url));
  EXPECT_THAT(line, HasSubstr(cause));
  EXPECT_THAT(line, Not(HasSubstr("\x1b")));
  EXPECT_LT(line.size(), 900U);
}

TEST_P(HostileEngineTest, IsAnErrorThatNamesCallEngineAndCause) {
  std::atomic<std::size_t> taken = 0;
  LocalServer server([&](int connection) {
    LocalServer::ReadHead(connection);
    GetParam().reply(connection, taken);
  });
  const auto result = Ask(server.url());
  ASSERT_THAT(result, IsError(GetParam().code));
  ExpectSaidWell(result.assume_error(), server.url(), GetParam().cause);
  EXPECT_EQ(server.connections(), 1U) << "nothing is followed, or tried again";
  // The limit of the call (1 MiB) and what is under way in the buffers of both sides.
  EXPECT_LT(taken, std::size_t{32} << 20);
}

INSTANTIATE_TEST_SUITE_P(Cases, HostileEngineTest, ::testing::ValuesIn(kCases),
                         [](const auto& param_info) { return param_info.param.name; });

class SilentEngineTest : public ::testing::TestWithParam<HostileCase> {};

TEST_P(SilentEngineTest, IsGivenUpAfterTheTimeOfTheCall) {
  std::atomic<std::size_t> taken = 0;
  LocalServer server([&](int connection) { GetParam().reply(connection, taken); });
  DockerOptions options;
  options.query_timeout = std::chrono::milliseconds(150);
  const auto result = Ask(server.url(), options);
  ASSERT_THAT(result, IsError(GetParam().code));
  ExpectSaidWell(result.assume_error(), server.url(), GetParam().cause);
}

const HostileCase kSilentCases[] = {
    {"Nothing", StopsAfter(""), ErrorCode::kDeadlineExceeded, "no answer within 150 ms"},
    {"HeadBegins", StopsAfter(kOk + "X"), ErrorCode::kDeadlineExceeded, "no answer within"},
    {"BodyBegins", StopsAfter(kOk + "Content-Length: 9\r\n\r\n{"), ErrorCode::kDeadlineExceeded,
     "no answer within"},
};

INSTANTIATE_TEST_SUITE_P(Cases, SilentEngineTest, ::testing::ValuesIn(kSilentCases),
                         [](const auto& param_info) { return param_info.param.name; });

TEST(HttpClientTest, ConnectionThatDoesNotComeAboutIsGivenUp) {
  LocalServer server(LocalServer::AwaitEnd);  // With TLS, it says nothing while they shake hands.
  DockerOptions options;
  options.tls = TlsOptions();
  options.connect_timeout = std::chrono::milliseconds(150);
  const auto result = Ask(server.url(), options);
  ASSERT_THAT(result, IsError(ErrorCode::kUnavailable));
  ExpectSaidWell(result.assume_error(), server.url(), "no connection within 150 ms");
}

TEST(HttpClientTest, NobodyListeningIsUnavailable) {
  std::string url;
  {
    LocalServer server(LocalServer::AwaitEnd);
    url = server.url();
  }
  const auto result = Ask(url);
  ASSERT_THAT(result, IsError(ErrorCode::kUnavailable));
  ExpectSaidWell(result.assume_error(), url, "Connection refused");
}

// The name can be looked up nowhere (RFC 6761).
TEST(HttpClientTest, NameThatIsUnknownIsUnavailable) {
  const auto result = Ask("tcp://engine.invalid:2375");
  ASSERT_THAT(result, IsError(ErrorCode::kUnavailable));
  EXPECT_THAT(Describe(result.assume_error()), HasSubstr("engine.invalid is not resolved"));
}

class Progress final : public ProgressSink {
 public:
  void OnProgress(const PullProgress&) override {}
};

TEST(HttpClientTest, PullWhoseHeadNeverComesIsGivenUp) {
  LocalServer server([](int connection) {
    if (LocalServer::ReadHead(connection).starts_with("GET /version")) {
      LocalServer::Send(connection, StubEngine::Version());
      return;
    }
    // Interim replies are no sign of life of the pull.
    while (LocalServer::Send(connection, "HTTP/1.1 102 Processing\r\n\r\n")) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  DockerOptions options;
  options.url = server.url();
  options.pull_unpack_timeout = std::chrono::milliseconds(100);
  Progress progress;
  const auto result = MakeDockerEngine(options).value()->PullImage({"app:v1"}, progress, {});
  ASSERT_THAT(result, IsError(ErrorCode::kDeadlineExceeded));
  EXPECT_THAT(Describe(result.assume_error()), HasSubstr("pull image app:v1"));
}

// The timer of the kernel for the connection from this machine to `port`: "02" is keep-alive.
std::string TimerOfConnectionTo(int port) {
  std::ostringstream remote;
  remote << std::uppercase << std::hex;
  remote.width(4);
  remote.fill('0');
  remote << port;
  std::ifstream table("/proc/net/tcp");
  std::string line;
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    std::string number, local, peer, state, queues, timer;
    fields >> number >> local >> peer >> state >> queues >> timer;
    if (peer.ends_with(":" + remote.str()) && state == "01") return timer.substr(0, 2);
  }
  return "none";
}

TEST(HttpClientTest, SilentStreamIsKeptUnderWatchByTheKernel) {
  LocalServer server([](int connection) {
    LocalServer::ReadHead(connection);
    LocalServer::Send(connection, StubEngine::OpenStream());
    LocalServer::AwaitEnd(connection);
  });
  docker::HttpClient client(docker::ParseEngineUrl(server.url()).value());
  std::stop_source stop;
  std::string timer;
  docker::HttpRequest request;
  request.path = "/events";
  request.on_data = [](std::string_view) { return true; };
  request.on_open = [&] {
    timer = TimerOfConnectionTo(server.port());
    stop.request_stop();
  };
  EXPECT_THAT(client.Perform(request, stop.get_token()), IsError(ErrorCode::kCancelled));
  EXPECT_EQ(timer, "02");
}

}  // namespace
}  // namespace lockstep::test
