// Tests of what would be done, and of what must never be done: with values and doubles alone, no
// engine, no libcurl. For a CI of yours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lockstep/orchestrator.h>
#include <lockstep/planner.h>
#include <lockstep/runtimes/memory_engine.h>
#include <lockstep/testing/fake_host_control.h>
#include <lockstep/testing/fake_lock_fs.h>
#include <lockstep/testing/fake_store.h>
#include <lockstep/testing/matchers.h>
#include <lockstep/testing/mock_runtime_backend.h>

#include <string>
#include <vector>

namespace {

using namespace lockstep;
using namespace lockstep::test;
using ::testing::ElementsAre;
using ::testing::NiceMock;

const ServiceRef kWeb{"shop", "shop", "web"};

TargetService Service(const std::string& name, const std::string& image) {
  TargetService service;
  service.name = name;
  service.spec.image = image;
  service.spec.Set(Field::kRestart, "always");
  return service;
}

// `web` needs `db`, which is the same in every release.
Target Shop(const std::string& commit, const std::string& web_image) {
  TargetService web = Service("web", web_image);
  web.spec.depends_on = {{.service = "db"}};
  TargetApp app;
  app.uuid = app.name = "shop";
  app.release.emplace();
  app.release->commit = commit;
  app.release->services = {Service("db", "db:1"), web};
  Target target;
  target.apps = {app};
  return target;
}

// A device on which this release runs, as an engine and a store would report it.
ObservedState Running(const Target& target) {
  const TargetApp& app = target.apps.front();
  ObservedState observed;
  observed.AppFor(app.uuid).committed = app.release->commit;
  for (const TargetService& service : app.release->services) {
    ObservedContainer container;
    container.id = "id-of-" + service.name;
    container.name = ContainerName(service.name, 0, 0, app.release->commit);
    container.commit = app.release->commit;
    container.app = app.uuid;
    container.service = service.name;
    container.owned = true;
    container.state = ContainerState::kRunning;
    container.image = service.spec.image;
    container.image_id = "id-of-" + service.spec.image;
    container.spec = service.spec;
    container.restart_policy = RestartPolicyOf(service.spec);
    container.networks = NetworksOf(service.spec);
    observed.engine.images.push_back({container.image_id, {container.image}, {}});
    observed.engine.containers.push_back(container);
  }
  return observed;
}

// The steps that can interrupt a service, in their order.
std::vector<std::string> Interruptions(const Plan& plan) {
  std::vector<std::string> words;
  for (const Step& step : plan.steps) {
    if (step.disruptive) words.push_back(std::string(StepKindName(step.kind)) + " " + step.service);
  }
  return words;
}

TEST(ShopPlanTest, NothingIsLeftToDoWhereTheReleaseRuns) {
  const Target target = Shop("a1", "web:1");
  const Plan plan = MakePlan(Running(target), target);
  EXPECT_EQ(plan.status, PlanStatus::kInSync);
  EXPECT_TRUE(plan.steps.empty());
}

TEST(ShopPlanTest, OnlyWhatChangedIsInterrupted) {
  const Plan plan = MakePlan(Running(Shop("a1", "web:1")), Shop("b2", "web:2"));
  EXPECT_EQ(plan.status, PlanStatus::kReady);
  EXPECT_THAT(Interruptions(plan), ElementsAre("stop-container web"));
}

TEST(ShopPlanTest, AnUpdateLockHoldsWhatInterruptsAndNotTheDownload) {
  ObservedState observed = Running(Shop("a1", "web:1"));
  LockHolder holder;
  holder.app = holder.app_dir = "shop";
  holder.service = "web";
  holder.path = "/locks/shop/web/updates.lock";
  observed.locks.push_back(holder);
  const Plan plan = MakePlan(observed, Shop("b2", "web:2"));
  EXPECT_EQ(plan.status, PlanStatus::kHeld);
  for (const Step& step : plan.steps) {
    const bool held = step.status == StepStatus::kHeld;
    EXPECT_TRUE(held || !step.disruptive) << StepKindName(step.kind);
    EXPECT_FALSE(held && step.kind == StepKind::kPullImage);
  }
}

// Everything that is not expected of the mock goes to the engine in memory behind it.
class ShopUpdateTest : public ::testing::Test {
 protected:
  ShopUpdateTest() {
    options_.session.settle = std::chrono::milliseconds(0);
    options_.session.wait_when_held = false;
    EXPECT_EQ(Apply(Shop("a1", "web:1")), ApplyOutcome::kInSync);
  }

  ApplyOutcome Apply(const Target& target) {
    const auto report = orchestrator_.Apply(target, options_, ignored_, {});
    EXPECT_THAT(report, IsOk());
    return report ? report.assume_value().outcome : ApplyOutcome::kFailed;
  }

  struct Ignored final : EventObserver {
    void OnEvent(const Event&) override {}
  };
  MemoryEngine engine_{MemoryOptions{.pull_anything = true}};
  NiceMock<MockRuntimeBackend> backend_{engine_};
  FakeLockFs locks_;
  FakeStore store_;
  FakeHostControl machine_;
  DeviceConfig config_;
  SystemClock clock_;
  Orchestrator orchestrator_{{backend_, locks_, store_, machine_, config_, clock_}};
  ApplyOptions options_;
  Ignored ignored_;
};

TEST_F(ShopUpdateTest, StopsNothingWhileALockIsHeld) {
  ASSERT_TRUE(locks_.HoldByApp(kWeb));
  EXPECT_CALL(backend_, PullImage);
  EXPECT_CALL(backend_, StopContainer).Times(0);
  EXPECT_EQ(Apply(Shop("b2", "web:2")), ApplyOutcome::kHeld);
}

TEST_F(ShopUpdateTest, StopsTheOldUnderTheLocksAndThenStartsTheNew) {
  const ::testing::InSequence in_order;
  EXPECT_CALL(backend_, StopContainer).WillOnce([this](auto&&... arguments) {
    EXPECT_TRUE(locks_.HeldByUs(kWeb));
    return engine_.StopContainer(arguments...);
  });
  EXPECT_CALL(backend_, StartContainer);
  EXPECT_EQ(Apply(Shop("b2", "web:2")), ApplyOutcome::kInSync);
  EXPECT_FALSE(locks_.HeldByUs(kWeb));
}

}  // namespace
