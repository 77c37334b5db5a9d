// The settings of Lockstep itself: planned beside the apps, in force as soon as they are written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

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
        Case{"SameInCapitals", {{kOverride, "0"}}, {{kOverride, "False"}}, {}, PlanStatus::kInSync},
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

// Configuration that needs a reboot.

const std::string kGpu = "BALENA_HOST_CONFIG_gpu_mem";
const std::string kFan = "BALENA_HOST_CONFIG_fan_profile";

PlanOptions WithRules() {
  PlanOptions options;
  options.config_rules = {
      {.backend = "config.txt", .key = "BALENA_HOST_CONFIG_*"},
      {.backend = "config.txt",
       .key = "BALENA_HOST_CONFIG_kernel",
       .forbidden = "the device might not boot with another kernel"},
      {.backend = "fan", .key = kFan, .needs_reboot = false},
      {.backend = "odmdata",
       .key = "BALENA_HOST_ODMDATA_configuration",
       .stays = true,
       .refusal = [](std::string_view, std::string_view value) -> std::string {
         return value == "1" ? "" : "it is no number from 1 to 6";
       }},
      {.backend = "json", .key = "BALENA_HOST_LOGGING", .absent = "false"},
      {.backend = "extlinux",
       .key = "BALENA_HOST_EXTLINUX_fdt",
       .canonical = [](std::string_view value) { return "/" + std::string(value); }},
  };
  return options;
}

struct KeyCase {
  std::string name;
  std::string key;
  std::string from;  // Empty: not there.
  std::string to;    // Empty: not wanted.
  ConfigAction action;
  bool needs_reboot;
  std::string message;
};
class KeyTest : public ::testing::TestWithParam<KeyCase> {};

TEST_P(KeyTest, Decides) {
  const KeyCase& row = GetParam();
  ObservedState observed = Device();
  if (!row.from.empty()) observed.config[row.key] = row.from;
  observed.config_set = {row.key};
  Target target = Wanted({});
  if (!row.to.empty()) target.config[row.key] = row.to;
  const Plan plan = MakePlan(observed, target, WithRules());
  if (row.action == ConfigAction::kNone) {
    EXPECT_THAT(plan.config, IsEmpty());
    EXPECT_EQ(plan.status, PlanStatus::kInSync);
    return;
  }
  ASSERT_THAT(plan.config, SizeIs(1));
  EXPECT_EQ(plan.config[0].action, row.action);
  EXPECT_EQ(plan.config[0].needs_reboot, row.needs_reboot);
  EXPECT_THAT(plan.config[0].message, ::testing::HasSubstr(row.message));
  EXPECT_EQ(RebootOf(plan) != nullptr, row.needs_reboot && row.action == ConfigAction::kApply);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, KeyTest,
    ::testing::Values(
        KeyCase{"Changes", kGpu, "32", "64", ConfigAction::kApply, true, ""},
        KeyCase{"IsNew", kGpu, "", "64", ConfigAction::kApply, true, ""},
        KeyCase{"Goes", kGpu, "32", "", ConfigAction::kApply, true, ""},
        KeyCase{"IsTheSame", kGpu, "64", "64", ConfigAction::kNone, true, ""},
        KeyCase{"IsTheSameByType", kGpu, "1", "true", ConfigAction::kNone, true, ""},
        KeyCase{"IsTheSameToItsBackend", "BALENA_HOST_EXTLINUX_fdt", "a.dtb", "a.dtb",
                ConfigAction::kNone, true, ""},
        KeyCase{"NeedsNone", kFan, "quiet", "cool", ConfigAction::kApply, false, ""},
        KeyCase{"Forbidden", "BALENA_HOST_CONFIG_kernel", "a", "b", ConfigAction::kRefuse, true,
                "might not boot"},
        KeyCase{"ForbiddenButTheSame", "BALENA_HOST_CONFIG_kernel", "a", "a", ConfigAction::kNone,
                true, ""},
        KeyCase{"WrongValue", "BALENA_HOST_ODMDATA_configuration", "1", "7", ConfigAction::kRefuse,
                true, "from 1 to 6"},
        KeyCase{"StaysThoughUnset", "BALENA_HOST_ODMDATA_configuration", "1", "",
                ConfigAction::kNone, true, ""},
        KeyCase{"NoneIsTheSame", "BALENA_HOST_LOGGING", "", "0", ConfigAction::kNone, true, ""},
        KeyCase{"IsTheSameAsNone", "BALENA_HOST_LOGGING", "false", "", ConfigAction::kNone, true,
                ""},
        KeyCase{"IsNotTheSameAsNone", "BALENA_HOST_LOGGING", "", "true", ConfigAction::kApply, true,
                ""},
        KeyCase{"TwoLines", kGpu, "32", "64\nkernel=evil", ConfigAction::kRefuse, true, "one line"},
        KeyCase{"OfNobody", "BALENA_HOST_TELEPORT", "", "1", ConfigAction::kRefuse, false,
                "no configuration backend"},
        KeyCase{"OfNobodyAndGone", "BALENA_HOST_TELEPORT", "1", "", ConfigAction::kNone, false,
                ""}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(BackendTest, AKeyOfABackendThatTheDeviceDoesNotHaveIsNobodys) {
  ObservedState observed = Device();
  observed.config_backends = {"fan"};
  const Plan plan = MakePlan(observed, Wanted({{kGpu, "64"}, {kFan, "cool"}}), WithRules());
  ASSERT_THAT(plan.config, SizeIs(2));
  EXPECT_EQ(plan.config[0].action, ConfigAction::kApply) << "others are still applied";
  EXPECT_EQ(plan.config[1].action, ConfigAction::kRefuse);
}

TEST(BackendTest, WhatCannotBeReadIsLeftAndSaysWhy) {
  ObservedState observed = Device();
  observed.config_unreadable["config.txt"] = "config.txt : the disk is broken";
  const Plan plan = MakePlan(observed, Wanted({{kGpu, "64"}, {kFan, "cool"}}), WithRules());
  ASSERT_THAT(plan.config, SizeIs(2));
  EXPECT_EQ(plan.config[0].action, ConfigAction::kApply);
  EXPECT_EQ(plan.config[1].action, ConfigAction::kRefuse);
  EXPECT_THAT(plan.config[1].message, ::testing::HasSubstr("broken"));
}

TEST(RebootPlanTest, WhatTheFactoryWroteStays) {
  ObservedState observed = Device();
  observed.config[kGpu] = "16";
  EXPECT_THAT(MakePlan(observed, Wanted({}), WithRules()).config, IsEmpty());
}

// Two apps: the update of one goes first, then the locks of both, the writes, and one reboot.
TEST(RebootPlanTest, ComesBehindUpdatesUnderTheLocksOfAllApps) {
  ObservedState observed = Device();
  AddRunning(observed, MakeApp("c1", {{.name = "x"}}, "b2", "2"));
  Target target = MakeTarget({MakeApp("c2", {{.name = "db"}, {.name = "web", .image = "web:2"}}),
                              MakeApp("c1", {{.name = "x"}}, "b2", "2")});
  target.config = {{kGpu, "64"}, {"BALENA_HOST_CONFIG_dtparam", "spi=on"}};
  const Plan plan = MakePlan(observed, target, WithRules());
  const Step* reboot = RebootOf(plan);
  ASSERT_NE(reboot, nullptr);
  EXPECT_EQ(std::count_if(plan.steps.begin(), plan.steps.end(),
                          [](const Step& step) { return step.kind == StepKind::kReboot; }),
            1);
  std::set<std::string> locked;
  for (const Step& step : plan.steps) {
    if (step.phase != Phase::kConfig) {
      EXPECT_TRUE(Before(plan, &step, reboot)) << StepKindName(step.kind) << " " << step.subject;
      continue;
    }
    if (step.kind == StepKind::kWriteConfig) {
      EXPECT_TRUE(Before(plan, &step, reboot));
    }
    if (step.kind != StepKind::kTakeLocks) continue;
    locked.insert(step.app);
    for (const Step& write : plan.steps) {
      if (write.kind == StepKind::kWriteConfig) {
        EXPECT_TRUE(Before(plan, &step, &write));
      }
    }
  }
  EXPECT_THAT(locked, ElementsAre(kApp, "b2"));
}

TEST(RebootPlanTest, IsDeferredByALockOfAnyAppWhileUpdatesOfOthersGoOn) {
  ObservedState observed = Device();
  AddRunning(observed, MakeApp("c1", {{.name = "x"}}, "b2", "2"));
  observed.locks = {HeldBy("x", "b2")};
  Target target = MakeTarget({MakeApp("c2", {{.name = "db"}, {.name = "web", .image = "web:2"}}),
                              MakeApp("c1", {{.name = "x"}}, "b2", "2")});
  target.config = {{kGpu, "64"}, {kFan, "cool"}};
  for (const bool force : {false, true}) {
    PlanOptions options = WithRules();
    options.force = force;  // Never for a reboot.
    const Plan plan = MakePlan(observed, target, options);
    EXPECT_EQ(plan.status, PlanStatus::kHeld);
    EXPECT_EQ(plan.apps[0].status, PlanStatus::kReady);
    EXPECT_EQ(plan.apps[1].status, PlanStatus::kInSync) << "of its own update, not of a reboot";
    for (const ConfigPlan& config : plan.config) {
      EXPECT_EQ(config.action, config.key == kFan ? ConfigAction::kApply : ConfigAction::kDefer);
    }
    for (const Step& step : plan.steps) {
      if (step.phase != Phase::kConfig) {
        EXPECT_NE(step.status, StepStatus::kDeferred);
      }
      if (step.phase == Phase::kConfig && step.subject != kFan) {
        EXPECT_EQ(step.status, StepStatus::kDeferred) << StepKindName(step.kind);
      }
    }
  }
}

TEST(RebootPlanTest, TheLastingOverrideRunsOverLocks) {
  ObservedState observed = Device({{kOverride, "1"}});
  observed.locks = {HeldBy("web")};
  const Plan plan = MakePlan(observed, Wanted({{kOverride, "1"}, {kGpu, "64"}}), WithRules());
  EXPECT_EQ(plan.status, PlanStatus::kReady);
  const Step* deletes = FindStep(plan, StepKind::kDeleteLock, "web");
  ASSERT_NE(deletes, nullptr);
  EXPECT_TRUE(Before(plan, deletes, RebootOf(plan)));
  const Step* take = FindStep(plan, StepKind::kTakeLocks);
  ASSERT_NE(take, nullptr);
  const StepRequest request =
      BuildRequest(*take, plan, observed, Wanted({{kOverride, "1"}, {kGpu, "64"}}), {});
  EXPECT_THAT(std::get<TakeLocksRequest>(request).forced, SizeIs(1));
  EXPECT_FALSE(std::get<TakeLocksRequest>(request).record) << "no cutover begins";
}

TEST(RebootPlanTest, LocksOfNoServiceOfCurrentOrTargetDeferNothing) {
  ObservedState observed = Device();
  observed.locks = {HeldBy("gone"), HeldBy("web", "stranger")};
  EXPECT_EQ(MakePlan(observed, Wanted({{kGpu, "64"}}), WithRules()).status, PlanStatus::kReady);
}

TEST(RebootPlanTest, ABlockedOrFailedAppDoesNotDelayIt) {
  ObservedState observed = Device();
  observed.stalled = {kApp};
  const Target target =
      Wanted({{kGpu, "64"}}, MakeApp("c2", {{.name = "db"}, {.name = "web", .image = "web:2"}}));
  const Plan plan = MakePlan(observed, target, WithRules());
  const auto take = std::find_if(plan.steps.begin(), plan.steps.end(), [](const Step& step) {
    return step.kind == StepKind::kTakeLocks && step.phase == Phase::kConfig;
  });
  ASSERT_NE(take, plan.steps.end());
  EXPECT_THAT(take->after, IsEmpty());
}

TEST(RebootPlanTest, LocksThatWereTakenForItAreKeptUntilOneIsHeld) {
  ObservedState observed = Device();
  observed.reboot_spans = {kApp};
  const Plan plan = MakePlan(observed, Wanted({{kGpu, "64"}}), WithRules());
  EXPECT_THAT(Words(plan), ElementsAre("write-config", "reboot"));
  AddRunning(observed, MakeApp("c1", {{.name = "x"}}, "b2", "2"));
  observed.locks = {HeldBy("x", "b2")};
  Target target = MakeTarget({kRuns, MakeApp("c1", {{.name = "x"}}, "b2", "2")});
  target.config[kGpu] = "64";
  const Plan held = MakePlan(observed, target, WithRules());
  ASSERT_NE(FindStep(held, StepKind::kReleaseLocks), nullptr);
  EXPECT_EQ(FindStep(held, StepKind::kReleaseLocks)->status, StepStatus::kReady);
  EXPECT_EQ(RebootOf(held)->status, StepStatus::kDeferred);
}

TEST(RebootPlanTest, ARecordOfThisBootKeepsTheRebootThoughAllIsWritten) {
  ObservedState observed = Device();
  observed.boot_id = "boot-1";
  observed.config[kGpu] = "64";
  observed.reboot = RebootRecord{"boot-1", "c", 0, {{kGpu, "64"}}};
  Plan plan = MakePlan(observed, Wanted({{kGpu, "64"}}), WithRules());
  EXPECT_THAT(Words(plan), ElementsAre("take-locks", "reboot"));
  EXPECT_EQ(plan.status, PlanStatus::kReady);
  observed.boot_id = "boot-2";
  plan = MakePlan(observed, Wanted({{kGpu, "64"}}), WithRules());
  EXPECT_THAT(plan.steps, IsEmpty());
  EXPECT_EQ(plan.status, PlanStatus::kInSync);
}

TEST(RebootPlanTest, AKeyThatCannotBeWrittenKeepsNoOtherFromIt) {
  ObservedState observed = Device();
  observed.config_failed[kGpu] = "config.txt : no space";
  const Plan plan =
      MakePlan(observed, Wanted({{kGpu, "64"}, {"BALENA_HOST_EXTLINUX_fdt", "a"}}), WithRules());
  ASSERT_THAT(plan.config, SizeIs(2));
  EXPECT_EQ(plan.config[0].action, ConfigAction::kRefuse);
  EXPECT_EQ(plan.config[1].action, ConfigAction::kApply);
  EXPECT_NE(RebootOf(plan), nullptr);
}

// A whole batch is one write: no reboot finds a part of it.
TEST(RebootPlanTest, KeysOfOneBackendAreWrittenAtOnce) {
  ObservedState observed = Device();
  observed.boot_id = "boot-1";
  observed.config["BALENA_HOST_CONFIG_old"] = "1";
  observed.config_set = {"BALENA_HOST_CONFIG_old"};
  const Target target = Wanted({{kGpu, "64"}, {"BALENA_HOST_EXTLINUX_fdt", "a"}, {kFan, "cool"}});
  const Plan plan = MakePlan(observed, target, WithRules());
  const auto write = std::find_if(plan.steps.begin(), plan.steps.end(),
                                  [](const Step& step) { return step.subject == kGpu; });
  ASSERT_NE(write, plan.steps.end());
  const auto request =
      std::get<WriteConfigRequest>(BuildRequest(*write, plan, observed, target, {}));
  EXPECT_EQ(request.backend, "config.txt");
  EXPECT_EQ(request.changes,
            (ConfigChanges{{kGpu, "64"}, {"BALENA_HOST_CONFIG_old", std::nullopt}}));
  ASSERT_TRUE(request.record);
  EXPECT_EQ(request.record->boot_id, "boot-1");
  EXPECT_EQ(request.record->changes.size(), 3U) << "all that the reboot is for";
}

}  // namespace
}  // namespace lockstep::test
