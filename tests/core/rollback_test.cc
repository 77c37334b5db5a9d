// A release that does not become healthy gives way to the one before it, where that is asked for.
#include "lockstep/rollback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "event_recorder.h"
#include "lockstep/orchestrator.h"
#include "lockstep/runtimes/memory_engine.h"
#include "lockstep/testing/fake_host_control.h"
#include "lockstep/testing/fake_lock_fs.h"
#include "lockstep/testing/fake_store.h"
#include "lockstep/testing/matchers.h"
#include "lockstep/testing/mock_runtime_backend.h"
#include "planning.h"
#include "simulated_device.h"

namespace lockstep::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::NiceMock;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kBad = "registry.example/web:2";  // Ends at once, with an error.

// What is checked is healthy at once; by time alone nothing settles here.
void AddCheck(TargetService& service) {
  service.spec.Set(Field::kHealthcheck,
                   Value(Value::Map{{"test", Value(Value::List{"CMD", "true"})}}));
}
TargetApp ReleaseOf(const std::string& commit, const std::string& image) {
  TargetApp app =
      MakeApp(commit, {{.name = "db"},
                       {.name = "side", .image = "registry.example/side:" + commit},
                       {.name = "web", .image = image, .depends_on = {"db"}, .restart = "no"}});
  for (TargetService& service : app.release->services) {
    if (service.spec.image != kBad) AddCheck(service);
  }
  return app;
}
TargetApp Good() { return ReleaseOf("c1", "registry.example/web:1"); }
TargetApp Bad() { return ReleaseOf("c2", kBad); }

// Does something at an event.
class Watcher final : public EventObserver {
 public:
  void OnEvent(const Event& event) override {
    recorder.OnEvent(event);
    if (on_event) on_event(event);
  }
  Recorder recorder;
  std::function<void(const Event&)> on_event;
};

class RollbackTest : public ::testing::Test {
 protected:
  RollbackTest() {
    options_.session.settle = std::chrono::hours(1);
    options_.session.back_off = std::chrono::milliseconds(1);
    options_.session.rollback = true;
    engine_.AddImage(kBad, {.exit_code = 3, .output = "no such table\n"});
  }

  AppReport Apply(const TargetApp& app, RuntimeBackend& engine) {
    Orchestrator orchestrator({engine, locks_, store_, host_, config_, clock_});
    const auto report = orchestrator.Apply(MakeTarget({app}), options_, watcher_, {});
    EXPECT_THAT(report, IsOk());
    return report ? report.assume_value().apps.at(0) : AppReport{};
  }
  AppReport Apply(const TargetApp& app) { return Apply(app, engine_); }

  Plan PlanFor(const TargetApp& app) {
    Orchestrator orchestrator({engine_, locks_, store_, host_, config_, clock_});
    return orchestrator.Preview(MakeTarget({app}), options_.session, {}).assume_value();
  }

  // Service -> id, name and restart policy of what is there.
  std::map<std::string, std::vector<std::string>> Containers() const {
    std::map<std::string, std::vector<std::string>> all;
    for (const ObservedContainer& c : engine_.State().containers) {
      auto& one = all[c.service];
      one.insert(one.end(), {c.id, c.name, c.restart_policy.value_or("?"),
                             c.state == ContainerState::kRunning ? "runs" : "is down"});
    }
    return all;
  }
  AppRecord RecordNow() { return store_.Load().assume_value().apps.at(0); }
  int CountOf(EventKind kind) const {
    const auto seen = watcher_.recorder.seen();
    return static_cast<int>(std::count_if(seen.begin(), seen.end(),
                                          [&](const Event& event) { return event.kind == kind; }));
  }
  // When the locks of the way forward are given back.
  void WhenReleased(std::function<void()> act) {
    watcher_.on_event = [act = std::move(act), done = false](const Event& event) mutable {
      if (done || event.kind != EventKind::kStepDone) return;
      if (event.step_kind != StepKind::kReleaseLocks) return;
      done = true;
      act();
    };
  }
  static MemoryOptions PullAnything() {
    MemoryOptions options;
    options.pull_anything = true;
    return options;
  }

  const ServiceRef db_{kApp, "1", "db"};
  MemoryEngine engine_{PullAnything()};
  FakeLockFs locks_;
  FakeStore store_;
  FakeHostControl host_;
  DeviceConfig config_;
  SystemClock clock_;
  Watcher watcher_;
  ApplyOptions options_;
};

TEST_F(RollbackTest, GoesBackToTheSameContainersUnderTheirNamesAndPolicies) {
  ASSERT_EQ(Apply(Good()).outcome, ApplyOutcome::kInSync);
  const auto before = Containers();
  const AppReport report = Apply(Bad());
  EXPECT_EQ(report.outcome, ApplyOutcome::kUnhealthy);
  EXPECT_EQ(report.back_to, "c1");
  EXPECT_THAT(report.unhealthy, ElementsAre("web"));
  EXPECT_EQ(report.findings.at("web").exit_code, 3);
  EXPECT_EQ(Containers(), before);
  EXPECT_EQ(CountOf(EventKind::kRolledBack), 1);
  EXPECT_EQ(CountOf(EventKind::kCommitted), 1) << "the first release alone";
  const AppRecord record = RecordNow();
  EXPECT_EQ(record.committed, "c1");
  EXPECT_EQ(record.cutover, std::nullopt);
  EXPECT_THAT(record.failed, ElementsAre("c2"));
  EXPECT_THAT(record.renamed, IsEmpty());
}

TEST_F(RollbackTest, KeepsNoImageOfTheReleaseThatFailed) {
  (void)Apply(Good());
  const auto references = [&] {
    std::vector<std::string> all;
    for (const ObservedImage& image : engine_.State().images) {
      all.insert(all.end(), image.references.begin(), image.references.end());
    }
    return all;
  };
  const auto before = references();
  (void)Apply(Bad());
  EXPECT_EQ(references(), before);
}

TEST_F(RollbackTest, SaysWhichServiceItWasAndThatItIsNotTriedAgain) {
  (void)Apply(Good());
  (void)Apply(Bad());
  const Plan plan = PlanFor(Bad());
  EXPECT_EQ(plan.apps[0].status, PlanStatus::kBlocked);
  EXPECT_THAT(plan.steps, IsEmpty());
  ASSERT_THAT(plan.apps[0].gaps, SizeIs(1));
  EXPECT_EQ(plan.apps[0].gaps[0].code, "release-failed");
  EXPECT_THAT(plan.apps[0].gaps[0].message,
              HasSubstr("release c2 did not become healthy on this device (web)"));
}

TEST_F(RollbackTest, WhoAppliesItAgainAsksForItAgain) {
  (void)Apply(Good());
  (void)Apply(Bad());
  EXPECT_EQ(Apply(Bad()).back_to, "c1");
  EXPECT_EQ(CountOf(EventKind::kRolledBack), 2);
  TargetApp mended = Bad();
  AddCheck(ServiceOf(mended, "web"));
  engine_.AddImage(kBad);
  EXPECT_EQ(Apply(mended).outcome, ApplyOutcome::kInSync);
  EXPECT_THAT(RecordNow().failed, IsEmpty());
  EXPECT_THAT(RecordNow().unhealthy, IsEmpty());
}

// The cutover to Bad() with nothing left to do but wait for its web, which does not stay up.
ObservedState WaitingForWeb() {
  ObservedState state = Running(Good());
  AddRunning(state, Bad());
  for (ObservedContainer& c : state.engine.containers) {
    const bool old = c.commit == "c1" && c.service != "db";
    if (old) c.state = ContainerState::kExited;
  }
  std::erase_if(state.engine.containers, [](const auto& c) { return c.id == "db-c2-1"; });
  state.FindContainer("web-c2-1")->state = ContainerState::kRestarting;
  state.FindContainer("side-c2-1")->health = Health::kHealthy;
  AppRecord& record = state.AppFor(kApp);
  record.committed = "c1";
  record.cutover = "c2";
  record.interrupted = {"side-c1-1", "web-c1-1"};
  return state;
}

TEST_F(RollbackTest, IsNotPutOffByWhoeverAsksWithoutEnd) {
  options_.session.keep_going = true;
  Session session(MakeTarget({Bad()}), options_.session);
  const ObservedState state = WaitingForWeb();
  MonoTime now{};
  session.OnObserved(state, now);
  std::vector<std::string> failed;
  for (int round = 0; round < 100 && failed.empty(); ++round) {
    session.OnUpdateRequest({});
    for (const Action& action : session.Next(now)) {
      if (std::holds_alternative<LookAction>(action)) session.OnObserved(state, now);
      if (const auto* save = std::get_if<SaveRecordAction>(&action)) failed = save->record.failed;
    }
    if (session.WakeAt()) now = std::max(now, *session.WakeAt());
  }
  EXPECT_THAT(failed, ElementsAre("c2"));
}

TEST_F(RollbackTest, AServiceIsExaminedBeforeItIsStopped) {
  Session session(MakeTarget({Bad()}), options_.session);
  ObservedState state = WaitingForWeb();
  MonoTime now{};
  session.OnObserved(state, now);
  std::vector<std::string> order;
  const auto work = [&] {
    for (int round = 0; round < 60; ++round) {
      for (const Action& action : session.Next(now)) {
        if (std::holds_alternative<LookAction>(action)) session.OnObserved(state, now);
        if (const auto* save = std::get_if<SaveRecordAction>(&action)) {
          state.AppFor(kApp) = save->record;
        }
        if (std::holds_alternative<ExamineAction>(action)) order.push_back("examine");
        const auto* run = std::get_if<RunStepAction>(&action);
        if (run == nullptr) continue;
        ApplyEffect(run->step, run->request, {}, state);
        session.OnStepDone(run->step.id, {}, now);
        if (run->step.subject == "web-c2-1") order.emplace_back(StepKindName(run->step.kind));
      }
      if (session.WakeAt()) now = std::max(now, *session.WakeAt());
    }
  };
  work();
  EXPECT_THAT(order, ElementsAre("examine"));
  session.OnExamined("web-c2-1", {});
  work();
  EXPECT_THAT(order, ElementsAre("examine", "stop-container", "remove-container"));
}

TEST_F(RollbackTest, WithoutItTheReleaseStays) {
  (void)Apply(Good());
  options_.session.rollback = false;
  const AppReport report = Apply(Bad());
  EXPECT_EQ(report.outcome, ApplyOutcome::kUnhealthy);
  EXPECT_EQ(report.back_to, std::nullopt);
  EXPECT_THAT(report.gaps, IsEmpty());
  EXPECT_EQ(RecordNow().committed, "c2");
  EXPECT_EQ(CountOf(EventKind::kRolledBack), 0);
}

TEST_F(RollbackTest, NeedsNoRegistry) {
  NiceMock<MockRuntimeBackend> offline(engine_);
  bool off = false;
  ON_CALL(offline, PullImage)
      .WillByDefault([&](const PullRequest& request, ProgressSink& sink,
                         std::stop_token stop) -> Result<std::string> {
        if (off) return MakeError(ErrorCode::kUnavailable, "no network");
        return engine_.PullImage(request, sink, stop);
      });
  ON_CALL(offline, CheckImage)
      .WillByDefault([&](const std::string& image, std::stop_token stop) -> Result<void> {
        if (off) return MakeError(ErrorCode::kUnavailable, "no network");
        return engine_.CheckImage(image, stop);
      });
  for (const Strategy strategy : {Strategy::kDownloadThenKill, Strategy::kKillThenDownload}) {
    SCOPED_TRACE(StrategyName(strategy));
    off = false;
    watcher_.on_event = nullptr;
    TargetApp bad = Bad();
    for (TargetService& service : bad.release->services) service.strategy = strategy;
    TargetApp good = Good();
    for (TargetService& service : good.release->services) {
      service.spec.Set(Field::kPullPolicy, Value("always"));
    }
    ASSERT_EQ(Apply(good, offline).outcome, ApplyOutcome::kInSync);
    const auto before = Containers();
    WhenReleased([&] { off = true; });
    EXPECT_EQ(Apply(bad, offline).back_to, "c1");
    EXPECT_EQ(Containers(), before);
  }
}

TEST_F(RollbackTest, WaitsForALockThatAnAppTookMeanwhile) {
  (void)Apply(Good());
  const auto before = Containers();
  bool new_ones_stayed = false;
  watcher_.on_event = [&](const Event& event) {
    if (event.kind == EventKind::kStepDone && event.step_kind == StepKind::kReleaseLocks) {
      (void)locks_.HoldByApp(db_);
    }
    if (event.kind != EventKind::kHeld) return;
    EXPECT_THAT(event.holders, SizeIs(1));
    const auto now = Containers();
    new_ones_stayed = now.at("side").size() == 8 && now.at("side") != before.at("side");
    (void)locks_.ReleaseByApp(db_);
  };
  EXPECT_EQ(Apply(Bad()).back_to, "c1");
  EXPECT_TRUE(new_ones_stayed);
  EXPECT_EQ(CountOf(EventKind::kHeld), 1);
  EXPECT_EQ(Containers(), before);
}

TEST_F(RollbackTest, IsHeldForTheNextRunWhereNobodyWaits) {
  (void)Apply(Good());
  const auto before = Containers();
  WhenReleased([&] { (void)locks_.HoldByApp(db_); });
  options_.session.wait_when_held = false;
  EXPECT_EQ(Apply(Bad()).outcome, ApplyOutcome::kHeld);
  EXPECT_EQ(Containers().at("side").size(), 8U) << "the old one is kept";
  (void)locks_.ReleaseByApp(db_);
  options_.session.rollback = false;  // It was decided.
  watcher_.on_event = nullptr;
  const AppReport report = Apply(Bad());
  EXPECT_EQ(report.back_to, "c1");
  EXPECT_THAT(report.unhealthy, ElementsAre("web"));
  EXPECT_EQ(Containers(), before);
}

TEST_F(RollbackTest, ForceForTheWayForwardIsNoForceForTheWayBack) {
  (void)Apply(Good());
  (void)locks_.HoldByApp(db_);
  options_.session.plan.force = true;
  options_.session.wait_when_held = false;
  WhenReleased([&] { (void)locks_.HoldByApp(db_); });
  EXPECT_EQ(Apply(Bad()).outcome, ApplyOutcome::kHeld);
  EXPECT_TRUE(locks_.HeldByApp(db_));
}

TEST_F(RollbackTest, AFirstReleaseStaysAndSaysWhy) {
  const AppReport report = Apply(Bad());
  EXPECT_EQ(report.outcome, ApplyOutcome::kUnhealthy);
  EXPECT_EQ(report.back_to, std::nullopt);
  ASSERT_THAT(report.gaps, SizeIs(1));
  EXPECT_EQ(report.gaps[0],
            (Gap{"no-way-back",
                 "release c2 stays though it is not healthy: no release ran before it", false}));
  EXPECT_EQ(RecordNow().committed, "c2");
  EXPECT_THAT(RecordNow().failed, IsEmpty());
}

TEST_F(RollbackTest, WhatWasDeletedForItsDownloadIsNoWayBack) {
  (void)Apply(Good());
  TargetApp bad = Bad();
  ServiceOf(bad, "web").strategy = Strategy::kDeleteThenDownload;
  const AppReport report = Apply(bad);
  EXPECT_EQ(report.outcome, ApplyOutcome::kUnhealthy);
  ASSERT_THAT(report.gaps, SizeIs(1));
  EXPECT_THAT(report.gaps[0].message, HasSubstr("an old container is gone"));
  EXPECT_EQ(RecordNow().committed, "c2");
}

TEST_F(RollbackTest, AnotherConfigurationOfTheSameReleaseIsNoWayBack) {
  (void)Apply(Good());
  const AppReport report = Apply(ReleaseOf("c1", kBad));
  EXPECT_EQ(report.outcome, ApplyOutcome::kUnhealthy);
  ASSERT_THAT(report.gaps, SizeIs(1));
  EXPECT_THAT(report.gaps[0].message, HasSubstr("with another configuration"));
  EXPECT_THAT(RecordNow().failed, IsEmpty());
}

TEST_F(RollbackTest, AnOldContainerThatSomebodyRemovedIsNoWayBack) {
  (void)Apply(Good());
  const std::string old = Containers().at("side").front();
  WhenReleased([&] { EXPECT_THAT(engine_.RemoveContainer(old, {}), IsOk()); });
  const AppReport report = Apply(Bad());
  EXPECT_EQ(report.outcome, ApplyOutcome::kUnhealthy);
  ASSERT_THAT(report.gaps, SizeIs(1));
  EXPECT_THAT(report.gaps[0].message, HasSubstr("is gone"));
  EXPECT_EQ(RecordNow().committed, "c2");
}

TEST_F(RollbackTest, AnOldServiceThatDoesNotStartAgainIsAFailure) {
  (void)Apply(Good());
  const std::string old = Containers().at("side").front();
  NiceMock<MockRuntimeBackend> engine(engine_);
  ON_CALL(engine, StartContainer)
      .WillByDefault([&](const std::string& id, std::stop_token stop) -> Result<void> {
        if (id == old) return MakeError(ErrorCode::kUnavailable, "no shim");
        return engine_.StartContainer(id, stop);
      });
  const AppReport report = Apply(Bad(), engine);
  EXPECT_EQ(report.outcome, ApplyOutcome::kFailed);
  EXPECT_THAT(report.error->message, HasSubstr("no shim"));
  EXPECT_EQ(RecordNow().committed, "c1") << "the others went back";
}

struct LabelCase {
  std::string name;
  std::vector<std::string> labels;  // Of some services.
  bool option;
  bool goes_back;
};
class RollbackLabelTest : public RollbackTest, public ::testing::WithParamInterface<LabelCase> {};

TEST_P(RollbackLabelTest, WinsOverTheOption) {
  (void)Apply(Good());
  options_.session.rollback = GetParam().option;
  TargetApp bad = Bad();
  for (std::size_t i = 0; i < GetParam().labels.size(); ++i) {
    bad.release->services[i].spec.labels[std::string(kLabelRollback)] = GetParam().labels[i];
  }
  EXPECT_EQ(Apply(bad).back_to.has_value(), GetParam().goes_back);
}
INSTANTIATE_TEST_SUITE_P(Cases, RollbackLabelTest,
                         ::testing::Values(LabelCase{"OneAsks", {"1"}, false, true},
                                           LabelCase{"True", {"true"}, false, true},
                                           LabelCase{"NoneSays", {}, false, false},
                                           LabelCase{"OneRefuses", {"0"}, true, false},
                                           LabelCase{"False", {"false"}, true, false},
                                           LabelCase{"ANoWins", {"0", "1"}, true, false},
                                           LabelCase{"ANoWinsLast", {"1", "0"}, false, false},
                                           LabelCase{"NeitherYesNorNo", {"si"}, true, true}),
                         [](const auto& param_info) { return param_info.param.name; });

std::vector<std::string> ContainersUp(const ObservedState& state) {
  std::vector<std::string> up;
  for (const ObservedContainer& container : state.engine.containers) {
    if (container.IsUp()) up.push_back(container.id + " " + container.name);
  }
  std::sort(up.begin(), up.end());
  return up;
}

// Killed at any moment, the next run goes on with it.
class KilledTest : public ::testing::TestWithParam<int> {};

TEST_P(KilledTest, GoesBackAllTheSame) {
  const ObservedState before = Running(Good());
  SimulatedDevice device(before, MakeTarget({Bad()}), 1, {.unhealthy = 100});
  device.after_completion = [](SimulatedDevice& d) {
    if (d.completions() == GetParam()) d.Crash();
  };
  SessionOptions options;
  options.rollback = true;
  device.Run(options);
  EXPECT_GE(device.completions(), GetParam());
  EXPECT_THAT(device.broken(), IsEmpty());
  EXPECT_EQ(ContainersUp(device.truth()), ContainersUp(before));
  EXPECT_THAT(device.truth().engine.containers, SizeIs(3));
  EXPECT_THAT(device.truth().engine.images, SizeIs(3));
  const AppReport report = device.session().Reports().at(0);
  EXPECT_TRUE(report.outcome == ApplyOutcome::kUnhealthy) << static_cast<int>(report.outcome);
}
INSTANTIATE_TEST_SUITE_P(AfterEachCompletion, KilledTest, ::testing::Range(1, 30));

}  // namespace
}  // namespace lockstep::test
