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

std::vector<std::string> Up(const ObservedState& observed) {
  std::vector<std::string> names;
  for (const ObservedContainer& container : observed.engine.containers) {
    if (container.IsUp()) names.push_back(container.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

ApplyOutcome OutcomeOf(const SimulatedDevice& device) {
  ApplyOutcome worst = ApplyOutcome::kInSync;
  for (const AppReport& report : device.session().Reports()) {
    worst = std::max(worst, report.outcome);
  }
  return worst;
}

TEST(SessionTest, MovesAnAppToItsTarget) {
  const Target target = MakeTarget({MakeApp("c2", kNew)});
  SimulatedDevice device(Running(MakeApp("c1", kOld)), target, 1, {});
  device.Run({});
  EXPECT_EQ(OutcomeOf(device), ApplyOutcome::kInSync);
  EXPECT_THAT(Up(device.truth()), ElementsAre("db_0_0_c2", "web_0_0_c2"));
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
    if (of_lock) session.OnLocksChanged();
    for (const ObservedContainer& container : observed.engine.containers) {
      if (of_lock) break;
      session.OnEngineEvent({.kind = EngineEventKind::kDied, .container = container.id}, {});
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
  EXPECT_THAT(Up(device.truth()), ElementsAre("db_0_0_c1", "web_0_0_c1"));
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
  EXPECT_THAT(Up(device.truth()), ElementsAre("db_0_0_c1", "web_0_0_c1"));
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
  EXPECT_THAT(Up(device.truth()), ElementsAre("db_0_0_c1", "web_0_0_c1"));
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
  EXPECT_THAT(Up(device.truth()), ElementsAre("db_0_0_c1", "web_0_0_c1"));
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
  const auto up = Up(device.truth());
  EXPECT_TRUE(up == std::vector<std::string>({"db_0_0_c1", "web_0_0_c1"}) ||
              up == std::vector<std::string>({"db_0_0_c2", "web_0_0_c2"}))
      << ::testing::PrintToString(up);
  EXPECT_THAT(device.truth().spans, IsEmpty());
  EXPECT_THAT(device.broken(), IsEmpty());
}
INSTANTIATE_TEST_SUITE_P(AfterEachCompletion, InterruptTest, ::testing::Range(1, 24));

// With any finite number of faults, crashes and locks the device converges, and no invariant breaks
// on the way (I1, I2, I4, I8, I9).
class SimulationTest : public ::testing::TestWithParam<unsigned> {};

// What is unhealthy in a first run may be so in each; at rest an app runs one release.
void ExpectOneRelease(const SimulatedDevice& device) {
  if (!device.session().Finished() || OutcomeOf(device) != ApplyOutcome::kUnhealthy) return;
  for (const AppReport& report : device.session().Reports()) {
    std::set<std::string> releases;
    for (const ObservedContainer& c : device.truth().engine.containers) {
      if (c.IsUp() && c.app == report.app) releases.insert(c.commit);
    }
    EXPECT_LE(releases.size(), 1U) << report.app << ::testing::PrintToString(device.done());
    if (report.back_to && !releases.empty()) {
      EXPECT_THAT(releases, ElementsAre(*report.back_to));
    }
  }
}

void ConvergeThroughAll(unsigned first, unsigned rounds, SimulatedDevice::Chances chances,
                        const SessionOptions& options) {
  for (unsigned round = 0; round < rounds; ++round) {
    const unsigned seed = first + round;
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto draw = [&](const std::string& version) {
      std::vector<ServiceDraft> drafts;
      for (const std::string name : {"a", "b", "c", "d"}) {
        if (random() % 5 == 0) continue;
        ServiceDraft draft{.name = name};
        if (random() % 2 == 0) draft.image = "registry.example/" + name + ":" + version;
        if (random() % 3 == 0) draft.environment["V"] = version;
        if (random() % 4 == 0) draft.restart = "on-failure";
        for (const ServiceDraft& other : drafts) {
          if (random() % 2 == 0) draft.depends_on.push_back(other.name);
        }
        drafts.push_back(std::move(draft));
      }
      return drafts;
    };
    const auto vary = [&](TargetApp& varied) {
      for (TargetService& service : varied.release->services) {
        if (random() % 3 == 0) service.strategy = static_cast<Strategy>(random() % 4);
        for (Dependency& on : service.spec.depends_on) {
          on.restart = random() % 4 == 0;
          if (random() % 4 == 0) on.condition = DependencyCondition::kHealthy;
          const bool joins = service.spec.Find(Field::kNetworkMode) != nullptr;
          if (!joins && random() % 5 == 0) {
            service.spec.Set(Field::kNetworkMode, Value("service:" + on.service));
          }
        }
        if (service.spec.Find(Field::kNetworkMode) == nullptr && random() % 2 == 0) {
          service.spec.Set(Field::kNetworks, Value(Value::Map{{"front", EmptyMap()}}));
        }
      }
      const bool internal = random() % 2 == 0;
      varied.release->networks["front"] =
          internal ? Value(Value::Map{{"internal", Value(true)}}) : EmptyMap();
    };
    TargetApp before = MakeApp("c1", draw("1"));
    vary(before);
    ObservedState start = random() % 4 == 0 ? ObservedState{} : Running(before);
    AddRunning(start, MakeApp("c1", {{.name = "x"}}, "b2", "2"));
    TargetApp app = MakeApp(random() % 4 == 0 ? "c1" : "c2", draw("2"));
    vary(app);
    const Target target = MakeTarget(
        {app, MakeApp("c2", {{.name = "x", .image = "registry.example/x:2"}}, "b2", "2")});

    SimulatedDevice device(start, target, seed, chances);
    device.Run(options, 600);
    ExpectOneRelease(device);
    ASSERT_THAT(device.broken(), IsEmpty()) << ::testing::PrintToString(device.done());
    // And once nothing goes wrong any more:
    SimulatedDevice calm(device.truth(), target, seed, {});
    calm.truth().locks.clear();
    for (ObservedContainer& container : calm.truth().engine.containers) {
      if (container.state == ContainerState::kRestarting) {
        container.state = ContainerState::kRunning;
      }
    }
    calm.Run({}, 600);
    // It may have begun on the way back from a failed cutover, which comes to its end first.
    const bool went_back =
        OutcomeOf(calm) == ApplyOutcome::kBlocked || OutcomeOf(calm) == ApplyOutcome::kUnhealthy;
    if (went_back) calm.Run({}, 600);

    ASSERT_THAT(calm.broken(), IsEmpty());
    ASSERT_EQ(OutcomeOf(calm), ApplyOutcome::kInSync);
    ASSERT_THAT(calm.truth().spans, IsEmpty());
    ASSERT_TRUE(MakePlan(calm.truth(), target).steps.empty());
    std::vector<std::string> wanted = {"x_0_0_c2"};
    for (const TargetService& service : app.release->services) {
      wanted.push_back(service.name + "_0_0_" + app.release->commit);
    }
    std::sort(wanted.begin(), wanted.end());
    ASSERT_EQ(Up(calm.truth()), wanted);
    ASSERT_EQ(calm.truth().engine.containers.size(), wanted.size()) << "left over";
    ASSERT_LE(calm.truth().engine.images.size(), wanted.size()) << "an image nobody needs";
  }
}
TEST_P(SimulationTest, ConvergesThroughFaultsCrashesAndLocks) {
  ConvergeThroughAll(GetParam() * 1000, 250,
                     {.step_fails = 5, .effect_without_reply = 40, .crash = 4, .lock_comes = 10},
                     {});
}
TEST_P(SimulationTest, ConvergesThroughReleasesThatGoBack) {
  SessionOptions options;
  options.rollback = true;
  ConvergeThroughAll(GetParam() * 1000, 100, {.unhealthy = 20}, options);
  ConvergeThroughAll(
      GetParam() * 1000 + 500, 100,
      {.step_fails = 3, .effect_without_reply = 40, .crash = 4, .lock_comes = 10, .unhealthy = 20},
      options);
}
INSTANTIATE_TEST_SUITE_P(Seeds, SimulationTest, ::testing::Range(0u, 40u));

}  // namespace
}  // namespace lockstep::test
