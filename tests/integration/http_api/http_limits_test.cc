// Clients that are too many, too slow or too large.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <future>
#include <thread>

#include "http_api/connection_limits.h"
#include "test_server.h"

namespace lockstep::test {
namespace {

using ::testing::HasSubstr;

constexpr char kHead[] = "POST / HTTP/1.1\r\nHost: x\r\n";

TEST(HttpLimitsTest, AnswersAThousandClientsAtOnce) {
  ASSERT_TRUE(HaveDescriptors(8192));
  TestServer test;
  test.options.max_connections_per_address = 2000;
  // Each is answered when all have asked: they really are there at once.
  constexpr std::size_t kClients = 1000;
  std::vector<ApiReply> replies;
  std::promise<void> all;
  test.handler.handle = [&](ApiRequest, ApiReply reply) {
    replies.push_back(std::move(reply));
    if (replies.size() == kClients) all.set_value();
  };
  test.Start();
  std::vector<RawClient> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(i % 2 == 0 ? test.Unix() : test.Tcp());
    ASSERT_TRUE(clients.back().Get("/"));
  }
  ASSERT_EQ(all.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
  for (ApiReply& reply : replies) reply.Send({});
  for (RawClient& client : clients) ASSERT_EQ(client.Read().status, 200);
}

TEST(HttpLimitsTest, SlowSendersHoldUpNobodyAndAreCutOff) {
  TestServer test;
  test.options.request_timeout = std::chrono::milliseconds(300);
  test.Start();
  std::vector<RawClient> slow;
  for (int i = 0; i < 100; ++i) {
    slow.push_back(test.Tcp());
    slow.back().Send(kHead);
  }
  RawClient body = test.Tcp();
  body.Send(std::string(kHead) + "Content-Length: 10\r\n\r\n");
  std::jthread trickle([&](const std::stop_token& stop) {
    // Never silent for as long as the limit, and never done: a limit on silence would not end it.
    while (!stop.stop_requested()) {
      for (RawClient& client : slow) (void)client.Send("X: 1\r\n");
      std::this_thread::yield();
    }
  });
  RawClient quick = test.Tcp();
  quick.Get("/");
  EXPECT_EQ(quick.Read().status, 200);
  EXPECT_EQ(body.Read().status, 408);
  for (RawClient& client : slow) EXPECT_TRUE(client.ReadToEnd());
}

TEST(HttpLimitsTest, TimesEachRequestOfAConnection) {
  TestServer test;
  test.options.request_timeout = std::chrono::milliseconds(200);
  test.Start();
  RawClient client = test.Tcp();
  client.Get("/");
  EXPECT_EQ(client.Read().status, 200);
  client.Send(std::string(kHead) + "Content-Length: 10\r\n\r\n");
  EXPECT_EQ(client.Read().status, 408);
}

TEST(HttpLimitsTest, ClosesIdleConnections) {
  TestServer test;
  test.options.request_timeout = test.options.idle_timeout = std::chrono::milliseconds(50);
  test.Start();
  RawClient silent = test.Tcp();
  RawClient asked = test.Tcp();
  asked.Get("/");
  EXPECT_EQ(asked.Read().status, 200);
  EXPECT_TRUE(asked.ReadToEnd());
  EXPECT_TRUE(silent.ReadToEnd());
  EXPECT_EQ(silent.unread(), "");
}

TEST(HttpLimitsTest, CutsOffWhoDoesNotReadItsAnswer) {
  TestServer test;
  test.options.response_timeout = std::chrono::milliseconds(50);
  std::atomic<int> answers = 0;
  test.handler.handle = [&](ApiRequest, ApiReply reply) {
    ApiResponse response;
    response.body.assign(16'000, 'x');
    ++answers;
    reply.Send(std::move(response));
  };
  test.Start();
  RawClient client = test.Unix();
  constexpr int kRequests = 500;  // Their answers are more than any buffer on the way holds.
  for (int i = 0; i < kRequests; ++i) client.Get("/");
  EXPECT_TRUE(Eventually([&] {
    pollfd state{client.fd(), 0, 0};
    return poll(&state, 1, 100) == 1 && (state.revents & POLLHUP) != 0;
  }));
  EXPECT_LT(answers, kRequests);
}

TEST(HttpLimitsTest, RefusesALargeBodyBeforeItComes) {
  TestServer test;
  test.Start();
  RawClient client = test.Tcp();
  client.Send(std::string(kHead) + "Content-Length: 1073741824\r\n\r\n");
  const RawResponse response = client.Read();
  EXPECT_EQ(response.status, 413);
  EXPECT_THAT(response.body, HasSubstr("too large"));
  // A client that sends first and reads then finds the answer, too.
  RawClient eager = test.Tcp();
  eager.Send(std::string(kHead) + "Content-Length: 1073741824\r\n\r\n" + std::string(500'000, 'x'));
  EXPECT_EQ(eager.Read().status, 413);
  EXPECT_TRUE(eager.ReadToEnd());
}

TEST(HttpLimitsTest, ReadsNoBodyThatIsRefused) {
  TestServer test;
  test.handler.admit = [](ApiRequest&) {
    HttpHandler::Admission admission;
    admission.refusal = ErrorResponse(401, MakeError(ErrorCode::kPermissionDenied, "no"));
    return admission;
  };
  test.Start();
  RawClient client = test.Unix();
  client.Send(std::string(kHead) + "Expect: 100-continue\r\nContent-Length: 100\r\n\r\n");
  EXPECT_EQ(client.Read().status, 401);
  EXPECT_TRUE(client.ReadToEnd());
  RawClient without = test.Unix();
  without.Get("/");
  EXPECT_EQ(without.Read().status, 401);
  without.Get("/");  // Goes on: there was nothing to leave unread.
  EXPECT_EQ(without.Read().status, 401);
}

TEST(HttpLimitsTest, CutsAChunkedBodyAtItsLimit) {
  TestServer test;
  std::atomic<bool> handled = false;
  test.handler.handle = [&](ApiRequest, ApiReply) { handled = true; };
  test.Start();
  RawClient client = test.Tcp();
  client.Send(std::string(kHead) + "Transfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  int sent = 0;
  while (sent < 10'000 && client.Send(chunk)) ++sent;
  EXPECT_LT(sent, 1000);  // Of 64 KiB each; what was under way and what lingers is below that.
  EXPECT_FALSE(handled);
  RawClient next = test.Tcp();
  next.Send(std::string(kHead) + "Transfer-Encoding: chunked\r\n\r\n" + "110000\r\n" +
            std::string(0x110000, 'x'));
  EXPECT_EQ(next.Read().status, 413);
}

TEST(HttpLimitsTest, TakesABodyOfExactlyTheLimit) {
  TestServer test;
  test.handler.admit = [](ApiRequest& request) {
    HttpHandler::Admission admission;
    admission.max_body_bytes = request.path == "/large" ? 4U << 20 : 4;
    return admission;
  };
  test.handler.handle = [](ApiRequest request, ApiReply reply) {
    ApiResponse response;
    response.body = std::to_string(request.body.size());
    reply.Send(std::move(response));
  };
  test.Start();
  RawClient client = test.Tcp();
  client.Post("/large", std::string(4U << 20, 'x'));
  EXPECT_EQ(client.Read().body, "4194304");
  client.Post("/small", "1234");
  EXPECT_EQ(client.Read().body, "4");
  client.Send(std::string(kHead) +
              "Transfer-Encoding: chunked\r\n\r\n3\r\n123\r\n1\r\n4\r\n0\r\n\r\n");
  EXPECT_EQ(client.Read().body, "4");
  client.Post("/small", "12345");
  EXPECT_EQ(client.Read().status, 413);
}

TEST(HttpLimitsTest, BoundsWhatAllBodiesTakeTogether) {
  TestServer test;
  test.options.max_bodies_bytes = 100'000;
  test.Start();
  RawClient first = test.Unix();
  first.Send(std::string(kHead) + "Content-Length: 90000\r\n\r\n" + std::string(80'000, 'x'));
  ASSERT_TRUE(Eventually([&] { return first.IsRead(); }));
  const auto second = [&] {
    RawClient client = test.Unix();
    client.Post("/", std::string(30'000, 'y'));
    return client.Read().status;
  };
  EXPECT_TRUE(Eventually([&] { return second() == 503; }));
  first.Send(std::string(10'000, 'x'));
  EXPECT_EQ(first.Read().status, 200);
  EXPECT_TRUE(Eventually([&] { return second() == 200; }));
}

TEST(HttpLimitsTest, RefusesABodyWhoseEndIsNotClear) {
  TestServer test;
  test.Start();
  for (const std::string fields :
       {"Content-Length: 3\r\nContent-Length: 4\r\n", "Content-Length: 3, 3\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: identity\r\n"}) {
    RawClient client = test.Unix();
    client.Send(kHead + fields + "\r\nabc");
    EXPECT_EQ(client.Read().status, 400) << fields;
    EXPECT_TRUE(client.ReadToEnd());
  }
}

TEST(HttpLimitsTest, LimitsConnectionsOfAnAddressButNotOfTheSocket) {
  TestServer test;
  test.options.max_connections_per_address = 3;
  test.Start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(test.Tcp());
  RawClient fourth = test.Tcp();
  EXPECT_EQ(fourth.Read().status, 503);
  EXPECT_TRUE(fourth.ReadToEnd());
  RawClient local = test.Unix();
  local.Get("/");
  EXPECT_EQ(local.Read().status, 200);
  clients.pop_back();
  EXPECT_TRUE(Eventually([&] {
    RawClient next = test.Tcp();
    next.Get("/");
    return next.Read().status == 200;
  }));
}

TEST(HttpLimitsTest, KeepsRoomForTheSocketWhereTcpIsFull) {
  ConnectionLimits limits(16, 100);
  ApiPeer tcp;
  tcp.kind = ApiPeer::Kind::kTcp;
  int entered = 0;
  while (limits.Enter(tcp)) ++entered;
  EXPECT_EQ(entered, 14);
  EXPECT_TRUE(limits.Enter({}));
  EXPECT_TRUE(limits.Enter({}));
  EXPECT_FALSE(limits.Enter({}));
  limits.Leave(tcp);
  EXPECT_TRUE(limits.Enter(tcp));
}

TEST(HttpLimitsTest, GoesOnWhenDescriptorsHadRunOut) {
  TestServer test;
  test.Start();
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  // One client more than descriptors: its connection waits in the kernel.
  std::vector<RawClient> clients;
  RawClient waiting = test.Unix();
  waiting.Get("/");
  EXPECT_EQ(waiting.Read().status, 200);
  RawClient late = test.Unix();
  late.Get("/");
  EXPECT_EQ(late.Read().status, 200);
  std::vector<Descriptor> taken;
  const int next = dup(0);
  taken.emplace_back(next);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(next) + 2;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  RawClient unlucky = test.Unix();  // The last descriptor is its end of the connection.
  EXPECT_TRUE(unlucky.Get("/"));
  EXPECT_LT(dup(0), 0);
  late.Get("/");  // Those that are there are served.
  EXPECT_EQ(late.Read().status, 200);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(unlucky.Read().status, 200);
}

}  // namespace
}  // namespace lockstep::test
