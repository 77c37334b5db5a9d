#include "apply_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "live_painter.h"

namespace lockstep {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

MonoTime At(milliseconds time) { return MonoTime(time); }

Event StepEvent(EventKind kind, StepKind step, std::uint64_t id = 1) {
  Event event;
  event.kind = kind;
  event.app = "aa";
  event.service = "web";
  event.step = StepId{id};
  event.step_kind = step;
  event.subject = "x/web:2";
  return event;
}

Event Bytes(std::int64_t current, std::int64_t total) {
  Event event = StepEvent(EventKind::kProgress, StepKind::kPullImage);
  event.current_bytes = current;
  event.total_bytes = total;
  return event;
}

Event HeldEvent() {
  Event event;
  event.kind = EventKind::kHeld;
  event.app = "aa";
  event.time = WallTime(seconds(1'000));
  LockHolder holder;
  holder.app = "aa";
  holder.service = "web";
  holder.path = "/locks/1/web/updates.lock";
  holder.since = WallTime(seconds(880));
  event.holders = {holder};
  return event;
}

TEST(RenderPullTest, ShowsMoreTheMoreRoomThereIs) {
  const PullView pull{"download web", 20'000'000, 40'000'000, 2'000'000};
  EXPECT_EQ(RenderPull(pull, 100),
            "download web  [===================>                  ]   50%  20.0 MB / 40.0 MB  "
            "2.0 MB/s  10 s left");
  EXPECT_THAT(RenderPull(pull, 70),
              AllOf(HasSubstr("50%"), HasSubstr("2.0 MB/s"), Not(HasSubstr("left"))));
  EXPECT_THAT(RenderPull(pull, 40), AllOf(HasSubstr("50%"), Not(HasSubstr("MB/s"))));
}

TEST(RenderPullTest, NeverExceedsTheWidth) {
  for (const PullView& pull :
       {PullView{"download web", 20, 40, 2}, PullView{"download web", 0, 0, 0},
        PullView{std::string(200, 'x'), 123'456'789'012, 987'654'321'098, 12'345'678},
        PullView{"over", 50, 40, 0}, PullView{"negative", -5, 40, -1}}) {
    for (int width = 1; width < 140; ++width) {
      EXPECT_LE(DisplayWidth(RenderPull(pull, width)), width) << pull.label;
    }
  }
}

TEST(ApplyProgressTest, PlainLinesOfAPullAreRateLimited) {
  ApplyProgress progress{Style()};
  EXPECT_THAT(progress.OnEvent(StepEvent(EventKind::kStepStarted, StepKind::kPullImage),
                               At(seconds(0)), false),
              ElementsAre("aa: download x/web:2"));
  std::vector<std::string> lines;
  for (int tenth = 1; tenth <= 100; ++tenth) {
    Event event = Bytes(tenth * 100'000, 20'000'000);
    event.bytes_per_second = 1e6;
    for (auto& line : progress.OnEvent(event, At(milliseconds(tenth * 100)), false)) {
      lines.push_back(std::move(line));
    }
  }
  EXPECT_THAT(lines, ElementsAre(HasSubstr("25%, 5.0 MB of 20.0 MB, 1.0 MB/s, 15 s left"),
                                 HasSubstr("50%, 10.0 MB of 20.0 MB, 1.0 MB/s, 10 s left")));
  EXPECT_THAT(progress.OnEvent(StepEvent(EventKind::kStepDone, StepKind::kPullImage),
                               At(seconds(12)), false),
              ElementsAre("aa: download x/web:2: done in 12 s, 20.0 MB"));
}

TEST(ApplyProgressTest, OnATerminalAPullIsALiveLineUntilItIsDone) {
  ApplyProgress progress{Style()};
  EXPECT_THAT(progress.OnEvent(StepEvent(EventKind::kStepStarted, StepKind::kPullImage),
                               At(seconds(0)), true),
              IsEmpty());
  EXPECT_THAT(progress.OnEvent(Bytes(5, 10), At(seconds(9)), true), IsEmpty());
  EXPECT_THAT(progress.Live(At(seconds(9)), 80), ElementsAre(HasSubstr("50%")));
  EXPECT_THAT(progress.OnEvent(StepEvent(EventKind::kStepDone, StepKind::kPullImage),
                               At(seconds(10)), true),
              SizeIs(1));
  EXPECT_THAT(progress.Live(At(seconds(10)), 80), IsEmpty());
}

TEST(ApplyProgressTest, SaysWhoHoldsAndSinceWhenAndHowToSeeMore) {
  ApplyProgress progress{Style()};
  const auto lines = progress.OnEvent(HeldEvent(), At(seconds(0)), true);
  EXPECT_THAT(
      lines, ElementsAre("aa: held by an update lock",
                         AllOf(HasSubstr("web: /locks/1/web/updates.lock"), HasSubstr("for 2 min")),
                         HasSubstr("lockstep locks")));
  EXPECT_THAT(progress.Live(At(seconds(30)), 80), ElementsAre("aa: held by web, waiting for 30 s"));
  Event released;
  released.kind = EventKind::kReleased;
  released.app = "aa";
  EXPECT_THAT(progress.OnEvent(released, At(seconds(31)), true),
              ElementsAre("aa: free after 31 s"));
  EXPECT_THAT(progress.Live(At(seconds(31)), 80), IsEmpty());
}

TEST(ApplyProgressTest, NamesTheLocksThatForceRanOver) {
  ApplyProgress progress{Style()};
  Event taken = StepEvent(EventKind::kStepDone, StepKind::kTakeLocks);
  taken.service.clear();
  taken.holders = HeldEvent().holders;
  taken.time = HeldEvent().time;
  EXPECT_THAT(progress.OnEvent(taken, At(seconds(0)), false),
              ElementsAre(AllOf(HasSubstr("aa: ran over the update lock of web: "),
                                HasSubstr("/locks/1/web/updates.lock")),
                          "aa: take the update locks: done"));
}

TEST(ApplyProgressTest, TakesTheLocksAfterTheyAreFree) {
  ApplyProgress progress{Style()};
  (void)progress.OnEvent(HeldEvent(), At(seconds(0)), false);
  Event taken = StepEvent(EventKind::kStepDone, StepKind::kTakeLocks);
  EXPECT_THAT(progress.OnEvent(taken, At(seconds(4)), false),
              ElementsAre("aa: free after 4.0 s", HasSubstr("take the update locks")));
  Event released;
  released.kind = EventKind::kReleased;
  released.app = "aa";
  EXPECT_THAT(progress.OnEvent(released, At(seconds(4)), false), IsEmpty());
}

TEST(ApplyProgressTest, CutsTheCommitOfAReleaseShort) {
  ApplyProgress progress{Style()};
  Event committed = StepEvent(EventKind::kStepDone, StepKind::kCommitRelease);
  committed.subject = "0123456789abcdef";
  EXPECT_THAT(progress.OnEvent(committed, At(seconds(0)), false),
              ElementsAre("aa: commit release 01234567: done"));
}

TEST(ApplyProgressTest, ALiveLineNamesEachKindOfStepOnceWithItsServicesInOrder) {
  ApplyProgress progress{Style()};
  const auto start = [&](StepKind kind, std::uint64_t id, const std::string& service, int at) {
    Event event = StepEvent(EventKind::kStepStarted, kind, id);
    event.service = service;
    (void)progress.OnEvent(event, At(seconds(at)), true);
  };
  start(StepKind::kAwaitHealth, 1, "web", 2);
  start(StepKind::kAwaitHealth, 2, "worker", 0);
  start(StepKind::kAwaitHealth, 3, "db", 1);
  start(StepKind::kStartContainer, 4, "proxy", 3);
  EXPECT_THAT(progress.Live(At(seconds(4)), 80),
              ElementsAre("aa: start proxy (1.0 s), wait until settled: db, web, worker (4.0 s)"));
}

TEST(ApplyProgressTest, ACutoverLastsFromTakingTheLocksToGivingThemBack) {
  ApplyProgress progress{Style()};
  const auto feed = [&](EventKind kind, StepKind step) {
    (void)progress.OnEvent(StepEvent(kind, step), At(seconds(0)), false);
  };
  feed(EventKind::kStepStarted, StepKind::kTakeLocks);
  EXPECT_FALSE(progress.CuttingOver());
  feed(EventKind::kStepDone, StepKind::kTakeLocks);
  EXPECT_TRUE(progress.CuttingOver());
  feed(EventKind::kStepDone, StepKind::kStopContainer);
  EXPECT_TRUE(progress.CuttingOver());
  feed(EventKind::kStepDone, StepKind::kReleaseLocks);
  EXPECT_FALSE(progress.CuttingOver());
}

TEST(ApplyProgressTest, AFailedStepSaysWhy) {
  ApplyProgress progress{Style()};
  Event failed = StepEvent(EventKind::kStepFailed, StepKind::kPullImage);
  failed.error = MakeError(ErrorCode::kNotFound, "no such\x1b image", "check its name");
  EXPECT_THAT(progress.OnEvent(failed, At(seconds(0)), false),
              ElementsAre(AllOf(HasSubstr("download x/web:2: failed"), HasSubstr("check its name"),
                                Not(HasSubstr("\x1b")))));
}

TEST(ApplyProgressTest, BelowAFailureStandsWhatTheContainerPrinted) {
  ApplyProgress progress{Style(true)};
  Event failed = StepEvent(EventKind::kStepFailed, StepKind::kAwaitHealth);
  failed.error = MakeError(ErrorCode::kUnavailable, "it did not stay up: it exited with 3");
  failed.findings.exit_code = 3;
  failed.findings.last_lines = {"starting", "no\x1b[2J \xe2\x80\xae config"};
  EXPECT_THAT(
      progress.OnEvent(failed, At(seconds(0)), false),
      ElementsAre(HasSubstr("it exited with 3"), "  it printed last:", "    \x1b[2mstarting\x1b[0m",
                  "    \x1b[2mno\\x1b[2J \\xe2\\x80\\xae config\x1b[0m"));
  failed.findings.last_lines.clear();
  failed.findings.lines_missing = "it has no log";
  EXPECT_THAT(progress.OnEvent(failed, At(seconds(0)), false),
              ElementsAre(HasSubstr("it exited with 3"),
                          "  what it printed cannot be read: it has no log"));
}

TEST(ApplyProgressTest, WarnsOfWhatIsNoStep) {
  ApplyProgress progress{Style()};
  Event event;
  event.kind = EventKind::kStepFailed;
  event.app = "shop";
  event.error = MakeError(ErrorCode::kUnavailable, "no watch is left", "raise the limit");
  EXPECT_THAT(progress.OnEvent(event, At(seconds(0)), false),
              ElementsAre(HasSubstr("warning: unavailable : no watch is left; raise the limit")));
}

TEST(ApplyProgressTest, ShowsNoMoreThanAFewLiveLines) {
  ApplyProgress progress{Style()};
  for (std::uint64_t id = 1; id <= 20; ++id) {
    (void)progress.OnEvent(StepEvent(EventKind::kStepStarted, StepKind::kPullImage, id),
                           At(seconds(0)), true);
  }
  const auto lines = progress.Live(At(seconds(1)), 60);
  EXPECT_THAT(lines, SizeIs(8));
  EXPECT_EQ(lines.back(), "and 13 more");
}

TEST(LivePainterTest, DrawsOverTheLastFrameWithoutClearingFirst) {
  LivePainter painter;
  EXPECT_EQ(painter.Frame({}, {"one", "two"}, 80), "one\x1b[K\ntwo\x1b[K\n");
  EXPECT_EQ(painter.Frame({}, {"1", "2"}, 80), "\r\x1b[2A1\x1b[K\n2\x1b[K\n");
}

TEST(LivePainterTest, KeptLinesScrollAwayAboveTheLiveOnes) {
  LivePainter painter;
  (void)painter.Frame({}, {"live"}, 80);
  EXPECT_EQ(painter.Frame({"kept"}, {"live"}, 80), "\r\x1b[1A\x1b[Jkept\nlive\x1b[K\n");
}

TEST(LivePainterTest, RemovesLinesThatAreNoLongerLive) {
  LivePainter painter;
  (void)painter.Frame({}, {"one", "two"}, 80);
  EXPECT_EQ(painter.Frame({}, {}, 80), "\r\x1b[2A\x1b[J");
  EXPECT_EQ(painter.Frame({}, {}, 80), "");
}

TEST(LivePainterTest, CountsTheRowsThatANarrowerTerminalMade) {
  LivePainter painter;
  (void)painter.Frame({}, {std::string(70, 'x'), "short"}, 80);
  EXPECT_EQ(painter.Frame({}, {"x", "y"}, 30), "\r\x1b[4Ax\x1b[K\ny\x1b[K\n\x1b[J");
}

}  // namespace
}  // namespace lockstep
