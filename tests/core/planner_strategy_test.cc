// The ways of a service: which order each strategy gives, and what each must not do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planning.h"

namespace lockstep::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

const std::vector<ServiceDraft> kOld = {{.name = "db"}, {.name = "web", .depends_on = {"db"}}};
const std::vector<ServiceDraft> kBothNew = {
    {.name = "db", .image = "registry.example/db:2"},
    {.name = "web", .image = "registry.example/web:2", .depends_on = {"db"}}};
const std::vector<ServiceDraft> kWebNew = {
    {.name = "db"}, {.name = "web", .image = "registry.example/web:2", .depends_on = {"db"}}};

TargetApp With(Strategy strategy, const std::string& service,
               const std::vector<ServiceDraft>& drafts = kBothNew) {
  TargetApp app = MakeApp("c2", drafts);
  ServiceOf(app, service).strategy = strategy;
  return app;
}

std::vector<std::string> GapCodes(const Plan& plan) {
  std::vector<std::string> codes;
  for (const Gap& gap : plan.apps.at(0).gaps) codes.push_back(gap.code);
  return codes;
}

TEST(KillThenDownloadTest, StopsUnderTheLockThenDownloadsThenStarts) {
  const Plan plan = MakePlan(Running(MakeApp("c1", kOld)),
                             MakeTarget({With(Strategy::kKillThenDownload, "web", kWebNew)}));
  EXPECT_THAT(Words(plan), ElementsAre("check-image web", "take-locks", "stop-container web",
                                       "update-container web", "pull-image web",
                                       "create-container web", "start-container web",
                                       "release-locks", "rename-container db", "await-health web",
                                       "commit-release", "remove-container web", "remove-image"));
  EXPECT_EQ(FindStep(plan, StepKind::kPullImage, "web")->phase, Phase::kCutover);
}

TargetApp WithPolicy(const std::string& commit, const char* policy) {
  TargetApp app = MakeApp(commit, {{.name = "web"}});
  app.release->services[0].spec.Set(Field::kPullPolicy, Value(policy));
  return app;
}

TEST(PullPolicyTest, AlwaysLooksTheTagUpAgainOnceForEachRelease) {
  ObservedState observed = Running(MakeApp("c1", {{.name = "web"}}));
  const Target target = MakeTarget({WithPolicy("c2", "always")});
  EXPECT_THAT(Words(MakePlan(observed, target)),
              ElementsAre("pull-image web", "rename-container web", "commit-release"));
  observed.images_pulled = {observed.engine.containers[0].image};
  EXPECT_THAT(Words(MakePlan(observed, target)),
              ElementsAre("rename-container web", "commit-release"));
  // The tag has moved.
  observed.engine.images.at(0).references.clear();
  observed.engine.images.push_back({"sha256:new", {observed.engine.containers[0].image}, {}});
  EXPECT_NE(FindStep(MakePlan(observed, target), StepKind::kCreateContainer, "web"), nullptr);
  EXPECT_THAT(Words(MakePlan(Running(WithPolicy("c2", "always")), target)), IsEmpty());
}

TEST(PullPolicyTest, NeverPullsNothingAndSaysWhatIsMissing) {
  const Target target = MakeTarget({WithPolicy("c2", "never")});
  const Plan missing = MakePlan({}, target);
  EXPECT_EQ(missing.status, PlanStatus::kBlocked);
  EXPECT_EQ(missing.apps[0].gaps.at(0).code, "image-missing");
  EXPECT_THAT(Words(missing), IsEmpty());
  EXPECT_EQ(MakePlan(Running(MakeApp("c1", {{.name = "web"}})), target).status, PlanStatus::kReady);
}

TEST(KillThenDownloadTest, AsksTheRegistryBeforeTheGateAndOnlyOnce) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  const Target target = MakeTarget({With(Strategy::kKillThenDownload, "web", kWebNew)});
  Plan plan = MakePlan(observed, target);
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kCheckImage, "web"),
                     FindStep(plan, StepKind::kTakeLocks)));
  observed.images_answered = {"registry.example/web:2"};
  plan = MakePlan(observed, target);
  EXPECT_EQ(FindStep(plan, StepKind::kCheckImage, "web"), nullptr);
}

TEST(KillThenDownloadTest, IsPulledBeforeTheOthersStop) {
  const Plan plan = MakePlan(Running(MakeApp("c1", kOld)),
                             MakeTarget({With(Strategy::kKillThenDownload, "web")}));
  const Step* pull = FindStep(plan, StepKind::kPullImage, "web");
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kStopContainer, "web"), pull));
  EXPECT_TRUE(Before(plan, pull, FindStep(plan, StepKind::kStopContainer, "db")));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kPullImage, "db"),
                     FindStep(plan, StepKind::kTakeLocks)));
}

TEST(KillThenDownloadTest, WhatDependsOnItStopsFirst) {
  const Plan plan =
      MakePlan(Running(MakeApp("c1", kOld)), MakeTarget({With(Strategy::kKillThenDownload, "db")}));
  const Step* stop_web = FindStep(plan, StepKind::kStopContainer, "web");
  const Step* stop_db = FindStep(plan, StepKind::kStopContainer, "db");
  EXPECT_TRUE(Before(plan, stop_web, stop_db));
  EXPECT_TRUE(Before(plan, stop_db, FindStep(plan, StepKind::kPullImage, "db")));
}

TEST(KillThenDownloadTest, WithTheImageHereItIsMadeInAdvance) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.engine.images.push_back({"sha256:new", {"registry.example/web:2"}, {}});
  const Plan plan =
      MakePlan(observed, MakeTarget({With(Strategy::kKillThenDownload, "web", kWebNew)}));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kCreateContainer, "web"),
                     FindStep(plan, StepKind::kTakeLocks)));
}

TEST(DeleteThenDownloadTest, MakesRoomBeforeTheDownloadAndSaysThereIsNoWayBack) {
  const Plan plan = MakePlan(Running(MakeApp("c1", kOld)),
                             MakeTarget({With(Strategy::kDeleteThenDownload, "web", kWebNew)}));
  EXPECT_THAT(
      Words(plan),
      ElementsAre("check-image web", "take-locks", "stop-container web", "remove-container web",
                  "remove-image", "pull-image web", "create-container web", "start-container web",
                  "release-locks", "rename-container db", "await-health web", "commit-release"));
  EXPECT_THAT(GapCodes(plan), ElementsAre("no-way-back"));
  EXPECT_EQ(plan.apps[0].status, PlanStatus::kReady);
  EXPECT_FALSE(plan.apps[0].way_back);
}

TEST(DeleteThenDownloadTest, AnImageThatAnotherServiceUsesStays) {
  ObservedState observed = Running(
      MakeApp("c1", {{.name = "a", .image = "same:1"}, {.name = "web", .image = "same:1"}}));
  TargetApp app =
      MakeApp("c2", {{.name = "a", .image = "same:1"}, {.name = "web", .image = "other:2"}});
  ServiceOf(app, "web").strategy = Strategy::kDeleteThenDownload;
  EXPECT_THAT(Words(MakePlan(observed, MakeTarget({app}))), Not(Contains("remove-image")));
}

TEST(DeleteThenDownloadTest, AFailureDoesNotGoBackToWhatIsGone) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  std::erase_if(observed.engine.containers, [](const auto& c) { return c.service == "web"; });
  AppRecord& record = observed.AppFor(kApp);
  record.committed = "c1";
  record.cutover = "c2";
  const Target target = MakeTarget({With(Strategy::kDeleteThenDownload, "web", kWebNew)});
  EXPECT_FALSE(MakePlan(observed, target).apps[0].way_back);
}

TEST(HandOverTest, StartsBesideTheOldOneWhichStopsWhenItWasTakenOverFrom) {
  const Plan plan = MakePlan(Running(MakeApp("c1", kOld)),
                             MakeTarget({With(Strategy::kHandOver, "web", kWebNew)}));
  EXPECT_THAT(Words(plan), ElementsAre("pull-image web", "create-container web", "take-locks",
                                       "start-container web", "await-handover web",
                                       "update-container web", "stop-container web",
                                       "release-locks", "rename-container db", "await-health web",
                                       "commit-release", "remove-container web", "remove-image"));
}

TEST(HandOverTest, TheOldOneNeedNotStopBeforeWhatItDependsOn) {
  const Plan plan =
      MakePlan(Running(MakeApp("c1", kOld)), MakeTarget({With(Strategy::kHandOver, "web")}));
  const Step* start_web = FindStep(plan, StepKind::kStartContainer, "web");
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kStartContainer, "db"), start_web));
  EXPECT_TRUE(Before(plan, start_web, FindStep(plan, StepKind::kStopContainer, "web")));
}

TEST(HandOverTest, WhatDependsOnItStopsBeforeItAndStartsAfterTheNewOne) {
  const Plan plan =
      MakePlan(Running(MakeApp("c1", kOld)), MakeTarget({With(Strategy::kHandOver, "db")}));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kStopContainer, "web"),
                     FindStep(plan, StepKind::kStopContainer, "db")));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kStartContainer, "db"),
                     FindStep(plan, StepKind::kStartContainer, "web")));
}

TEST(HandOverTest, AWaitForHealthThatItNeedsIsInsideTheSpan) {
  TargetApp app = With(Strategy::kHandOver, "web");
  ServiceOf(app, "web").spec.depends_on[0].condition = DependencyCondition::kHealthy;
  const Plan plan = MakePlan(Running(MakeApp("c1", kOld)), MakeTarget({app}));
  const Step* await = FindStep(plan, StepKind::kAwaitHealth, "db");
  EXPECT_TRUE(Before(plan, await, FindStep(plan, StepKind::kStartContainer, "web")));
  EXPECT_TRUE(Before(plan, await, FindStep(plan, StepKind::kReleaseLocks)));
}

TEST(HandOverTest, GoesOnWhereItWasCutOff) {
  const TargetApp next = With(Strategy::kHandOver, "web", kWebNew);
  ObservedState observed = Running(MakeApp("c1", kOld));
  TargetApp only_web = next;
  std::erase_if(only_web.release->services, [](const auto& s) { return s.name != "web"; });
  AddRunning(observed, only_web);
  AppRecord& record = observed.AppFor(kApp);
  record.committed = "c1";
  record.cutover = "c2";
  observed.spans = {kApp};
  const Plan plan = MakePlan(observed, MakeTarget({next}));
  EXPECT_EQ(FindStep(plan, StepKind::kStartContainer, "web"), nullptr);
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kAwaitHandover, "web"),
                     FindStep(plan, StepKind::kStopContainer, "web")));
}

TEST(HandOverTest, AStoppedOldOneIsSimplyReplaced) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  ContainerOf(observed, "web-c1-1").state = ContainerState::kExited;
  ContainerOf(observed, "web-c1-1").restart_policy = "no";
  ContainerOf(observed, "web-c1-1").spec->Set(Field::kRestart, Value());
  const Plan plan = MakePlan(observed, MakeTarget({With(Strategy::kHandOver, "web", kWebNew)}));
  EXPECT_EQ(FindStep(plan, StepKind::kAwaitHandover, "web"), nullptr);
}

struct ConflictCase {
  std::string name;
  Field field;
  Value old_value;
  Value new_value;
  bool conflicts;
};

class HandOverConflictTest : public ::testing::TestWithParam<ConflictCase> {};

TEST_P(HandOverConflictTest, BlocksTheAppWhereBothCannotBe) {
  const ConflictCase& param = GetParam();
  TargetApp old = MakeApp("c1", kOld);
  ServiceOf(old, "web").spec.Set(param.field, param.old_value);
  TargetApp next = With(Strategy::kHandOver, "web", kWebNew);
  ServiceOf(next, "web").spec.Set(param.field, param.new_value);
  const Plan plan = MakePlan(Running(old), MakeTarget({next}));
  if (param.conflicts) {
    EXPECT_THAT(GapCodes(plan), ElementsAre("hand-over-conflict"));
    EXPECT_EQ(plan.status, PlanStatus::kBlocked);
    EXPECT_THAT(Words(plan), IsEmpty());
  } else {
    EXPECT_THAT(GapCodes(plan), IsEmpty());
  }
}

Value Ports(const std::string& port) { return Value(Value::List{Value(port)}); }
Value Address(const std::string& address) {
  return Value(Value::Map{{"default", Value(Value::Map{{"ipv4_address", Value(address)}})}});
}

INSTANTIATE_TEST_SUITE_P(
    Cases, HandOverConflictTest,
    ::testing::Values(
        ConflictCase{"SamePort", Field::kPorts, Ports(":80:80/tcp"), Ports(":80:8080/tcp"), true},
        ConflictCase{"OtherPort", Field::kPorts, Ports(":80:80/tcp"), Ports(":81:80/tcp"), false},
        ConflictCase{"OtherProtocol", Field::kPorts, Ports(":80:80/tcp"), Ports(":80:80/udp"),
                     false},
        ConflictCase{"OtherAddressOfTheHost", Field::kPorts, Ports("127.0.0.1:80:80/tcp"),
                     Ports("10.0.0.1:80:80/tcp"), false},
        ConflictCase{"OneOfAllAddresses", Field::kPorts, Ports("127.0.0.1:80:80/tcp"),
                     Ports(":80:80/tcp"), true},
        ConflictCase{"PortOfTheEnginesChoice", Field::kPorts, Ports("::80/tcp"), Ports("::80/tcp"),
                     false},
        ConflictCase{"RangeOfTheEnginesChoice", Field::kPorts, Ports(":80-89:80/tcp"),
                     Ports(":80-89:80/tcp"), false},
        ConflictCase{"SameAddress", Field::kNetworks, Address("10.0.0.5"), Address("10.0.0.5"),
                     true},
        ConflictCase{"OtherAddress", Field::kNetworks, Address("10.0.0.5"), Address("10.0.0.6"),
                     false},
        ConflictCase{"SameMac", Field::kMacAddress, Value("02:42:ac:11:00:02"),
                     Value("02:42:ac:11:00:02"), true}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(OverrideTest, TheLastingOverrideRunsOverEveryLockOfTheApp) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.locks = {HeldBy("db"), HeldBy("web")};
  Target target = MakeTarget({MakeApp("c2", kWebNew)});
  target.config["BALENA_SUPERVISOR_OVERRIDE_LOCK"] = "1";
  const Plan plan = MakePlan(observed, target);
  EXPECT_EQ(plan.status, PlanStatus::kReady);
  EXPECT_NE(FindStep(plan, StepKind::kDeleteLock, "db"), nullptr);
  EXPECT_NE(FindStep(plan, StepKind::kDeleteLock, "web"), nullptr);
  target.config["BALENA_SUPERVISOR_OVERRIDE_LOCK"] = "0";
  EXPECT_EQ(MakePlan(observed, target).status, PlanStatus::kHeld);
}

}  // namespace
}  // namespace lockstep::test
