// The watch of events against an engine that misbehaves.
#include "event_watch.h"

#include <gmock/gmock.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "lockstep/testing/matchers.h"
#include "stub_engine.h"

namespace lockstep::test {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// Whoever waits has waited, and is written down.
class InstantClock final : public Clock {
 public:
  // Asks for a stop in place of the pause after `count` others.
  void StopAfter(std::size_t count, std::stop_source stop) {
    pauses_left_ = count;
    stop_ = std::move(stop);
  }
  void Forget() { pauses_.clear(); }
  void Advance(milliseconds by) { now_ += by; }
  const std::vector<int>& pauses() const { return pauses_; }

  WallTime Now() override { return WallTime{}; }
  MonoTime Monotonic() override { return now_; }
  bool WaitUntil(std::condition_variable_any&, std::unique_lock<std::mutex>&,
                 std::optional<MonoTime> deadline, std::stop_token,
                 const std::function<bool()>& done) override {
    if (pauses_.size() == pauses_left_) {
      stop_.request_stop();
      return done();
    }
    pauses_.push_back(static_cast<int>((*deadline - now_).count()));
    now_ = *deadline;
    return done();
  }

 private:
  MonoTime now_{};
  std::size_t pauses_left_ = 0;
  std::stop_source stop_;
  std::vector<int> pauses_;
};

class Sink final : public EventSink {
 public:
  void OnEvent(const EngineEvent& event) override {
    events.push_back(event);
    if (on_event) on_event();
  }
  void OnGap() override { ++gaps; }

  int gaps = 0;
  std::vector<EngineEvent> events;
  std::function<void()> on_event;
};

std::string Event(const std::string& action, const std::string& more = {}) {
  return R"({"Type":"container","Action":")" + action + R"(","Actor":{"ID":"c"})" + more + "}\n";
}

class EventWatchTest : public ::testing::Test {
 protected:
  // Watches an engine that answers each call for events by `events`, until the stop request that
  // comes after `pauses` pauses at the latest.
  Result<void> Watch(StubEngine::Handler events, std::size_t pauses,
                     docker::WatchTimes times = {}) {
    StubEngine stub(
        [&](const std::string& line) { return line == "GET /version" ? version() : events(line); });
    clock.StopAfter(pauses, stop);
    docker::EngineApi api(docker::ParseEngineUrl(stub.url()).value(), {});
    docker::KnownNetworks networks;
    docker::Observer observer(api, networks);
    docker::EventWatch watch(api, observer, clock, times);
    return watch.Run(sink, stop.get_token());
  }

  // The reply to each call in turn; the last one to all that follow.
  static StubEngine::Handler Replies(std::vector<std::string> replies) {
    return [replies = std::move(replies), next = std::size_t{0}](const std::string&) mutable {
      const std::size_t now = next;
      if (next + 1 < replies.size()) ++next;
      return replies[now];
    };
  }

  std::function<std::string()> version = StubEngine::Version;
  std::stop_source stop;
  InstantClock clock;
  Sink sink;
};

TEST_F(EventWatchTest, CutStreamIsTakenUpAgainAndEachTellsItsGap) {
  EXPECT_THAT(Watch(Replies({StubEngine::Reply(Event("start"))}), 2),
              IsError(ErrorCode::kCancelled));
  EXPECT_EQ(sink.gaps, 3);
  EXPECT_THAT(sink.events, SizeIs(3));
}

TEST_F(EventWatchTest, EngineThatAcceptsAndStaysSilentIsAFailedAttempt) {
  docker::WatchTimes times;
  times.open_timeout = milliseconds(50);
  EXPECT_THAT(Watch(Replies({"", "", StubEngine::Reply(Event("start"))}), 2, times),
              IsError(ErrorCode::kCancelled));
  EXPECT_EQ(sink.gaps, 1) << "once it stands";
  EXPECT_THAT(clock.pauses(), ElementsAre(100, 200));
}

TEST_F(EventWatchTest, StreamThatDoesNotBeginIsGivenUpInTime) {
  StubEngine stub([](const std::string&) { return std::string(); });
  docker::HttpClient http(docker::ParseEngineUrl(stub.url()).value());
  docker::HttpRequest request;
  request.path = "/events";
  request.open_timeout = milliseconds(50);
  request.on_open = [] {};
  EXPECT_THAT(http.Perform(request, {}), IsError(ErrorCode::kDeadlineExceeded));
}

TEST_F(EventWatchTest, StreamThatStandsMayBeSilentForLongerThanItMayTakeToBegin) {
  StubEngine stub([](const std::string& line) {
    return line == "GET /version" ? StubEngine::Version() : StubEngine::OpenStream();
  });
  docker::HttpClient http(docker::ParseEngineUrl(stub.url()).value());
  docker::HttpRequest request;
  request.path = "/events";
  request.open_timeout = milliseconds(50);
  request.timeout = milliseconds(150);
  bool opened = false;
  request.on_open = [&] { opened = true; };
  const auto began = std::chrono::steady_clock::now();
  EXPECT_THAT(http.Perform(request, {}), IsError(ErrorCode::kDeadlineExceeded));
  EXPECT_TRUE(opened);
  EXPECT_GE(std::chrono::steady_clock::now() - began, request.timeout);
}

TEST_F(EventWatchTest, StreamThatEndsAtOnceIsTriedEverMoreSeldom) {
  EXPECT_THAT(Watch(Replies({StubEngine::Reply("")}), 9), IsError(ErrorCode::kCancelled));
  EXPECT_THAT(clock.pauses(), ElementsAre(100, 200, 400, 800, 1600, 3200, 6400, 10'000, 10'000));
}

TEST_F(EventWatchTest, StreamOfALineWithoutEndIsTriedEverMoreSeldom) {
  EXPECT_THAT(Watch(Replies({StubEngine::Reply(std::string(std::size_t{3} << 20, 'x'))}), 3),
              IsError(ErrorCode::kCancelled));
  EXPECT_THAT(clock.pauses(), ElementsAre(100, 200, 400));
}

TEST_F(EventWatchTest, OnlyAStreamThatStoodLongIsTakenUpSoon) {
  for (const auto& [stood, then] : {std::pair{9'999, 800}, std::pair{10'000, 100}}) {
    stop = {};
    clock.Forget();
    sink.on_event = [&, by = milliseconds(stood)] { clock.Advance(by); };
    const std::string brief = StubEngine::Reply("");
    const std::string lasting = StubEngine::Reply(Event("start"));
    EXPECT_THAT(Watch(Replies({brief, brief, brief, lasting, brief}), 5),
                IsError(ErrorCode::kCancelled));
    EXPECT_THAT(clock.pauses(), ElementsAre(100, 200, 400, then, 2 * then)) << stood;
  }
}

TEST_F(EventWatchTest, FailedAttemptsTellNoGap) {
  const std::string refused = StubEngine::Reply(R"({"message":"starting"})", 500);
  EXPECT_THAT(Watch(Replies({refused, refused, StubEngine::Reply("")}), 2),
              IsError(ErrorCode::kCancelled));
  EXPECT_EQ(sink.gaps, 1);
}

TEST_F(EventWatchTest, WatcherThatIsNotAllowedTriesAgain) {
  EXPECT_THAT(Watch(Replies({StubEngine::Reply(R"({"message":"unauthorized"})", 401),
                             StubEngine::Reply("")}),
                    1),
              IsError(ErrorCode::kCancelled));
  EXPECT_EQ(sink.gaps, 1);
}

TEST_F(EventWatchTest, EngineThatIsUpdatedFromATooOldVersionIsWatched) {
  bool old = true;
  version = [&] {
    if (!std::exchange(old, false)) return StubEngine::Version();
    return StubEngine::Reply(R"({"Version":"18.06","ApiVersion":"1.38"})");
  };
  EXPECT_THAT(Watch(Replies({StubEngine::Reply("")}), 1), IsError(ErrorCode::kCancelled));
  EXPECT_EQ(sink.gaps, 1);
}

TEST_F(EventWatchTest, DeathIsAskedForAndUnderstoodByEitherName) {
  std::string asked;
  const auto events = [&](const std::string& line) {
    asked = line;
    return StubEngine::Reply(Event("die") + Event("died"));
  };
  EXPECT_THAT(Watch(events, 0), IsError(ErrorCode::kCancelled));
  EXPECT_THAT(asked, HasSubstr(docker::EscapeQuery(R"("die")")));
  EXPECT_THAT(asked, HasSubstr(docker::EscapeQuery(R"("died")")));
  ASSERT_THAT(sink.events, SizeIs(2));
  for (const EngineEvent& event : sink.events) {
    EXPECT_EQ(event.kind, EngineEventKind::kDied);
    EXPECT_EQ(event.container, "c");
  }
}

TEST_F(EventWatchTest, ExitCodeAndRemovalAreUnderstoodInPodmansWords) {
  const auto died =
      docker::ReadEventLine(R"({"Type":"container","Action":"died",)"
                            R"("Actor":{"ID":"c","Attributes":{"containerExitCode":"3"}}})");
  EXPECT_EQ(died.event.exit_code, 3);
  EXPECT_EQ(docker::ReadEventLine(Event("remove")).event.kind, EngineEventKind::kRemoved);
}

struct RepeatCase {
  const char* name;
  std::string second;
  std::size_t reported;
};

TEST_F(EventWatchTest, OnlyAnExactRepeatIsLeftOut) {
  const std::string at_seven = R"(,"timeNano":7)";
  const std::string other =
      R"({"Type":"container","Action":"start","Actor":{"ID":"d"},"timeNano":7})";
  for (const RepeatCase& row : {
           RepeatCase{"the same", Event("start", at_seven), 1},
           RepeatCase{"another time", Event("start", R"(,"timeNano":8)"), 2},
           RepeatCase{"another action", Event("die", at_seven), 2},
           RepeatCase{"another container", other + "\n", 2},
           RepeatCase{"the same after others", Event("die", at_seven) + Event("start", at_seven),
                      2},
       }) {
    stop = {};
    sink.events.clear();
    EXPECT_THAT(Watch(Replies({StubEngine::Reply(Event("start", at_seven) + row.second)}), 0),
                IsError(ErrorCode::kCancelled));
    EXPECT_THAT(sink.events, SizeIs(row.reported)) << row.name;
  }
}

TEST_F(EventWatchTest, EventsWithoutATimeAreNeverRepeats) {
  EXPECT_THAT(Watch(Replies({StubEngine::Reply(Event("start") + Event("start"))}), 0),
              IsError(ErrorCode::kCancelled));
  EXPECT_THAT(sink.events, SizeIs(2));
}

}  // namespace
}  // namespace lockstep::test
