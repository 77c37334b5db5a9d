#include "lockstep/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulated_device.h"

namespace lockstep::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

const std::vector<ServiceDraft> kOld = {{.name = "db"}, {.name = "web", .depends_on = {"db"}}};
const std::vector<ServiceDraft> kNew = {
    {.name = "db", .image = "registry.example/db:2"},
    {.name = "web", .image = "registry.example/web:2", .depends_on = {"db"}}};

TEST(SessionTest, MovesAnAppToItsTarget) {
  const Target target = MakeTarget({MakeApp("c2", kNew)});
  SimulatedDevice device(Running(MakeApp("c1", kOld)), target, 1, {});
  device.Run({});
  EXPECT_EQ(OutcomeOf(device), ApplyOutcome::kInSync);
  EXPECT_THAT(NamesUp(device.truth().engine), ElementsAre("db_0_0_c2", "web_0_0_c2"));
  EXPECT_THAT(device.broken(), IsEmpty());
  EXPECT_THAT(device.truth().spans, IsEmpty());
  EXPECT_EQ(device.truth().FindApp(kApp)->committed, "c2");
}

TEST(SessionTest, IsFinishedAtOnceWhenInSync) {
  const TargetApp app = MakeApp("c1", kOld);
  Session session(MakeTarget({app}), {});
  session.OnObserved(Running(app), MonoTime{});
  const auto actions = session.Next(MonoTime{});
  EXPECT_TRUE(session.Finished());
  for (const Action& action : actions) {
    EXPECT_TRUE(std::holds_alternative<ReportAction>(action)) << action.index();
  }
}

TEST(SessionTest, AsksForALookWhenItKnowsNothing) {
  Session session(MakeTarget({}), {});
  const auto actions = session.Next(MonoTime{});
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<LookAction>(actions[0]));
}

// The slots for downloads are shared by the apps.
TEST(SessionTest, PullsAsManyAtOnceAsAllowedAndOneOfEachAppFirst) {
  TargetApp many = MakeApp("c1", {{.name = "a", .image = "r/a:1"},
                                  {.name = "b", .image = "r/b:1"},
                                  {.name = "c", .image = "r/c:1"},
                                  {.name = "d", .image = "r/d:1"}});
  TargetApp one = MakeApp("c1", {{.name = "z", .image = "r/z:1"}});
  one.uuid = "zz";
  one.id = "99";
  SessionOptions options;
  options.parallel_pulls = 3;
  Session session(MakeTarget({many, one}), options);
  session.OnObserved(ObservedState{}, MonoTime{});
  std::map<std::string, std::vector<StepId>> pulling;
  const auto collect = [&] {
    for (const Action& action : session.Next(MonoTime{})) {
      const auto* run = std::get_if<RunStepAction>(&action);
      if (run == nullptr || run->step.kind != StepKind::kPullImage) continue;
      pulling[run->step.app].push_back(run->step.id);
    }
  };
  collect();
  EXPECT_EQ(pulling[many.uuid].size(), 2u);
  EXPECT_EQ(pulling[one.uuid].size(), 1u);
  StepResult pulled;
  pulled.id = "sha256:z";
  session.OnStepDone(pulling[one.uuid].front(), pulled, MonoTime{});
  collect();
  EXPECT_EQ(pulling[many.uuid].size(), 3u) << "a slot that came free stayed so";
  session.OnStepFailed(pulling[many.uuid].front(), MakeError(ErrorCode::kNotFound, "no"),
                       MonoTime{});
  collect();
  EXPECT_EQ(pulling[many.uuid].size(), 3u) << "the app that failed looks first";
}

TEST(SessionTest, WaitsForALockWithoutATimer) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.locks.push_back(HeldBy("db"));
  Session session(MakeTarget({MakeApp("c2", {{.name = "db"}})}), {});
  session.OnObserved(observed, MonoTime{});
  const auto actions = session.Next(MonoTime{});
  EXPECT_FALSE(session.Finished());
  EXPECT_EQ(session.WakeAt(), std::nullopt);
  const auto watch = std::find_if(actions.begin(), actions.end(), [](const Action& action) {
    return std::holds_alternative<WatchLocksAction>(action);
  });
  ASSERT_NE(watch, actions.end());
  EXPECT_EQ(std::get<WatchLocksAction>(*watch).services.size(), 2u);
}

TEST(SessionTest, TriesToTakeTheLocksTheMomentOneIsReleased) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.locks.push_back(HeldBy("db"));
  Session session(MakeTarget({MakeApp("c2", {{.name = "db"}})}), {});
  session.OnObserved(observed, MonoTime{});
  (void)session.Next(MonoTime{});
  session.OnLocksChanged();
  std::vector<StepKind> run;
  for (const Action& action : session.Next(MonoTime{})) {
    if (const auto* step = std::get_if<RunStepAction>(&action)) run.push_back(step->step.kind);
  }
  EXPECT_THAT(run, ElementsAre(StepKind::kTakeLocks));
}

TEST(SessionTest, TriesAgainWhenALockIsReleasedDuringAnAttempt) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  Session session(MakeTarget({MakeApp("c2", {{.name = "db"}})}), {});
  session.OnObserved(observed, MonoTime{});
  const auto attempt = [&]() -> std::optional<StepId> {
    for (const Action& action : session.Next(MonoTime{})) {
      const auto* run = std::get_if<RunStepAction>(&action);
      if (run != nullptr && run->step.kind == StepKind::kTakeLocks) return run->step.id;
    }
    return std::nullopt;
  };
  const auto first = attempt();
  ASSERT_TRUE(first.has_value());
  session.OnLocksChanged();
  StepResult held;
  held.holders = {HeldBy("db")};
  session.OnStepDone(*first, held, MonoTime{});
  const auto second = attempt();
  ASSERT_TRUE(second.has_value()) << "the release was missed";
  // And where nothing changed meanwhile it waits.
  session.OnStepDone(*second, held, MonoTime{});
  EXPECT_FALSE(attempt().has_value());
}

// Twenty looks in a row find no engine, and no step does. Returns how many looks were asked for.
int LooksAtAnEngineThatIsAway(Session& session) {
  MonoTime now{};
  const Error away = MakeError(ErrorCode::kUnavailable, "no engine");
  session.OnEngineGap();
  int looks = 0;
  for (int i = 0; i < 20; ++i) {
    for (const Action& action : session.Next(now)) {
      if (const auto* run = std::get_if<RunStepAction>(&action)) {
        session.OnStepFailed(run->step.id, away, now);
      } else if (std::holds_alternative<LookAction>(action)) {
        ++looks;
        session.OnLookFailed(away, now);
      }
    }
    now = session.WakeAt().value_or(now);
  }
  return looks;
}

TEST(SessionTest, AnEngineThatIsAwayEndsNoWaitForALock) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.locks.push_back(HeldBy("db"));
  Session session(MakeTarget({MakeApp("c2", {{.name = "db"}})}), {});
  session.OnObserved(observed, MonoTime{});
  (void)session.Next(MonoTime{});
  EXPECT_GE(LooksAtAnEngineThatIsAway(session), 10);
  EXPECT_FALSE(session.Finished());
}

// Its death is heard in part: of a lock, or of containers that ended with it.
TEST(SessionTest, WhatIsHeardWhileAnEngineDiesEndsNoWaitForALock) {
  for (const bool of_lock : {true, false}) {
    SCOPED_TRACE(of_lock ? "of a lock" : "of its containers");
    ObservedState observed = Running(MakeApp("c1", kOld));
    observed.locks.push_back(HeldBy("db"));
    Session session(MakeTarget({MakeApp("c2", kNew)}), {});
    session.OnObserved(observed, MonoTime{});
    const auto actions = session.Next(MonoTime{});
    for (const Action& action : actions) {
      const auto* run = std::get_if<RunStepAction>(&action);
      if (run == nullptr) continue;
      session.OnStepFailed(run->step.id, MakeError(ErrorCode::kUnavailable, "no engine"), {});
    }
    if (of_lock) {
      session.OnLocksChanged();
    } else {
      for (const ObservedContainer& container : observed.engine.containers) {
        session.OnEngineEvent({.kind = EngineEventKind::kDied, .container = container.id}, {});
      }
    }
    EXPECT_GE(LooksAtAnEngineThatIsAway(session), 10);
    EXPECT_FALSE(session.Finished());
  }
}

TEST(SessionTest, EndsWhereTheEngineStaysAwayAndNothingIsWaitedFor) {
  Session session(MakeTarget({MakeApp("c1", kOld)}), {});
  session.OnObserved(Running(MakeApp("c1", kOld)), MonoTime{});
  EXPECT_EQ(LooksAtAnEngineThatIsAway(session), SessionOptions().max_attempts);
  EXPECT_TRUE(session.Finished());
}

TEST(SessionTest, EndsAsHeldWhenItIsNotToWait) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.locks.push_back(HeldBy("db"));
  SimulatedDevice device(observed, MakeTarget({MakeApp("c2", kNew)}), 1, {});
  SessionOptions options;
  options.wait_when_held = false;
  device.Run(options);
  EXPECT_EQ(OutcomeOf(device), ApplyOutcome::kHeld);
  EXPECT_THAT(device.done(), Contains("pull-image registry.example/web:2"));
  EXPECT_THAT(NamesUp(device.truth().engine), ElementsAre("db_0_0_c1", "web_0_0_c1"));
}

TEST(SessionTest, LooksOnceMoreBeforeTheGateAndAtTheEnd) {
  Session session(MakeTarget({MakeApp("c2", {{.name = "db", .image = "db:2"}})}), {});
  session.OnObserved(Running(MakeApp("c1", {{.name = "db"}})), MonoTime{});
  ObservedState truth = session.observed();
  int looks = 0;
  bool locked = false;
  MonoTime now{};
  for (int i = 0; i < 100 && !session.Finished(); ++i) {
    for (const Action& action : session.Next(now)) {
      if (std::holds_alternative<LookAction>(action)) {
        ++looks;
        EXPECT_TRUE(looks == 2 || !locked) << "the gate was passed without a look";
        session.OnObserved(truth, now);
      } else if (const auto* run = std::get_if<RunStepAction>(&action)) {
        locked = locked || run->step.kind == StepKind::kTakeLocks;
        StepResult result;
        result.id = run->step.subject;
        ApplyEffect(run->step, run->request, result, truth);
        session.OnStepDone(run->step.id, result, now);
      }
    }
    if (session.WakeAt()) now = std::max(now, *session.WakeAt());
  }
  EXPECT_TRUE(session.Finished());
  EXPECT_EQ(looks, 2);
}

// A container without a hash is compared as it is now, and one with a limit by its restarts.
TEST(SessionTest, LaterLookTakesWhatItDoesNotTellFromTheOneBefore) {
  ObservedState first = Running(MakeApp("c1", {{.name = "db"}, {.name = "job"}, {.name = "web"}}));
  for (ObservedContainer& container : first.engine.containers) {
    container.config_hash = container.service == "web" ? "" : "c1:" + container.service;
    container.restart_policy = container.service == "job" ? "on-failure:3" : "always";
  }
  const ObservedContainer db = first.engine.containers.front();
  ASSERT_EQ(db.service, "db");
  ASSERT_TRUE(db.spec.has_value());
  Session session(MakeTarget({MakeApp("c2", {{.name = "db", .image = "db:2"}})}), {});
  session.OnObserved(first, MonoTime{});
  session.OnEngineGap();
  std::optional<LookAction> look;
  for (Action& action : session.Next(MonoTime{})) {
    if (auto* it = std::get_if<LookAction>(&action)) look = std::move(*it);
  }
  ASSERT_TRUE(look.has_value());
  EXPECT_THAT(look->seen, ElementsAre(db.id));
  ObservedState second = first;
  ObservedContainer& listed = second.engine.containers.front();
  listed.spec.reset();
  listed.restart_policy.reset();
  session.OnObserved(second, MonoTime{});
  const ObservedContainer& known = session.observed().engine.containers.front();
  EXPECT_EQ(known.spec, db.spec);
  EXPECT_EQ(known.restart_policy, "always");
}

TEST(SessionTest, GoesBackWhenANewContainerWillNotStart) {
  SimulatedDevice device(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c2", kNew)}), 1, {});
  for (const std::string id : {"web_0_0_c2#1", "web_0_0_c2#2"}) {
    device.FailAlways(StepKind::kStartContainer, id);
  }
  device.Run({});
  EXPECT_EQ(OutcomeOf(device), ApplyOutcome::kFailed);
  EXPECT_THAT(NamesUp(device.truth().engine), ElementsAre("db_0_0_c1", "web_0_0_c1"));
  EXPECT_THAT(device.truth().spans, IsEmpty());
  EXPECT_EQ(device.truth().FindApp(kApp)->committed, "c1");
  EXPECT_THAT(device.truth().FindApp(kApp)->failed, ElementsAre("c2"));
  EXPECT_THAT(device.broken(), IsEmpty());
}

TEST(SessionTest, AFirstReleaseThatWillNotStartStaysAndGivesTheLocksBack) {
  SimulatedDevice device({}, MakeTarget({MakeApp("c1", {{.name = "web"}})}), 1, {});
  device.FailAlways(StepKind::kStartContainer, "web_0_0_c1#1");
  device.Run({});
  EXPECT_EQ(OutcomeOf(device), ApplyOutcome::kFailed);
  EXPECT_THAT(device.truth().spans, IsEmpty());
}

TEST(SessionTest, StopsWhereItIsWhenAnAppTakesALockInTheMiddle) {
  SimulatedDevice device(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c2", kNew)}), 1, {});
  bool taken = false;
  device.after_completion = [&](SimulatedDevice& d) {
    if (taken || d.done().empty() || d.done().back() != "stop-container web-c1-1") return;
    taken = true;
    d.truth().locks.push_back(HeldBy("db"));
  };
  SessionOptions options;
  options.wait_when_held = false;
  device.Run(options);
  EXPECT_TRUE(taken);
  EXPECT_EQ(OutcomeOf(device), ApplyOutcome::kHeld);
  EXPECT_THAT(NamesUp(device.truth().engine), ElementsAre("db_0_0_c1", "web_0_0_c1"));
  EXPECT_THAT(device.done(), Not(Contains("stop-container db-c1-1")));
  EXPECT_THAT(device.broken(), IsEmpty());
}

TEST(SessionTest, RemovesAnAppThatLeftTheTargetForGood) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    SimulatedDevice device(Running(MakeApp("c1", kOld)), MakeTarget({}), seed, {});
    device.Run({}, 200);
    EXPECT_TRUE(device.session().Finished());
    EXPECT_EQ(OutcomeOf(device), ApplyOutcome::kInSync);
    EXPECT_THAT(device.truth().engine.containers, IsEmpty());
    EXPECT_THAT(device.truth().engine.images, IsEmpty());
    EXPECT_TRUE(MakePlan(device.truth(), MakeTarget({})).steps.empty());
    EXPECT_THAT(device.done(), Not(Contains("start-container web-c1-1")));
  }
}

TEST(SessionTest, EndsWhenAStopNeverSucceeds) {
  SimulatedDevice device(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c2", kNew)}), 1, {});
  device.FailAlways(StepKind::kStopContainer, "web-c1-1");
  device.Run({}, 300);
  EXPECT_TRUE(device.session().Finished());
  EXPECT_EQ(OutcomeOf(device), ApplyOutcome::kFailed);
  EXPECT_THAT(device.truth().spans, IsEmpty());
  EXPECT_THAT(NamesUp(device.truth().engine), ElementsAre("db_0_0_c1", "web_0_0_c1"));
}

// An interrupt at any point leaves one whole release running, and no lock.
class InterruptTest : public ::testing::TestWithParam<int> {};

TEST_P(InterruptTest, LeavesAWholeRelease) {
  SimulatedDevice device(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c2", kNew)}), 7, {});
  int completions = 0;
  device.after_completion = [&](SimulatedDevice& d) {
    if (++completions == GetParam()) d.Interrupt();
  };
  device.Run({});
  const auto up = NamesUp(device.truth().engine);
  EXPECT_TRUE(up == std::vector<std::string>({"db_0_0_c1", "web_0_0_c1"}) ||
              up == std::vector<std::string>({"db_0_0_c2", "web_0_0_c2"}))
      << ::testing::PrintToString(up);
  EXPECT_THAT(device.truth().spans, IsEmpty());
  EXPECT_THAT(device.broken(), IsEmpty());
}
INSTANTIATE_TEST_SUITE_P(AfterEachCompletion, InterruptTest, ::testing::Range(1, 24));

}  // namespace
}  // namespace lockstep::test
