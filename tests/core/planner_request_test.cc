// What a person asked of an app, as a plan.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planning.h"

namespace lockstep::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

TargetApp Shop(const std::string& commit = "c1") {
  return MakeApp(commit, {{.name = "db"}, {.name = "web", .depends_on = {"db"}}});
}

AppRecord& Record(ObservedState& observed) {
  AppRecord& record = observed.AppFor(kApp);
  if (!record.committed) record.committed = "c1";
  return record;
}

std::vector<std::string> GapsOf(const Plan& plan) {
  std::vector<std::string> codes;
  for (const Gap& gap : plan.apps.front().gaps) codes.push_back(gap.code);
  return codes;
}

// The steps that could be done now or soon.
std::vector<std::string> FreeWords(const Plan& plan) {
  std::vector<std::string> words = Words(plan);
  std::vector<std::string> free;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (plan.steps[i].status != StepStatus::kHeld) free.push_back(words[i]);
  }
  return free;
}

TEST(PlannerRequestTest, RestartsUnderTheLocksWhatWasAskedFor) {
  ObservedState observed = Running(Shop());
  Record(observed).restart = {"web-c1-1"};
  const Plan plan = MakePlan(observed, MakeTarget({Shop()}));
  EXPECT_THAT(Words(plan), ElementsAre("take-locks", "stop-container web", "start-container web",
                                       "release-locks", "commit-release"));
  EXPECT_EQ(ChangeOf(plan, "web"), ServiceChange::kRestart);
  EXPECT_EQ(ChangeOf(plan, "db"), ServiceChange::kNone);
  EXPECT_EQ(plan.apps[0].services[1].why.front().code, ReasonCode::kAsked);
  observed.locks = {HeldBy("db")};
  const Plan held = MakePlan(observed, MakeTarget({Shop()}));
  EXPECT_EQ(held.status, PlanStatus::kHeld);
  EXPECT_THAT(FreeWords(held), IsEmpty());
}

TEST(PlannerLostTest, WhatItsEngineLostSightOfIsRestartedUnderTheLocks) {
  ObservedState observed = Running(Shop());
  Record(observed);
  observed.FindContainer("web-c1-1")->lost = true;
  const Plan plan = MakePlan(observed, MakeTarget({Shop()}));
  EXPECT_EQ(ChangeOf(plan, "web"), ServiceChange::kRestart);
  EXPECT_EQ(ChangeOf(plan, "db"), ServiceChange::kNone);
  EXPECT_EQ(plan.apps[0].services[1].why.front().code, ReasonCode::kLost);
  EXPECT_THAT(Words(plan), ElementsAre("take-locks", "stop-container web", "start-container web",
                                       "release-locks", "commit-release"));
  observed.locks = {HeldBy("web")};
  EXPECT_EQ(MakePlan(observed, MakeTarget({Shop()})).status, PlanStatus::kHeld);
}

TEST(PlannerRequestTest, RestartsInTheOrderOfTheDependencies) {
  ObservedState observed = Running(Shop());
  Record(observed).restart = {"db-c1-1", "web-c1-1"};
  const Plan plan = MakePlan(observed, MakeTarget({Shop()}));
  const auto step = [&](StepKind kind, const char* name) { return FindStep(plan, kind, name); };
  EXPECT_TRUE(
      Before(plan, step(StepKind::kStopContainer, "web"), step(StepKind::kStopContainer, "db")));
  EXPECT_TRUE(
      Before(plan, step(StepKind::kStartContainer, "db"), step(StepKind::kStartContainer, "web")));
}

TEST(PlannerRequestTest, WhoRestartsWithADependencyOrSharesItsNamespaceRestartsToo) {
  TargetApp app = MakeApp("c1", {{.name = "db"}, {.name = "side"}, {.name = "web"}});
  Dependency with;
  with.service = "db";
  with.restart = true;
  ServiceOf(app, "web").spec.depends_on = {with};
  ServiceOf(app, "side").spec.Set(Field::kNetworkMode, Value("service:db"));
  ObservedState observed = Running(app);
  Record(observed).restart = {"db-c1-1"};
  const Plan plan = MakePlan(observed, MakeTarget({app}));
  for (const char* name : {"db", "side", "web"}) {
    EXPECT_EQ(ChangeOf(plan, name), ServiceChange::kRestart) << name;
  }
}

TEST(PlannerRequestTest, ARestartOfWhatDoesNotRunOrIsGoneIsNothing) {
  ObservedState observed = Running(Shop());
  Record(observed).restart = {"gone", "web-c1-1"};
  Record(observed).stopped = {"web"};
  ObservedContainer& web = ContainerOf(observed, "web-c1-1");
  web.state = ContainerState::kExited;
  web.restart_policy = "no";
  EXPECT_THAT(Words(MakePlan(observed, MakeTarget({Shop()}))), IsEmpty());
}

TEST(PlannerRequestTest, StopsForGoodWhatAPersonStops) {
  ObservedState observed = Running(Shop());
  Record(observed).stopped = {"db"};
  const Plan plan = MakePlan(observed, MakeTarget({Shop()}));
  // Its engine is not to bring it back either.
  EXPECT_THAT(Words(plan), ElementsAre("take-locks", "stop-container db", "update-container db",
                                       "release-locks", "commit-release"));
  const Step* aside = FindStep(plan, StepKind::kUpdateContainer, "db");
  ASSERT_NE(aside, nullptr);
  EXPECT_EQ(aside->detail, "no");
  observed.locks = {HeldBy("web")};
  EXPECT_EQ(MakePlan(observed, MakeTarget({Shop()})).status, PlanStatus::kHeld);
}

TEST(PlannerRequestTest, SetsAsideWhatWasStoppedBeforeItCameToThat) {
  ObservedState observed = Running(Shop());
  AppRecord& record = Record(observed);
  record.stopped = {"db"};
  record.cutover = "c1";
  record.interrupted = {"db-c1-1"};
  ObservedContainer& db = ContainerOf(observed, "db-c1-1");
  db.state = ContainerState::kExited;
  db.restart_policy.reset();
  const Plan plan = MakePlan(observed, MakeTarget({Shop()}));
  EXPECT_THAT(Words(plan), ElementsAre("update-container db", "commit-release"));
  // Later no list tells the policy, and it is not asked for again.
  record.cutover.reset();
  record.interrupted.clear();
  EXPECT_THAT(Words(MakePlan(observed, MakeTarget({Shop()}))), IsEmpty());
}

TEST(PlannerRequestTest, WhatIsStoppedStaysSoInANewRelease) {
  ObservedState observed = Running(Shop());
  Record(observed).stopped = {"web"};
  ContainerOf(observed, "web-c1-1").state = ContainerState::kExited;
  TargetApp next = Shop("c2");
  for (TargetService& service : next.release->services) service.spec.environment["A"] = "2";
  const Plan plan = MakePlan(observed, MakeTarget({next}));
  EXPECT_NE(FindStep(plan, StepKind::kCreateContainer, "web"), nullptr);
  EXPECT_EQ(FindStep(plan, StepKind::kStartContainer, "web"), nullptr);
  EXPECT_NE(FindStep(plan, StepKind::kStartContainer, "db"), nullptr);
}

TEST(PlannerRequestTest, StartingGivesBackItsRestartPolicyAndWaitsForNoLock) {
  ObservedState observed = Running(Shop());
  Record(observed).committed = "c1";
  ObservedContainer& web = ContainerOf(observed, "web-c1-1");
  web.state = ContainerState::kExited;
  web.restart_policy = "no";
  observed.locks = {HeldBy("db")};
  const Plan plan = MakePlan(observed, MakeTarget({Shop()}));
  EXPECT_THAT(Words(plan), ElementsAre("update-container web", "start-container web"));
  EXPECT_EQ(plan.steps[0].detail, "always");
  EXPECT_EQ(plan.status, PlanStatus::kReady);
}

Target NobodysTarget() {
  Target target;
  target.whole_device = false;
  return target;
}

TEST(PlannerRequestTest, RemovesAnAppThatNoTargetNames) {
  TargetApp app = Shop();
  app.release->networks["front"] = EmptyMap();
  app.release->volumes["data"] = EmptyMap();
  ObservedState observed = Running(app);
  EXPECT_THAT(MakePlan(observed, NobodysTarget()).apps, IsEmpty());
  Record(observed).remove = true;
  const Plan plan = MakePlan(observed, NobodysTarget());
  EXPECT_THAT(Words(plan),
              IsSupersetOf({"take-locks", "stop-container db", "stop-container web",
                            "remove-container db", "remove-container web", "remove-network"}));
  EXPECT_THAT(Words(plan), Not(Contains("purge-volume")));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kStopContainer, "web"),
                     FindStep(plan, StepKind::kStopContainer, "db")));
  ASSERT_FALSE(plan.steps.empty());
  const Step* forget = &plan.steps.back();
  ASSERT_TRUE(ForgetsApp(*forget));
  for (const Step& step : plan.steps) {
    EXPECT_TRUE(&step == forget || Before(plan, &step, forget)) << StepKindName(step.kind);
  }
  const auto request = BuildRequest(*forget, plan, observed, NobodysTarget(), DeviceInfo{});
  EXPECT_TRUE(std::get<CommitReleaseRequest>(request).record.empty());
}

TEST(PlannerRequestTest, RemovesNothingThatTheTargetNames) {
  ObservedState observed = Running(Shop());
  Record(observed).remove = true;
  const Plan plan = MakePlan(observed, MakeTarget({Shop()}));
  EXPECT_THAT(Words(plan), IsEmpty());
  EXPECT_THAT(GapsOf(plan), ElementsAre("removal-refused"));
  EXPECT_EQ(plan.status, PlanStatus::kInSync);
}

TEST(PlannerRequestTest, PurgesTheVolumesOfAnAppThatIsGone) {
  ObservedState observed;
  observed.engine.volumes.push_back({"data", kApp, "1", true, EmptyMap()});
  observed.AppFor(kApp).purge = {"data"};
  EXPECT_THAT(Words(MakePlan(observed, NobodysTarget())), ElementsAre("purge-volume"));
  // While it runs, whoever names it decides on its containers.
  AddRunning(observed, Shop());
  EXPECT_THAT(Words(MakePlan(observed, NobodysTarget())), IsEmpty());
}

TEST(PlannerRequestTest, PlansOneAppAloneWhereThatIsAskedFor) {
  const std::string other = "b0000000000000000000000000000002";
  ObservedState observed;
  observed.AppFor(other).remove = true;
  AddRunning(observed, MakeApp("c1", {{.name = "log"}}, other, "2"));
  PlanOptions options;
  options.only_app = kApp;
  const Plan plan = MakePlan(observed, MakeTarget({Shop()}), options);
  ASSERT_EQ(plan.apps.size(), 1U);
  EXPECT_EQ(plan.apps[0].app, kApp);
}

TEST(PlannerRequestTest, APauseLetsAReleaseBePreparedAndNoMore) {
  ObservedState observed = Running(Shop());
  Record(observed).paused = true;
  TargetApp next = MakeApp("c2", {{.name = "db", .image = "registry.example/db:2"},
                                  {.name = "web", .depends_on = {"db"}}});
  const Target target = MakeTarget({next});
  for (const bool force : {false, true}) {
    const Plan plan = MakePlan(observed, target, {.force = force});
    EXPECT_EQ(plan.status, PlanStatus::kHeld);
    EXPECT_TRUE(plan.apps[0].paused);
    EXPECT_THAT(FreeWords(plan), ElementsAre("pull-image db", "create-container db"));
    EXPECT_EQ(FindStep(plan, StepKind::kDeleteLock, "db"), nullptr);
    ASSERT_EQ(plan.apps[0].holders.size(), 1U);
    const LockHolder& pause = plan.apps[0].holders[0];
    EXPECT_TRUE(pause.IsPause());
    EXPECT_EQ(pause.holder, "paused by a person");
    EXPECT_EQ(pause.kind, LockKind::kOther);
  }
}

TEST(PlannerRequestTest, APauseHoldsWhatNeedsNoLockToo) {
  ObservedState observed = Running(Shop());
  Record(observed).paused = true;
  // The same services in another release: a matter of names.
  const Plan plan = MakePlan(observed, MakeTarget({Shop("c2")}));
  EXPECT_EQ(plan.status, PlanStatus::kHeld);
  EXPECT_THAT(Words(plan), Contains("rename-container web"));
  EXPECT_THAT(FreeWords(plan), IsEmpty());
}

TEST(PlannerRequestTest, APausedAppThatHasCrashedStartsAgain) {
  ObservedState observed = Running(Shop());
  Record(observed).paused = true;
  ContainerOf(observed, "web-c1-1").state = ContainerState::kExited;
  const Plan plan = MakePlan(observed, MakeTarget({Shop()}));
  EXPECT_THAT(FreeWords(plan), ElementsAre("start-container web"));
  EXPECT_EQ(plan.status, PlanStatus::kReady);
}

TEST(PlannerRequestTest, APauseLeavesACutoverThatHasBegunToEnd) {
  ObservedState observed = Running(Shop());
  AppRecord& record = Record(observed);
  record.paused = true;
  record.restart = {"web-c1-1"};
  record.cutover = "c1";
  observed.spans = {kApp};
  const Plan plan = MakePlan(observed, MakeTarget({Shop()}));
  EXPECT_THAT(FreeWords(plan), Contains("stop-container web"));
}

TEST(PlannerRequestTest, ADeviceDoesNotRebootWhileAnAppIsPaused) {
  ObservedState observed = Running(Shop());
  observed.boot_id = "boot";
  Target target = MakeTarget({Shop()});
  target.config["BALENA_HOST_CONFIG_gpu_mem"] = "64";
  target.config["BALENA_SUPERVISOR_OVERRIDE_LOCK"] = "1";
  observed.config["BALENA_SUPERVISOR_OVERRIDE_LOCK"] = "1";
  PlanOptions options;
  options.config_rules = {{.backend = "config.txt", .key = "BALENA_HOST_CONFIG_*"}};
  Record(observed).paused = false;
  const Plan before = MakePlan(observed, target, options);
  ASSERT_NE(RebootOf(before), nullptr);
  EXPECT_NE(RebootOf(before)->status, StepStatus::kDeferred);
  Record(observed).paused = true;
  const Plan plan = MakePlan(observed, target, options);
  ASSERT_NE(RebootOf(plan), nullptr);
  EXPECT_EQ(RebootOf(plan)->status, StepStatus::kDeferred);
  EXPECT_EQ(plan.status, PlanStatus::kHeld);
}

}  // namespace
}  // namespace lockstep::test
