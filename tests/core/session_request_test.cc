// What a person asks of an app, as a Session carries it out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lockstep/session.h"
#include "simulated_device.h"

namespace lockstep::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<ServiceDraft> kServices = {{.name = "db"}, {.name = "web", .depends_on = {"db"}}};

ObservedState Committed() {
  ObservedState observed = Running(MakeApp("c1", kServices));
  observed.AppFor(kApp).committed = "c1";
  return observed;
}

SessionOptions KeepGoing(bool keep_going = true) {
  SessionOptions options;
  options.keep_going = keep_going;
  return options;
}

Target Same() { return MakeTarget({MakeApp("c1", kServices)}); }

// What is to be done, and is then done at once: the first step of `kind`.
std::optional<Step> Find(const std::vector<Action>& actions, StepKind kind) {
  for (const Action& action : actions) {
    const auto* run = std::get_if<RunStepAction>(&action);
    if (run != nullptr && run->step.kind == kind) return run->step;
  }
  return std::nullopt;
}

TEST(SessionRequestTest, RestartsOnceHoweverOftenItIsKilled) {
  int crashed = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    ObservedState observed = Committed();
    observed.AppFor(kApp).restart = {"db-c1-1", "web-c1-1"};
    SimulatedDevice device(std::move(observed), Same(), seed, {.crash = 30});
    device.Run({});
    EXPECT_THAT(device.broken(), IsEmpty()) << seed;
    EXPECT_THAT(device.truth().FindApp(kApp)->restart, IsEmpty()) << seed;
    EXPECT_THAT(device.truth().FindApp(kApp)->interrupted, IsEmpty()) << seed;
    for (const char* step : {"stop-container web", "start-container web", "stop-container db"}) {
      const auto times =
          std::count_if(device.done().begin(), device.done().end(),
                        [&](const std::string& done) { return done.starts_with(step); });
      EXPECT_EQ(times, 1) << seed << ": " << step;
    }
    crashed += device.crashes() > 0 ? 1 : 0;
  }
  EXPECT_GT(crashed, 50);
}

TEST(SessionRequestTest, WhatWasStoppedForARestartIsRememberedBeforeItStarts) {
  ObservedState observed = Committed();
  observed.AppFor(kApp).restart = {"web-c1-1"};
  observed.AppFor(kApp).cutover = "c1";
  observed.spans = {kApp};
  Session session(Same(), {});
  session.OnObserved(observed, MonoTime{});
  const auto stop = Find(session.Next(MonoTime{}), StepKind::kStopContainer);
  ASSERT_TRUE(stop);
  session.OnStepDone(stop->id, {}, MonoTime{});
  const auto actions = session.Next(MonoTime{});
  std::size_t saved = actions.size();
  std::size_t started = actions.size();
  for (std::size_t i = 0; i < actions.size(); ++i) {
    const auto* save = std::get_if<SaveRecordAction>(&actions[i]);
    if (save != nullptr && save->record.restart.empty() &&
        save->record.interrupted == std::vector<std::string>{"web-c1-1"}) {
      saved = std::min(saved, i);
    }
    const auto* run = std::get_if<RunStepAction>(&actions[i]);
    if (run != nullptr && run->step.kind == StepKind::kStartContainer) started = i;
  }
  EXPECT_LT(saved, started);
  EXPECT_LT(started, actions.size());
}

TEST(SessionRequestTest, ForgetsARestartOfWhatHasEnded) {
  ObservedState observed = Committed();
  observed.AppFor(kApp).restart = {"gone", "web-c1-1"};
  observed.AppFor(kApp).stopped = {"web"};
  ContainerOf(observed, "web-c1-1").state = ContainerState::kExited;
  ContainerOf(observed, "web-c1-1").restart_policy = "no";
  SimulatedDevice device(std::move(observed), Same(), 1, {});
  device.Run({});
  EXPECT_THAT(device.session().observed().FindApp(kApp)->restart, IsEmpty());
  EXPECT_THAT(device.done(), IsEmpty());
}

TEST(SessionRequestTest, NobodyWaitsForAPauseButWhoKeepsGoing) {
  for (const bool keep_going : {false, true}) {
    ObservedState observed = Committed();
    observed.AppFor(kApp).paused = true;
    Session session(MakeTarget({MakeApp("c2", kServices)}), KeepGoing(keep_going));
    session.OnObserved(observed, MonoTime{});
    const auto actions = session.Next(MonoTime{});
    EXPECT_FALSE(Find(actions, StepKind::kRenameContainer));
    EXPECT_EQ(session.Finished(), !keep_going);
    ASSERT_EQ(session.Reports().size(), 1U);
    EXPECT_EQ(session.Reports()[0].outcome, ApplyOutcome::kHeld);
    if (!keep_going) continue;
    session.OnAppRequest({AppRequestKind::kResume, kApp});
    EXPECT_TRUE(Find(session.Next(MonoTime{}), StepKind::kRenameContainer));
  }
}

TEST(SessionRequestTest, WhatIsAskedAgainDuringALookIsDoneOnceAndInTheOrderOfTheLast) {
  const ObservedState observed = Committed();
  Session session(Same(), KeepGoing());
  session.OnObserved(observed, MonoTime{});
  (void)session.Next(MonoTime{});
  session.OnEngineGap();
  (void)session.Next(MonoTime{});
  for (int times = 0; times < 100; ++times) {
    session.OnAppRequest({AppRequestKind::kResume, kApp});
    session.OnAppRequest({AppRequestKind::kPause, kApp});
  }
  session.OnObserved(observed, MonoTime{});
  std::vector<bool> paused;
  for (const Action& action : session.Next(MonoTime{})) {
    const auto* save = std::get_if<SaveRecordAction>(&action);
    if (save != nullptr) paused.push_back(save->record.paused);
  }
  EXPECT_THAT(paused, ElementsAre(false, true));
}

TEST(SessionRequestTest, LooksAtOnceAndThenOnceASecondHoweverOftenItIsAsked) {
  const ObservedState observed = Committed();
  Session session(Same(), KeepGoing());
  session.OnObserved(observed, MonoTime{});
  (void)session.Next(MonoTime{});
  std::vector<int> looks;
  for (int ms = 0; ms < 3000; ++ms) {
    const MonoTime now{std::chrono::milliseconds(ms)};
    session.OnUpdateRequest({});
    for (const Action& action : session.Next(now)) {
      if (!std::holds_alternative<LookAction>(action)) continue;
      looks.push_back(ms);
      session.OnObserved(observed, now);
    }
  }
  EXPECT_THAT(looks, ElementsAre(0, 1000, 2000));
}

TEST(SessionRequestTest, KeepsWhatIsKnownWithoutARecordWhenOneIsAskedFor) {
  Session session(Same(), KeepGoing());
  session.OnObserved(Running(MakeApp("c1", kServices)), MonoTime{});
  (void)session.Next(MonoTime{});
  session.OnAppRequest({AppRequestKind::kPause, kApp});
  (void)session.Next(MonoTime{});
  ASSERT_TRUE(session.observed().FindApp(kApp));
  EXPECT_EQ(session.observed().FindApp(kApp)->committed, "c1");
}

TEST(SessionRequestTest, AStepThatBeganBeforeForgetsNothingThatIsAskedMeanwhile) {
  ObservedState observed = Committed();
  AppRecord& record = observed.AppFor(kApp);
  record.retired = {"sha256:old"};
  observed.engine.images.push_back({"sha256:old", {"registry.example/old:1"}, {}});
  Sort(observed);
  Session session(Same(), KeepGoing());
  session.OnObserved(observed, MonoTime{});
  const auto removal = Find(session.Next(MonoTime{}), StepKind::kRemoveImage);
  ASSERT_TRUE(removal);
  session.OnAppRequest({AppRequestKind::kPause, kApp});
  (void)session.Next(MonoTime{});
  session.OnStepDone(removal->id, {}, MonoTime{});
  std::optional<AppRecord> saved;
  for (const Action& action : session.Next(MonoTime{})) {
    if (const auto* save = std::get_if<SaveRecordAction>(&action)) saved = save->record;
  }
  ASSERT_TRUE(saved);
  EXPECT_TRUE(saved->paused);
  EXPECT_THAT(saved->retired, IsEmpty());
}

TEST(SessionRequestTest, ReportsWhatCannotBeDone) {
  Session session(Same(), KeepGoing());
  session.OnObserved(Committed(), MonoTime{});
  (void)session.Next(MonoTime{});
  session.OnAppRequest({AppRequestKind::kStop, kApp, {"wbe"}});
  bool told = false;
  for (const Action& action : session.Next(MonoTime{})) {
    const auto* report = std::get_if<ReportAction>(&action);
    told = told || (report != nullptr && report->event.error &&
                    report->event.error->code == ErrorCode::kNotFound);
    EXPECT_FALSE(std::holds_alternative<SaveRecordAction>(action));
  }
  EXPECT_TRUE(told);
}

TEST(SessionRequestTest, RemovesAnAppToTheEndHoweverOftenItIsKilled) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    ObservedState observed = Committed();
    observed.AppFor(kApp).remove = true;
    Target nobodys;
    nobodys.whole_device = false;
    SimulatedDevice device(std::move(observed), nobodys, seed, {.crash = 30});
    device.Run({});
    EXPECT_THAT(device.broken(), IsEmpty()) << seed;
    EXPECT_THAT(device.truth().engine.containers, IsEmpty()) << seed;
    EXPECT_THAT(device.truth().engine.images, IsEmpty()) << seed;
    EXPECT_EQ(device.truth().FindApp(kApp), nullptr) << seed;
  }
}

}  // namespace
}  // namespace lockstep::test
