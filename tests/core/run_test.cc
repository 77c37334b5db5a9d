// Orchestrator::Run, with the memory engine and real threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "event_recorder.h"
#include "lockstep/orchestrator.h"
#include "lockstep/runtimes/memory_engine.h"
#include "lockstep/testing/fake_host_control.h"
#include "lockstep/testing/fake_lock_fs.h"
#include "lockstep/testing/fake_store.h"
#include "lockstep/testing/matchers.h"
#include "planning.h"

namespace lockstep::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsNull;

const std::vector<ServiceDraft> kA = {{.name = "db"}, {.name = "web", .depends_on = {"db"}}};
const std::vector<ServiceDraft> kB = {
    {.name = "db"}, {.name = "web", .image = "registry.example/web:2", .depends_on = {"db"}}};
const std::vector<ServiceDraft> kC = {
    {.name = "db"}, {.name = "web", .image = "registry.example/web:3", .depends_on = {"db"}}};

class RunTest : public ::testing::Test {
 protected:
  RunTest() {
    options_.settle = std::chrono::milliseconds(0);
    options_.back_off = std::chrono::milliseconds(1);
    options_.look_after = std::chrono::milliseconds(1);
  }
  ~RunTest() override { Stop(); }

  void Start() {
    thread_ = std::jthread([this](std::stop_token stop) {
      Orchestrator orchestrator({engine_, locks_, store_, host_, config_, clock_});
      orchestrator.Run(options_, control_, recorder_, std::move(stop));
    });
  }
  void Stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

  std::shared_ptr<const RunView> View() {
    std::promise<std::shared_ptr<const RunView>> view;
    control_.View([&](std::shared_ptr<const RunView> now) { view.set_value(std::move(now)); });
    return view.get_future().get();
  }

  // The limit only ends a test that has failed.
  testing::AssertionResult Reaches(const std::function<bool(const RunView&)>& state) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < end) {
      if (const auto view = View(); view && state(*view)) return testing::AssertionSuccess();
      std::this_thread::yield();
    }
    std::string seen;
    for (const Event& event : recorder_.seen()) {
      seen += std::string(EventKindName(event.kind)) + ' ' +
              (event.step ? std::string(StepKindName(event.step_kind)) : "") + ' ' + event.service +
              '\n';
    }
    return testing::AssertionFailure() << "not in 30 s, after\n" << seen;
  }

  testing::AssertionResult RestsAt(const std::string& commit) {
    return Reaches([&](const RunView& view) {
      const AppRecord* record = view.observed.FindApp(kApp);
      return view.at_rest && record != nullptr && record->committed == commit;
    });
  }

  std::vector<std::string> Running() const { return NamesUp(engine_.State()); }

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
  SessionOptions options_;
  RunControl control_;
  std::jthread thread_;
  const ServiceRef db_{kApp, "1", "db"};
};

TEST_F(RunTest, WithoutATargetItDoesNothingAndEndsWhenAsked) {
  Start();
  EXPECT_THAT(View(), IsNull());
  EXPECT_THAT(control_.Update({}), IsError(ErrorCode::kUnavailable));
  Stop();
  EXPECT_EQ(engine_.calls(Call::kObserve), 0);
}

TEST_F(RunTest, GoesFromTargetToTarget) {
  control_.SetTarget(MakeTarget({MakeApp("c1", kA)}));
  Start();
  ASSERT_TRUE(RestsAt("c1"));
  control_.SetTarget(MakeTarget({MakeApp("c2", kB)}));
  ASSERT_TRUE(RestsAt("c2"));
  EXPECT_THAT(Running(), ElementsAre("db_0_0_c2", "web_0_0_c2"));
  EXPECT_THAT(locks_.taken(), IsEmpty());
}

TEST_F(RunTest, TargetsThatFlipLoseNothingAndTheLastOneWins) {
  control_.SetTarget(MakeTarget({MakeApp("c1", kA)}));
  Start();
  ASSERT_TRUE(RestsAt("c1"));
  const int starts = engine_.calls(Call::kStartContainer);
  for (int i = 0; i < 50; ++i) {
    control_.SetTarget(MakeTarget({MakeApp("c2", kB)}));
    if (i % 3 == 0) (void)View();
    control_.SetTarget(MakeTarget({MakeApp("c3", kC)}));
    if (i % 5 == 0) (void)View();
  }
  ASSERT_TRUE(RestsAt("c3"));
  EXPECT_THAT(Running(), ElementsAre("db_0_0_c3", "web_0_0_c3"));
  EXPECT_THAT(locks_.taken(), IsEmpty());
  EXPECT_LE(engine_.calls(Call::kStartContainer) - starts, 51);
}

TEST_F(RunTest, AnAppThatIsHeldKeepsNoOtherFromItsUpdate) {
  const std::string other = "b0000000000000000000000000000002";
  control_.SetTarget(MakeTarget({MakeApp("c1", kA), MakeApp("c1", {{.name = "ui"}}, other, "2")}));
  Start();
  ASSERT_TRUE(RestsAt("c1"));
  ASSERT_TRUE(locks_.HoldByApp(db_));
  control_.SetTarget(
      MakeTarget({MakeApp("c2", kB),
                  MakeApp("c2", {{.name = "ui", .image = "registry.example/ui:2"}}, other, "2")}));
  ASSERT_TRUE(recorder_.Await(EventKind::kHeld, kApp));
  ASSERT_TRUE(Reaches([&](const RunView& view) {
    const AppRecord* record = view.observed.FindApp(other);
    return record != nullptr && record->committed == "c2";
  }));
  locks_.ReleaseByApp(db_);
  EXPECT_TRUE(RestsAt("c2"));
}

TEST_F(RunTest, AnEngineThatIsAwayAtStartIsWaitedFor) {
  for (int i = 0; i < 5; ++i) {
    engine_.FailNext(Call::kObserve, MakeError(ErrorCode::kUnavailable, "not yet"));
  }
  control_.SetTarget(MakeTarget({MakeApp("c1", kA)}));
  Start();
  EXPECT_TRUE(RestsAt("c1"));
}

TEST_F(RunTest, AContainerThatSomebodyStopsIsStartedAgain) {
  control_.SetTarget(MakeTarget({MakeApp("c1", kA)}));
  Start();
  ASSERT_TRUE(RestsAt("c1"));
  const std::string web = engine_.State().containers.back().id;
  ASSERT_THAT(engine_.StopContainer(web, std::chrono::seconds(1), {}), IsOk());
  EXPECT_TRUE(Reaches([&](const RunView& view) { return view.at_rest && Running().size() == 2u; }));
}

TEST_F(RunTest, AReleaseThatFailedIsNotTriedAgainByANewStart) {
  control_.SetTarget(MakeTarget({MakeApp("c1", kA)}));
  Start();
  ASSERT_TRUE(RestsAt("c1"));
  Stop();
  AppRecord record = store_.Load().assume_value().apps.at(0);
  record.failed = {"c2"};
  ASSERT_TRUE(store_.PutApp(record));
  const int starts = engine_.calls(Call::kStartContainer);
  control_.SetTarget(MakeTarget({MakeApp("c2", kB)}));
  Start();
  ASSERT_TRUE(Reaches(
      [&](const RunView& view) { return view.at_rest && view.plan.apps.at(0).to == "c2"; }));
  EXPECT_EQ(engine_.calls(Call::kStartContainer), starts);
  EXPECT_THAT(Running(), ElementsAre("db_0_0_c1", "web_0_0_c1"));
  ASSERT_TRUE(control_.Update({.force = true}));
  EXPECT_TRUE(RestsAt("c2"));
}

TEST_F(RunTest, AStopByRequestStaysAndAStartTakesItBack) {
  control_.SetTarget(MakeTarget({MakeApp("c1", kA)}));
  Start();
  ASSERT_TRUE(RestsAt("c1"));
  ASSERT_THAT(control_.Ask({.kind = AppRequestKind::kStop, .app = kApp, .names = {"web"}}), IsOk());
  ASSERT_TRUE(Reaches([&](const RunView& view) { return view.at_rest && Running().size() == 1u; }));
  control_.SetTarget(MakeTarget({MakeApp("c2", kB)}));
  ASSERT_TRUE(RestsAt("c2"));
  EXPECT_THAT(Running(), ElementsAre("db_0_0_c2"));
  ASSERT_THAT(control_.Ask({.kind = AppRequestKind::kStart, .app = kApp}), IsOk());
  EXPECT_TRUE(Reaches([&](const RunView& view) { return view.at_rest && Running().size() == 2u; }));
}

TEST_F(RunTest, WhoeverAsksAtTheSameTimeIsGivenTheSameView) {
  control_.SetTarget(MakeTarget({MakeApp("c1", kA)}));
  Start();
  ASSERT_TRUE(RestsAt("c1"));
  // What the engine tells of the update may come a moment later.
  EXPECT_TRUE(Reaches([&](const RunView& view) { return View().get() == &view; }));
}

TEST_F(RunTest, AtRestItAsksTheEngineNothing) {
  control_.SetTarget(MakeTarget({MakeApp("c1", kA)}));
  Start();
  ASSERT_TRUE(RestsAt("c1"));
  // What the engine tells of the update may come a moment later.
  EXPECT_TRUE(Reaches([&](const RunView&) {
    const int looks = engine_.calls(Call::kObserve);
    for (int i = 0; i < 100; ++i) (void)View();
    return engine_.calls(Call::kObserve) == looks;
  }));
}

}  // namespace
}  // namespace lockstep::test
