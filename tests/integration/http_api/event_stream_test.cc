#include "http_api/event_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <atomic>
#include <future>
#include <thread>

#include "test_server.h"

namespace lockstep::test {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<EventStream> MakeStream(std::size_t max_events, std::size_t max_bytes = 1U << 20) {
  EventStreamOptions options;
  options.max_events = max_events;
  options.max_bytes = max_bytes;
  options.epoch = "e";
  return std::make_shared<EventStream>(options);
}

std::string ReadAll(EventCursor& cursor, std::size_t piece = 4096) {
  std::string all;
  std::string part(piece, '\0');
  while (const std::size_t count = cursor.Read(part.data(), piece)) all.append(part, 0, count);
  return all;
}

std::string Text(int number, const std::string& data) {
  return "id: e-" + std::to_string(number) + "\nevent: plan\ndata: " + data + "\n\n";
}

TEST(EventCursorTest, ReadsWhatIsPublishedFromNowOn) {
  const auto stream = MakeStream(10);
  stream->Publish("plan", "before");
  EventCursor cursor(stream, "");
  EXPECT_FALSE(cursor.HasNews());
  EXPECT_EQ(ReadAll(cursor), "");
  stream->Publish("plan", "a");
  stream->Publish("plan", "b");
  EXPECT_TRUE(cursor.HasNews());
  EXPECT_EQ(ReadAll(cursor, 1), Text(2, "a") + Text(3, "b"));
  EXPECT_FALSE(cursor.HasNews());
}

TEST(EventCursorTest, KeepsDataFromPosingAsFields) {
  const auto stream = MakeStream(10);
  EventCursor cursor(stream, "");
  stream->Publish("plan\nid: 7", "a\nid: 8\r\n\revent: x\r");
  EXPECT_EQ(ReadAll(cursor),
            "id: e-1\nevent: plan\ndata: a\ndata: id: 8\ndata: \ndata: event: x\ndata: \n\n");
}

TEST(EventCursorTest, GoesOnAfterTheLastIdOfTheClient) {
  const auto stream = MakeStream(10);
  for (const char* data : {"a", "b", "c"}) stream->Publish("plan", data);
  EventCursor second(stream, "e-2");
  EXPECT_EQ(ReadAll(second), Text(3, "c"));
  EventCursor last(stream, "e-3");
  EXPECT_EQ(ReadAll(last), "");
}

TEST(EventCursorTest, SaysHowManyAreGoneFromTheRing) {
  const auto stream = MakeStream(2);
  EventCursor slow(stream, "");
  for (const char* data : {"a", "b", "c", "d", "e"}) stream->Publish("plan", data);
  const std::string rest = Text(4, "d") + Text(5, "e");
  EXPECT_EQ(ReadAll(slow), "event: missed\ndata: {\"missed\":3}\n\n" + rest);
  EventCursor back(stream, "e-1");
  EXPECT_EQ(ReadAll(back), "event: missed\ndata: {\"missed\":2}\n\n" + rest);
}

TEST(EventCursorTest, FinishesTheEventItIsAtWhenTheRingMovesOn) {
  const auto stream = MakeStream(1);
  EventCursor cursor(stream, "");
  stream->Publish("plan", "a");
  std::array<char, 5> begin{};
  ASSERT_EQ(cursor.Read(begin.data(), begin.size()), begin.size());
  stream->Publish("plan", "b");
  stream->Publish("plan", "c");
  EXPECT_EQ(std::string(begin.data(), begin.size()) + ReadAll(cursor),
            Text(1, "a") + "event: missed\ndata: {\"missed\":1}\n\n" + Text(3, "c"));
}

TEST(EventCursorTest, DoesNotKnowWhatAnotherEpochMissed) {
  const auto stream = MakeStream(10);
  stream->Publish("plan", "a");
  for (const char* id : {"f-1", "e-9", "e-x", "e-", "1", "e-18446744073709551615"}) {
    EventCursor cursor(stream, id);
    EXPECT_EQ(ReadAll(cursor), "event: missed\ndata: {\"missed\":null}\n\n" + Text(1, "a")) << id;
  }
}

TEST(EventCursorTest, CountsBytesAsWellAsEvents) {
  const auto stream = MakeStream(1000, 3000);
  EventCursor cursor(stream, "");
  for (int i = 0; i < 5; ++i) stream->Publish("plan", std::string(1000, 'x'));
  EXPECT_THAT(ReadAll(cursor), HasSubstr("{\"missed\":3}"));
  stream->Publish("plan", std::string(5000, 'x'));  // Never fits.
  EXPECT_EQ(ReadAll(cursor), "event: missed\ndata: {\"missed\":1}\n\n");
}

TEST(EventCursorTest, EndsAfterTheLastEvent) {
  const auto stream = MakeStream(10);
  EventCursor cursor(stream, "");
  stream->Publish("plan", "a");
  stream->Close();
  stream->Publish("plan", "b");
  EXPECT_FALSE(cursor.AtEnd());
  EXPECT_EQ(ReadAll(cursor), Text(1, "a"));
  EXPECT_TRUE(cursor.AtEnd());
}

TEST(EventStreamTest, WakesTheServerOnlyWhileSomebodyReads) {
  const auto stream = MakeStream(10);
  const auto server = std::make_shared<WakeUp>();
  stream->Attach(server);
  const auto is_woken = [&] {
    pollfd state{server->fd(), POLLIN, 0};
    return poll(&state, 1, 0) == 1;
  };
  stream->Publish("plan", "a");
  EXPECT_FALSE(is_woken());
  {
    const EventCursor cursor(stream, "");
    stream->Publish("plan", "b");
    EXPECT_TRUE(is_woken());
    server->Clear();
    EXPECT_FALSE(is_woken());
  }
  stream->Publish("plan", "c");
  EXPECT_FALSE(is_woken());
}

class EventServerTest : public ::testing::Test {
 protected:
  void Start(std::shared_ptr<EventStream> published) {
    stream = std::move(published);
    test.handler.handle = [this](ApiRequest, ApiReply reply) {
      ApiResponse response;
      response.events = stream;
      reply.Send(std::move(response));
    };
    test.Start();
  }
  // One that the server has begun to send to.
  RawClient Reader(const std::string& headers = {}) {
    RawClient client = test.Tcp();
    client.Get("/v1/events", headers);
    EXPECT_THAT(client.ReadUntil("\r\n\r\n"), HasSubstr("Content-Type: text/event-stream\r\n"));
    if (headers.empty()) {
      EXPECT_NE(client.ReadUntil(":\n\n"), "");
    }
    return client;
  }

  std::shared_ptr<EventStream> stream;
  TestServer test;
};

TEST_F(EventServerTest, SendsEventsAsTheyCome) {
  Start(MakeStream(10));
  RawClient client = Reader();
  stream->Publish("plan", "a");
  EXPECT_THAT(client.ReadUntil("\n\n"), HasSubstr(Text(1, "a")));
  stream->Publish("plan", "b");
  EXPECT_THAT(client.ReadUntil("\n\n"), HasSubstr(Text(2, "b")));
  RawClient back = Reader("Last-Event-ID: e-1\r\n");
  EXPECT_THAT(back.ReadUntil("\n\n"), HasSubstr(Text(2, "b")));
}

TEST_F(EventServerTest, SendsCommentsIntoTheSilence) {
  test.options.stream_comment = std::chrono::milliseconds(20);
  test.options.response_timeout = std::chrono::milliseconds(1);  // Is not for silence.
  Start(MakeStream(10));
  RawClient client = Reader();
  for (int i = 0; i < 3; ++i) EXPECT_NE(client.ReadUntil(":\n\n"), "");
  stream->Publish("plan", "a");
  EXPECT_NE(client.ReadUntil(Text(1, "a")), "");
}

TEST_F(EventServerTest, ASlowReaderHoldsUpNobodyAndIsToldWhatItMissed) {
  constexpr int kEvents = 20'000;
  constexpr std::size_t kRing = 1000;
  Start(MakeStream(kRing));
  // Of HTTP/1.0, since the chunks of 1.1 would cut through the texts that are looked for.
  const std::string request = "GET /v1/events HTTP/1.0\r\nHost: localhost\r\n\r\n";
  RawClient slow = test.Tcp();
  slow.Send(request);
  RawClient quick = test.Tcp();
  quick.Send(request);
  EXPECT_NE(slow.ReadUntil(":\n\n"), "");
  EXPECT_NE(quick.ReadUntil(":\n\n"), "");
  const std::string data(200, 'x');
  std::atomic<int> read = 0;
  std::jthread reading([&] {
    for (int i = 1; i <= kEvents; ++i) {
      if (quick.ReadUntil(Text(i, data)).empty()) return;
      read = i;
    }
  });
  // Not faster than the quick one reads: that it misses nothing shows that the other delays nobody.
  for (int i = 1; i <= kEvents; ++i) {
    stream->Publish("plan", data);
    if (i % 500 == 0) {
      ASSERT_TRUE(Eventually([&] { return read >= i - 500; }));
    }
  }
  EXPECT_TRUE(Eventually([&] { return read == kEvents; }));
  // What the slow one finds: some from the buffers, then a gap, then the ring to its end.
  EXPECT_NE(slow.ReadUntil("event: missed\ndata: {\"missed\":"), "");
  EXPECT_NE(slow.ReadUntil(Text(kEvents, data)), "");
}

TEST_F(EventServerTest, CutsOffAReaderThatNeverReads) {
  test.options.response_timeout = std::chrono::milliseconds(100);
  test.options.max_streams = 1;
  Start(MakeStream(1000));
  RawClient client = test.Unix();
  client.Get("/v1/events");
  const std::string data(1000, 'x');
  // Its place is free again when it is gone.
  EXPECT_TRUE(Eventually([&] {
    for (int i = 0; i < 100; ++i) stream->Publish("plan", data);
    RawClient next = test.Unix();
    next.Get("/v1/events");
    return next.ReadUntil("\r\n").find("200") != std::string::npos;
  }));
}

TEST_F(EventServerTest, BoundsHowManyRead) {
  test.options.max_streams = 2;
  Start(MakeStream(10));
  RawClient first = Reader();
  RawClient second = Reader();
  RawClient third = test.Tcp();
  third.Get("/v1/events");
  EXPECT_EQ(third.Read().status, 503);
  second.Close();  // It is missed although nothing is published.
  EXPECT_TRUE(Eventually([&] {
    third.Get("/v1/events");
    return third.ReadUntil("\r\n\r\n").find("200 OK") != std::string::npos;
  }));
}

TEST_F(EventServerTest, EndsWithTheStreamAndWithTheServer) {
  Start(MakeStream(10));
  RawClient client = Reader();
  stream->Publish("plan", "last");
  stream->Close();
  EXPECT_NE(client.ReadUntil("0\r\n\r\n"), "");
  client.Get("/v1/events");  // The connection goes on; this stream has nothing more.
  EXPECT_NE(client.ReadUntil("0\r\n\r\n"), "");
  stream = MakeStream(10);
  RawClient reader = Reader();
  RawClient unread = Reader();
  for (int i = 0; i < 10; ++i) stream->Publish("plan", std::string(100'000, 'x'));
  test.server->Close();
  EXPECT_TRUE(reader.ReadToEnd());
  stream->Publish("plan", "to nobody");
}

TEST_F(EventServerTest, PublishesFromManyThreadsWhileClientsComeAndGo) {
  Start(MakeStream(50));
  std::vector<std::jthread> publishers;
  for (int i = 0; i < 3; ++i) {
    publishers.emplace_back([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) stream->Publish("plan", "a");
    });
  }
  for (int i = 0; i < 30; ++i) {
    RawClient client = test.Unix();
    client.Get("/v1/events");
    EXPECT_NE(client.ReadUntil("data: a\n\n"), "");
  }
  RawClient last = test.Unix();
  last.Get("/v1/events");
  EXPECT_NE(last.ReadUntil("data: a\n\n"), "");
  test.server.reset();
}

}  // namespace
}  // namespace lockstep::test
