#include "lockstep/orchestrator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "event_recorder.h"
#include "lockstep/config_key.h"
#include "lockstep/runtimes/memory_engine.h"
#include "lockstep/testing/fake_host_control.h"
#include "lockstep/testing/fake_lock_fs.h"
#include "lockstep/testing/fake_store.h"
#include "lockstep/testing/matchers.h"
#include "lockstep/testing/mock_store.h"
#include "planning.h"

namespace lockstep::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<ServiceDraft> kA = {{.name = "db"}, {.name = "web", .depends_on = {"db"}}};
const std::vector<ServiceDraft> kB = {
    {.name = "db"}, {.name = "web", .image = "registry.example/web:2", .depends_on = {"db"}}};

class OrchestratorTest : public ::testing::Test {
 protected:
  OrchestratorTest() {
    options_.session.settle = std::chrono::milliseconds(0);
    options_.session.back_off = std::chrono::milliseconds(1);
  }

  Result<ApplyReport> Apply(const std::string& commit, const std::vector<ServiceDraft>& services,
                            std::stop_token interrupt = {}) {
    Orchestrator orchestrator({engine_, locks_, store_, host_, config_, clock_});
    return orchestrator.Apply(MakeTarget({MakeApp(commit, services)}), options_, recorder_,
                              std::move(interrupt));
  }

  ApplyOutcome OutcomeOf(const Result<ApplyReport>& report) {
    EXPECT_THAT(report, IsOk());
    for (const AppReport& app : report ? report.assume_value().apps : std::vector<AppReport>()) {
      if (app.error) last_error_ = Describe(*app.error);
    }
    return report ? report.assume_value().outcome : ApplyOutcome::kFailed;
  }

  std::vector<std::string> Running() const { return NamesUp(engine_.State()); }

  std::string IdOf(const std::string& service) const {
    for (const ObservedContainer& container : engine_.State().containers) {
      if (container.service == service) return container.id;
    }
    return {};
  }

  static MemoryOptions PullAnything() {
    MemoryOptions options;
    options.pull_anything = true;
    return options;
  }

  MemoryEngine engine_{PullAnything()};
  FakeLockFs locks_;
  FakeStore store_;
  FakeHostControl host_;
  DeviceConfig config_;
  SystemClock clock_;
  Recorder recorder_;
  ApplyOptions options_;
  std::string last_error_;
  const ServiceRef db_{kApp, "1", "db"};
};

TEST_F(OrchestratorTest, MovesFromOneReleaseToTheNext) {
  EXPECT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync);
  EXPECT_THAT(Running(), ElementsAre("db_0_0_c1", "web_0_0_c1"));
  const std::string db = IdOf("db");
  EXPECT_EQ(OutcomeOf(Apply("c2", kB)), ApplyOutcome::kInSync);
  EXPECT_THAT(Running(), ElementsAre("db_0_0_c2", "web_0_0_c2"));
  EXPECT_EQ(IdOf("db"), db) << "an unchanged service was made anew";
  EXPECT_THAT(locks_.taken(), IsEmpty());
  EXPECT_EQ(engine_.State().images.size(), 2u) << "the old image of web stayed";
  EXPECT_EQ(store_.state().apps.at(0).committed, "c2");
}

TEST_F(OrchestratorTest, TheNextProcessKeepsToTheBackOffOfTheOneBefore) {
  options_.session.keep_retries = true;
  options_.session.max_attempts = 1;
  options_.session.back_off = options_.session.longest_back_off = std::chrono::hours(1);
  engine_.FailNext(Call::kPullImage, MakeError(ErrorCode::kUnavailable, "the registry is away"));
  engine_.FailNext(Call::kPullImage, MakeError(ErrorCode::kUnavailable, "the registry is away"));
  EXPECT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kFailed);
  EXPECT_EQ(engine_.calls(Call::kPullImage), 2);
  EXPECT_EQ(store_.state().apps.at(0).retries.size(), 2u);
  options_.timeout = std::chrono::milliseconds(1);
  EXPECT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kTimedOut);
  EXPECT_EQ(engine_.calls(Call::kPullImage), 2) << "it was not due yet";
  options_.timeout.reset();
  options_.session.keep_retries = false;
  EXPECT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync) << "somebody asks for it now";
  EXPECT_TRUE(store_.state().apps.at(0).retries.empty());
}

// The lasting override, from its setting to its end.
TEST_F(OrchestratorTest, DeletesLocksWhenTheOverrideIsSetAndRespectsThoseTakenLater) {
  const std::string key(kOverrideLocksKey);
  const auto apply = [&](std::map<std::string, std::string> config) {
    Target target = MakeTarget({MakeApp("c1", kA)});
    target.config = std::move(config);
    Orchestrator orchestrator({engine_, locks_, store_, host_, config_, clock_});
    return OutcomeOf(orchestrator.Apply(target, options_, recorder_, {}));
  };
  ASSERT_EQ(apply({}), ApplyOutcome::kInSync);
  ASSERT_TRUE(locks_.HoldByApp(db_));
  EXPECT_EQ(apply({{key, "1"}}), ApplyOutcome::kInSync);
  EXPECT_FALSE(locks_.HeldByApp(db_));
  EXPECT_THAT(locks_.taken(), IsEmpty());
  EXPECT_THAT(store_.state().settings, ElementsAre(std::pair(key, std::string("1"))));
  ASSERT_TRUE(locks_.HoldByApp(db_));
  EXPECT_EQ(apply({{key, "1"}}), ApplyOutcome::kInSync);
  EXPECT_TRUE(locks_.HeldByApp(db_)) << "once";
  EXPECT_EQ(apply({}), ApplyOutcome::kInSync);
  EXPECT_THAT(store_.state().settings, IsEmpty());
  options_.session.wait_when_held = false;
  EXPECT_EQ(OutcomeOf(Apply("c2", {{.name = "db", .image = "db:2"}, {.name = "web"}})),
            ApplyOutcome::kHeld);
  EXPECT_TRUE(locks_.HeldByApp(db_));
}

TEST_F(OrchestratorTest, ASettingThatCannotBeKeptIsAFailureAndStopsNoApp) {
  Target target = MakeTarget({MakeApp("c1", kA)});
  target.config["BALENA_SUPERVISOR_POLL_INTERVAL"] = "900000";
  ::testing::NiceMock<MockStore> full(store_);
  ON_CALL(full, PutSetting).WillByDefault([](std::string_view, const std::optional<std::string>&) {
    return Result<void>(MakeError(ErrorCode::kNoSpace, "disk full", "free some space"));
  });
  Orchestrator orchestrator({engine_, locks_, full, host_, config_, clock_});
  const auto report = orchestrator.Apply(target, options_, recorder_, {});
  EXPECT_EQ(OutcomeOf(report), ApplyOutcome::kFailed);
  EXPECT_THAT(last_error_, ::testing::HasSubstr("disk full"));
  EXPECT_THAT(Running(), ElementsAre("db_0_0_c1", "web_0_0_c1"));
}

TEST_F(OrchestratorTest, AppliesThePlanThatWasRead) {
  ASSERT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync);
  Orchestrator orchestrator({engine_, locks_, store_, host_, config_, clock_});
  const auto plan = orchestrator.Preview(MakeTarget({MakeApp("c2", kB)}), {}, {});
  ASSERT_THAT(plan, IsOk());
  options_.if_fingerprint = plan.assume_value().fingerprint;
  EXPECT_EQ(OutcomeOf(Apply("c2", kB)), ApplyOutcome::kInSync);
  EXPECT_THAT(Running(), ElementsAre("db_0_0_c2", "web_0_0_c2"));
}

TEST_F(OrchestratorTest, RefusesAnotherPlanThanTheOneThatWasReadBeforeItDoesAnything) {
  ASSERT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync);
  Orchestrator orchestrator({engine_, locks_, store_, host_, config_, clock_});
  const auto plan = orchestrator.Preview(MakeTarget({MakeApp("c2", kB)}), {}, {});
  ASSERT_THAT(plan, IsOk());
  options_.if_fingerprint = plan.assume_value().fingerprint;
  ASSERT_THAT(engine_.StopContainer(IdOf("db"), std::chrono::seconds(1), {}), IsOk());
  const int calls = engine_.total_calls();
  const int looks = engine_.calls(Call::kObserve);
  const int puts = store_.puts();
  const auto prepared = locks_.prepared().size();
  const auto refused = Apply("c2", kB);
  ASSERT_THAT(refused, IsError(ErrorCode::kConflict));
  EXPECT_THAT(Describe(refused.assume_error()),
              ::testing::AllOf(::testing::HasSubstr(options_.if_fingerprint),
                               ::testing::EndsWith("; run plan again")));
  EXPECT_EQ(engine_.calls(Call::kObserve), looks + 1);
  EXPECT_EQ(engine_.total_calls(), calls + 1) << "something was done";
  EXPECT_EQ(store_.puts(), puts);
  EXPECT_EQ(locks_.prepared().size(), prepared);
}

TEST_F(OrchestratorTest, AsksTheEngineFiveThingsAtMostWhenInSync) {
  ASSERT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync);
  const int before = engine_.total_calls();
  EXPECT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync);
  // One look, which an engine answers in five calls at most: see the engines' own tests.
  EXPECT_EQ(engine_.total_calls() - before, 1);
  EXPECT_EQ(engine_.calls(Call::kWatch), 1);
}

TEST_F(OrchestratorTest, SeesThatLocksAreElsewhereThanWhereItLooks) {
  ASSERT_EQ(OutcomeOf(Apply("c1", {{.name = "web"}})), ApplyOutcome::kInSync);
  Orchestrator orchestrator({engine_, locks_, store_, host_, config_, clock_});
  Target target = MakeTarget({MakeApp("c1", {{.name = "web"}})});
  const auto elsewhere = [&] {
    const auto seen = orchestrator.Look(&target, {});
    EXPECT_THAT(seen, IsOk());
    const ObservedState& state = seen.assume_value();
    // Nobody knows whether it is locked: for a reboot it counts as if it were.
    EXPECT_EQ(state.locks.empty(), !state.engine.containers.at(0).lock_dir_elsewhere);
    return state.engine.containers.at(0).lock_dir_elsewhere;
  };
  EXPECT_FALSE(elsewhere());
  target.apps[0].id += "7";  // Its locks would be in another directory now.
  EXPECT_TRUE(elsewhere());
}

TEST_F(OrchestratorTest, PreviewChangesNothing) {
  Orchestrator orchestrator({engine_, locks_, store_, host_, config_, clock_});
  const auto plan = orchestrator.Preview(MakeTarget({MakeApp("c1", kA)}), {}, {});
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(plan.assume_value().status, PlanStatus::kReady);
  EXPECT_EQ(engine_.total_calls(), engine_.calls(Call::kObserve));
  EXPECT_EQ(store_.puts(), 0);
  EXPECT_THAT(locks_.prepared(), IsEmpty());
}

TEST_F(OrchestratorTest, FitsTheTargetToTheDevice) {
  Target target = MakeTarget({MakeApp("c1", kA)});
  target.apps[0].release->services[1].requirements = {{{"arch.sw", "aarch64", ""}}};
  options_.session.device.arch = "amd64";
  Orchestrator orchestrator({engine_, locks_, store_, host_, config_, clock_});
  const auto plan = orchestrator.Preview(target, options_.session, {});
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(plan.assume_value().status, PlanStatus::kBlocked);
  EXPECT_EQ(OutcomeOf(orchestrator.Apply(target, options_, recorder_, {})), ApplyOutcome::kBlocked);
  EXPECT_THAT(Running(), IsEmpty());
  options_.session.device.arch = "aarch64";
  EXPECT_EQ(OutcomeOf(orchestrator.Apply(target, options_, recorder_, {})), ApplyOutcome::kInSync);
  EXPECT_THAT(Running(), ElementsAre("db_0_0_c1", "web_0_0_c1"));
}

TEST_F(OrchestratorTest, DownloadsWhileHeldAndGoesOnTheMomentTheLockIsGone) {
  ASSERT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync);
  ASSERT_TRUE(locks_.HoldByApp(db_));
  Recorder recorder;
  std::jthread app([&] {
    recorder.AwaitFirst(EventKind::kHeld);
    locks_.AwaitWatchers(1);
    // Held, and yet downloaded; nothing was touched.
    while (engine_.calls(Call::kCreateContainer) < 3) std::this_thread::yield();
    EXPECT_THAT(Running(), ElementsAre("db_0_0_c1", "web_0_0_c1"));
    EXPECT_TRUE(locks_.ReleaseByApp(db_));
  });
  Orchestrator orchestrator({engine_, locks_, store_, host_, config_, clock_});
  const auto report = orchestrator.Apply(MakeTarget({MakeApp("c2", kB)}), options_, recorder, {});
  EXPECT_EQ(OutcomeOf(report), ApplyOutcome::kInSync);
  EXPECT_THAT(Running(), ElementsAre("db_0_0_c2", "web_0_0_c2"));
}

TEST_F(OrchestratorTest, DoesNotWaitWhenItIsNotTo) {
  ASSERT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync);
  ASSERT_TRUE(locks_.HoldByApp(db_));
  options_.session.wait_when_held = false;
  const auto report = Apply("c2", kB);
  EXPECT_EQ(OutcomeOf(report), ApplyOutcome::kHeld);
  ASSERT_EQ(report.assume_value().apps[0].holders.size(), 1u);
  EXPECT_EQ(report.assume_value().apps[0].holders[0].service, "db");
  EXPECT_EQ(engine_.State().images.size(), 3u);
}

TEST_F(OrchestratorTest, ATimeOutWhileHeldIsHeld) {
  ASSERT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync);
  ASSERT_TRUE(locks_.HoldByApp(db_));
  options_.timeout = std::chrono::milliseconds(1);
  EXPECT_EQ(OutcomeOf(Apply("c2", kB)), ApplyOutcome::kHeld) << last_error_;
}

TEST_F(OrchestratorTest, ForceRunsOverLocks) {
  ASSERT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync);
  const ServiceRef web{kApp, "1", "web"};
  ASSERT_TRUE(locks_.HoldByApp(web));
  ASSERT_TRUE(locks_.HoldByApp(db_));
  options_.session.plan.force = true;
  EXPECT_EQ(OutcomeOf(Apply("c2", kB)), ApplyOutcome::kInSync);
  EXPECT_THAT(Running(), ElementsAre("db_0_0_c2", "web_0_0_c2"));
  EXPECT_FALSE(locks_.HeldByApp(web)) << "it would outlive its holder";
  EXPECT_TRUE(locks_.HeldByApp(db_)) << "db was not interrupted";
  std::vector<std::string> overridden;
  for (const Event& event : recorder_.seen()) {
    if (event.kind != EventKind::kStepDone) continue;
    for (const LockHolder& holder : event.holders) overridden.push_back(holder.service);
  }
  EXPECT_THAT(overridden, ElementsAre("web"));
}

TEST_F(OrchestratorTest, TakesOverTheLocksOfACutoverThatWasCutOff) {
  ASSERT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync);
  AppRecord record;
  record.app = kApp;
  record.committed = "c1";
  record.cutover = "c2";
  ASSERT_THAT(store_.PutApp(record), IsOk());
  locks_.LeaveBehind(db_);
  EXPECT_EQ(OutcomeOf(Apply("c2", kB)), ApplyOutcome::kInSync);
  EXPECT_THAT(Running(), ElementsAre("db_0_0_c2", "web_0_0_c2"));
  EXPECT_THAT(locks_.taken(), IsEmpty());
  EXPECT_TRUE(locks_.HoldByApp(db_)) << "a lock of ours was left";
}

TEST_F(OrchestratorTest, ReleasesWhatAnEarlierProcessLeft) {
  ASSERT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync);
  locks_.LeaveBehind(db_);
  EXPECT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync);
  EXPECT_TRUE(locks_.HoldByApp(db_));
}

TEST_F(OrchestratorTest, GoesBackWhenTheNewContainerWillNotStart) {
  ASSERT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync);
  for (int i = 0; i < 3; ++i) {
    engine_.FailNext(Call::kStartContainer, MakeError(ErrorCode::kConflict, "port is in use"));
  }
  const auto report = Apply("c2", kB);
  EXPECT_EQ(OutcomeOf(report), ApplyOutcome::kFailed);
  EXPECT_EQ(report.assume_value().apps[0].error->message, "port is in use");
  EXPECT_THAT(Running(), ElementsAre("db_0_0_c1", "web_0_0_c1"));
  EXPECT_THAT(locks_.taken(), IsEmpty());
  // Asked again, it tries again.
  EXPECT_EQ(OutcomeOf(Apply("c2", kB)), ApplyOutcome::kInSync);
  EXPECT_THAT(Running(), ElementsAre("db_0_0_c2", "web_0_0_c2"));
}

TEST_F(OrchestratorTest, AMissingImageIsSaidAtOnceAndNothingIsTouched) {
  ASSERT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync);
  engine_.FailNext(Call::kPullImage, MakeError(ErrorCode::kNotFound, "manifest unknown"));
  const auto report = Apply("c2", kB);
  EXPECT_EQ(OutcomeOf(report), ApplyOutcome::kFailed);
  EXPECT_EQ(engine_.calls(Call::kPullImage), 3) << "a missing image was asked for again";
  EXPECT_THAT(Running(), ElementsAre("db_0_0_c1", "web_0_0_c1"));
}

TEST_F(OrchestratorTest, APassingFaultIsTriedAgain) {
  engine_.FailNext(Call::kPullImage, MakeError(ErrorCode::kUnavailable, "connection reset"));
  EXPECT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync);
}

TEST_F(OrchestratorTest, SaysWhenNotEvenALookCanBeTaken) {
  engine_.FailNext(Call::kObserve, MakeError(ErrorCode::kUnavailable, "no engine"));
  EXPECT_THAT(Apply("c1", kA), IsError(ErrorCode::kUnavailable));
}

TEST_F(OrchestratorTest, CancelsADownloadWhenItIsInterrupted) {
  std::stop_source interrupt;
  engine_.SetLatency([](Call call) {
    return call == Call::kPullImage ? std::chrono::hours(1) : std::chrono::milliseconds(0);
  });
  std::jthread person([&] {
    recorder_.AwaitFirst(EventKind::kStepStarted);
    interrupt.request_stop();
  });
  EXPECT_EQ(OutcomeOf(Apply("c1", kA, interrupt.get_token())), ApplyOutcome::kInterrupted)
      << last_error_;
  EXPECT_THAT(Running(), IsEmpty());
}

TEST_F(OrchestratorTest, FinishesTheCutoverWhenItIsInterruptedInTheMiddle) {
  ASSERT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync);
  std::stop_source interrupt;
  engine_.OnCall([&](Call call, const std::string&) {
    if (call == Call::kStopContainer) interrupt.request_stop();
  });
  EXPECT_EQ(OutcomeOf(Apply("c2", kB, interrupt.get_token())), ApplyOutcome::kInterrupted);
  EXPECT_THAT(Running(), ElementsAre("db_0_0_c1", "web_0_0_c2"));
  EXPECT_THAT(locks_.taken(), IsEmpty());
  engine_.OnCall(nullptr);
  EXPECT_EQ(OutcomeOf(Apply("c2", kB)), ApplyOutcome::kInSync);
}

TEST_F(OrchestratorTest, ReportsAServiceThatDoesNotBecomeHealthy) {
  options_.session.settle_timeout = std::chrono::milliseconds(1);
  options_.session.settle = std::chrono::hours(1);
  const auto report = Apply("c1", {{.name = "db"}});
  EXPECT_EQ(OutcomeOf(report), ApplyOutcome::kUnhealthy);
  EXPECT_THAT(report.assume_value().apps[0].unhealthy, ElementsAre("db"));
  EXPECT_EQ(store_.state().apps.at(0).committed, "c1");
}

TEST_F(OrchestratorTest, HearsOfAHealthCheckThatAnsweredWhileTheContainerWasStarted) {
  TargetApp app = MakeApp("c1", {{.name = "db"}});
  const auto check =
      NormalizeField(RowOf(Field::kHealthcheck), Value(Value::Map{{"test", Value("true")}}));
  ASSERT_THAT(check, IsOk());
  app.release->services[0].spec.Set(Field::kHealthcheck, check.assume_value());
  Orchestrator orchestrator({engine_, locks_, store_, host_, config_, clock_});
  EXPECT_EQ(OutcomeOf(orchestrator.Apply(MakeTarget({app}), options_, recorder_, {})),
            ApplyOutcome::kInSync);
}

TEST_F(OrchestratorTest, CommitsAReleaseOfRenamesAlone) {
  ASSERT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync);
  ASSERT_TRUE(locks_.HoldByApp(db_));
  EXPECT_EQ(OutcomeOf(Apply("c2", kA)), ApplyOutcome::kInSync);
  EXPECT_THAT(Running(), ElementsAre("db_0_0_c2", "web_0_0_c2"));
  EXPECT_EQ(store_.state().apps.at(0).committed, "c2");
}

TEST_F(OrchestratorTest, NumbersEventsWithoutGaps) {
  ASSERT_EQ(OutcomeOf(Apply("c1", kA)), ApplyOutcome::kInSync);
  const auto seen = recorder_.seen();
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i].seq, i + 1);
  EXPECT_EQ(seen.front().kind, EventKind::kPlan);
  EXPECT_EQ(seen.back().kind, EventKind::kDone);
}

}  // namespace
}  // namespace lockstep::test
