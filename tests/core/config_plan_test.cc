// The settings of Lockstep itself: planned beside the apps, in force as soon as they are written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lockstep/config_key.h"
#include "lockstep/planner.h"
#include "planning.h"

namespace lockstep::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kPoll = "BALENA_SUPERVISOR_POLL_INTERVAL";
const std::string kOverride(kOverrideLocksKey);
const TargetApp kRuns = MakeApp("c1", {{.name = "db"}, {.name = "web"}});

Target Wanted(std::map<std::string, std::string> config, TargetApp app = kRuns) {
  Target target = MakeTarget({std::move(app)});
  target.config = std::move(config);
  return target;
}

// A device where the app runs, and settings are as given.
ObservedState Device(std::map<std::string, std::string> settings = {}) {
  ObservedState observed;
  AddRunning(observed, kRuns);
  observed.AppFor(kApp).committed = "c1";
  for (const auto& [key, value] : settings) observed.config_set.push_back(key);
  observed.config = std::move(settings);
  return observed;
}

LockHolder Lock(const std::string& service) {
  LockHolder holder;
  holder.app = kApp;
  holder.app_dir = "1";
  holder.service = service;
  holder.path = "/locks/1/" + service + "/updates.lock";
  return holder;
}

struct Case {
  std::string name;
  std::map<std::string, std::string> now;
  std::map<std::string, std::string> wanted;
  std::vector<ConfigAction> actions;
  PlanStatus status;
};

class ConfigPlanTest : public ::testing::TestWithParam<Case> {};

TEST_P(ConfigPlanTest, Decides) {
  const Plan plan = MakePlan(Device(GetParam().now), Wanted(GetParam().wanted));
  std::vector<ConfigAction> actions;
  std::size_t writes = 0;
  for (const ConfigPlan& config : plan.config) actions.push_back(config.action);
  for (const Step& step : plan.steps) writes += step.kind == StepKind::kWriteConfig;
  EXPECT_EQ(actions, GetParam().actions);
  EXPECT_EQ(writes, static_cast<std::size_t>(
                        std::count(actions.begin(), actions.end(), ConfigAction::kApply)));
  EXPECT_EQ(plan.status, GetParam().status);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ConfigPlanTest,
    ::testing::Values(
        Case{"Nothing", {}, {}, {}, PlanStatus::kInSync},
        Case{"New", {}, {{kPoll, "600"}}, {ConfigAction::kApply}, PlanStatus::kReady},
        Case{"Same", {{kPoll, "600"}}, {{kPoll, "600"}}, {}, PlanStatus::kInSync},
        Case{
            "SameInOtherWords", {{kOverride, "1"}}, {{kOverride, "true"}}, {}, PlanStatus::kInSync},
        Case{"Changed",
             {{kPoll, "600"}},
             {{kPoll, "900"}},
             {ConfigAction::kApply},
             PlanStatus::kReady},
        Case{"NoLongerWanted", {{kPoll, "600"}}, {}, {ConfigAction::kApply}, PlanStatus::kReady},
        Case{"OfNobody",
             {},
             {{"BALENA_HOST_TELEPORT", "1"}},
             {ConfigAction::kRefuse},
             PlanStatus::kInSync},
        Case{"OfTheHost",
             {},
             {{"BALENA_SUPERVISOR_PERSISTENT_LOGGING", "1"}},
             {ConfigAction::kRefuse},
             PlanStatus::kInSync}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(SettingsTest, AreWrittenWhileAnAppIsLocked) {
  ObservedState observed = Device();
  observed.locks = {Lock("web")};
  const Plan plan = MakePlan(observed, Wanted({{kPoll, "600"}}));
  ASSERT_THAT(plan.steps, SizeIs(1));
  EXPECT_EQ(plan.steps[0].status, StepStatus::kReady);
  EXPECT_EQ(plan.steps[0].subject, kPoll);
  EXPECT_FALSE(plan.steps[0].disruptive);
}

TEST(SettingsTest, ATargetOfOneAppSaysNothingOfThem) {
  Target target = Wanted({});
  target.whole_device = false;
  EXPECT_THAT(MakePlan(Device({{kPoll, "600"}}), target).steps, IsEmpty());
}

TEST(OverrideTest, LocksGoWhenItIsSetThoughNothingElseChanges) {
  ObservedState observed = Device();
  observed.locks = {Lock("web")};
  const Plan plan = MakePlan(observed, Wanted({{kOverride, "1"}}));
  ASSERT_THAT(plan.steps, SizeIs(2));
  EXPECT_EQ(plan.steps[0].kind, StepKind::kDeleteLock);
  EXPECT_EQ(plan.steps[0].subject, Lock("web").path);
  EXPECT_EQ(plan.steps[1].kind, StepKind::kWriteConfig);
  EXPECT_THAT(plan.steps[1].after, ElementsAre(0U)) << "not done before they are gone";
  EXPECT_EQ(plan.apps[0].status, PlanStatus::kInSync) << "no update of the app";
}

TEST(OverrideTest, OnceItIsSetLaterLocksStayUntilASpanMeetsThem) {
  ObservedState observed = Device({{kOverride, "1"}});
  observed.locks = {Lock("web")};
  EXPECT_THAT(MakePlan(observed, Wanted({{kOverride, "1"}})).steps, IsEmpty());
  const TargetApp next = MakeApp("c2", {{.name = "db"}, {.name = "web", .image = "web:2"}});
  const Plan plan = MakePlan(observed, Wanted({{kOverride, "1"}}, next));
  EXPECT_EQ(plan.status, PlanStatus::kReady);
  const auto deletes = [](const Step& step) { return step.kind == StepKind::kDeleteLock; };
  EXPECT_EQ(std::count_if(plan.steps.begin(), plan.steps.end(), deletes), 1);
}

TEST(OverrideTest, OnceItIsUnsetLocksAreRespected) {
  ObservedState observed = Device({{kOverride, "1"}});
  observed.locks = {Lock("web")};
  const TargetApp next = MakeApp("c2", {{.name = "db"}, {.name = "web", .image = "web:2"}});
  for (const Target& target : {Wanted({{kOverride, "0"}}, next), Wanted({}, next)}) {
    const Plan plan = MakePlan(observed, target);
    EXPECT_EQ(plan.apps[0].status, PlanStatus::kHeld);
    const auto deletes = [](const Step& step) { return step.kind == StepKind::kDeleteLock; };
    EXPECT_TRUE(std::none_of(plan.steps.begin(), plan.steps.end(), deletes));
  }
}

}  // namespace
}  // namespace lockstep::test
