// What a service is attached to: networks, volumes, the namespaces of others, and what it depends
// on with a restart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planning.h"

namespace lockstep::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

const Value kInternal = Value(Value::Map{{"internal", Value(true)}});
const Value kPlain = Value(Value::Map{});

void Join(TargetApp& app, const std::string& service, const std::string& network) {
  ServiceOf(app, service)
      .spec.Set(Field::kNetworks, Value(Value::Map{{network, Value(Value::Map{})}}));
}

// web is on `front`, db on `back`.
TargetApp OnNetworks(const std::string& commit, const Value& front) {
  TargetApp app = MakeApp(commit, {{.name = "db"}, {.name = "web"}});
  Join(app, "web", "front");
  Join(app, "db", "back");
  app.release->networks = {{"back", kPlain}, {"front", front}};
  return app;
}

TEST(NetworkTest, AChangedOneIsRemadeWhileWhatIsOnItIsStopped) {
  const Plan plan =
      MakePlan(Running(OnNetworks("c1", kPlain)), MakeTarget({OnNetworks("c2", kInternal)}));
  EXPECT_THAT(Words(plan),
              ElementsAre("take-locks", "stop-container web", "remove-network", "create-network",
                          "connect-network web", "start-container web", "release-locks",
                          "rename-container db", "rename-container web", "commit-release"));
  EXPECT_EQ(ChangeOf(plan, "web"), ServiceChange::kRestart);
  EXPECT_EQ(ChangeOf(plan, "db"), ServiceChange::kRename);
  EXPECT_EQ(plan.apps[0].services[1].why.back().code, ReasonCode::kNetworkChanged);
}

TEST(NetworkTest, ANewContainerOnARemadeOneIsMadeAfterIt) {
  TargetApp next = OnNetworks("c2", kInternal);
  ServiceOf(next, "web").spec.image = "registry.example/web:2";
  const Plan plan = MakePlan(Running(OnNetworks("c1", kPlain)), MakeTarget({next}));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kPullImage, "web"),
                     FindStep(plan, StepKind::kTakeLocks)));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kCreateNetwork),
                     FindStep(plan, StepKind::kCreateContainer, "web")));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kStopContainer, "web"),
                     FindStep(plan, StepKind::kRemoveNetwork)));
}

TEST(NetworkTest, ALockHoldsTheChange) {
  ObservedState observed = Running(OnNetworks("c1", kPlain));
  observed.locks = {HeldBy("db")};
  const Plan plan = MakePlan(observed, MakeTarget({OnNetworks("c2", kInternal)}));
  EXPECT_EQ(plan.status, PlanStatus::kHeld);
  for (const Step& step : plan.steps) EXPECT_EQ(step.status, StepStatus::kHeld);
}

TEST(NetworkTest, GoesOnWithoutALockWhereItWasCutOffWithEverythingStopped) {
  ObservedState observed = Running(OnNetworks("c1", kPlain));
  ContainerOf(observed, "web-c1-1").state = ContainerState::kExited;
  ContainerOf(observed, "web-c1-1").networks = std::vector<std::string>{};
  std::erase_if(observed.engine.networks, [](const auto& n) { return n.name == "front"; });
  AppRecord& record = observed.AppFor(kApp);
  record.committed = "c1";
  record.cutover = "c2";
  const Plan plan = MakePlan(observed, MakeTarget({OnNetworks("c2", kInternal)}));
  EXPECT_THAT(Words(plan),
              ElementsAre("create-network", "connect-network web", "start-container web",
                          "rename-container db", "rename-container web", "commit-release"));
}

TEST(NetworkTest, GoingBackMakesTheOldOneAgain) {
  TargetApp next = OnNetworks("c2", kInternal);
  ServiceOf(next, "web").spec.image = "registry.example/web:2";
  ObservedState observed = Running(OnNetworks("c1", kPlain));
  observed.engine.networks[1].config = kInternal;
  ObservedContainer& old = ContainerOf(observed, "web-c1-1");
  old.state = ContainerState::kExited;
  old.networks = std::vector<std::string>{};
  AppRecord& record = observed.AppFor(kApp);
  record.committed = "c1";
  record.cutover = "c2";
  record.failed = {"c2"};
  record.interrupted = {"web-c1-1"};
  record.networks = {{"front", kPlain}};
  const Target target = MakeTarget({next});
  const Plan plan = MakePlan(observed, target);
  EXPECT_THAT(Words(plan), ElementsAre("remove-network", "create-network", "connect-network web",
                                       "start-container web", "commit-release"));
  const StepRequest create =
      BuildRequest(*FindStep(plan, StepKind::kCreateNetwork), plan, observed, target, {});
  EXPECT_EQ(std::get<CreateNetworkRequest>(create).network.config, kPlain);
}

TEST(NetworkTest, WhatTheCutoverRemakesIsRememberedBeforeIt) {
  const ObservedState observed = Running(OnNetworks("c1", kPlain));
  const Target target = MakeTarget({OnNetworks("c2", kInternal)});
  const Plan plan = MakePlan(observed, target);
  const StepRequest take =
      BuildRequest(*FindStep(plan, StepKind::kTakeLocks), plan, observed, target, {});
  const auto& networks = std::get<TakeLocksRequest>(take).record->networks;
  ASSERT_EQ(networks.size(), 1u);
  EXPECT_EQ(networks.at("front"), kPlain);
}

TEST(NetworkTest, OneThatWasDetachedByHandIsAttachedAgainWithoutALock) {
  ObservedState observed = Running(OnNetworks("c1", kPlain));
  ContainerOf(observed, "web-c1-1").networks = std::vector<std::string>{};
  observed.locks = {HeldBy("web")};
  const Plan plan = MakePlan(observed, MakeTarget({OnNetworks("c1", kPlain)}));
  EXPECT_THAT(Words(plan), ElementsAre("connect-network web"));
  EXPECT_EQ(plan.status, PlanStatus::kReady);
  EXPECT_EQ(ChangeOf(plan, "web"), ServiceChange::kReconnect);
}

TEST(NetworkTest, OneThatAContainerIsAttachedToByHandIsNotRemovedButReported) {
  ObservedState observed = Running(OnNetworks("c1", kPlain));
  observed.engine.networks.push_back({"n-own", "own", kApp, "1", true, kPlain});
  ContainerOf(observed, "web-c1-1").networks = {"front", "own"};
  const Plan plan = MakePlan(observed, MakeTarget({OnNetworks("c1", kPlain)}));
  EXPECT_THAT(Words(plan), IsEmpty());
  ASSERT_EQ(plan.apps[0].gaps.size(), 1u);
  EXPECT_EQ(plan.apps[0].gaps[0].code, "network-in-use");
  EXPECT_FALSE(plan.apps[0].gaps[0].blocks);
}

// `side` is in the network of `web`.
TargetApp Sharing(const std::string& commit, const std::string& web_image) {
  TargetApp app = MakeApp(commit, {{.name = "side"}, {.name = "web", .image = web_image}});
  ServiceOf(app, "side").spec.Set(Field::kNetworkMode, Value("service:web"));
  return app;
}

TEST(SharedNamespaceTest, WhoSharesAServiceThatIsMadeAnewIsMadeAnewToo) {
  const Plan plan = MakePlan(Running(Sharing("c1", "web:1")), MakeTarget({Sharing("c2", "web:2")}));
  EXPECT_EQ(ChangeOf(plan, "side"), ServiceChange::kRecreate);
  EXPECT_EQ(plan.apps[0].services[0].why.back().code, ReasonCode::kDependencyRestarts);
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kCreateContainer, "web"),
                     FindStep(plan, StepKind::kCreateContainer, "side")));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kStopContainer, "side"),
                     FindStep(plan, StepKind::kStopContainer, "web")));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kStartContainer, "web"),
                     FindStep(plan, StepKind::kStartContainer, "side")));
}

TEST(SharedNamespaceTest, AContainerSaysWhichOnesItHasJoined) {
  ObservedState observed = Running(Sharing("c1", "web:1"));
  const Target target = MakeTarget({Sharing("c1", "web:1")});
  ContainerOf(observed, "side-c1-1").labels[std::string(kLabelShares)] = "web-c1-1";
  EXPECT_THAT(Words(MakePlan(observed, target)), IsEmpty());
  ContainerOf(observed, "side-c1-1").labels[std::string(kLabelShares)] = "one-that-is-gone";
  EXPECT_EQ(ChangeOf(MakePlan(observed, target), "side"), ServiceChange::kRecreate);
}

TEST(SharedNamespaceTest, WhoLostItsNetworkIsRestartedUnderTheLock) {
  ObservedState observed = Running(Sharing("c1", "web:1"));
  const Target target = MakeTarget({Sharing("c1", "web:1")});
  ContainerOf(observed, "web-c1-1").started_at = WallTime(std::chrono::seconds(20));
  ContainerOf(observed, "side-c1-1").started_at = WallTime(std::chrono::seconds(30));
  EXPECT_THAT(Words(MakePlan(observed, target)), IsEmpty());
  ContainerOf(observed, "side-c1-1").started_at = WallTime(std::chrono::seconds(10));
  const Plan plan = MakePlan(observed, target);
  EXPECT_EQ(ChangeOf(plan, "side"), ServiceChange::kRestart);
  EXPECT_THAT(Words(plan), ElementsAre("take-locks", "stop-container side", "start-container side",
                                       "release-locks", "commit-release"));
}

TEST(SharedNamespaceTest, OneThatIsDownIsStartedAtOnceAndWhoSharesItRestartedAfter) {
  ObservedState observed = Running(Sharing("c1", "web:1"));
  ContainerOf(observed, "web-c1-1").state = ContainerState::kExited;
  observed.locks = {HeldBy("side")};
  const Plan plan = MakePlan(observed, MakeTarget({Sharing("c1", "web:1")}));
  EXPECT_EQ(FindStep(plan, StepKind::kStartContainer, "web")->status, StepStatus::kReady);
  EXPECT_EQ(FindStep(plan, StepKind::kStopContainer, "side")->status, StepStatus::kHeld);
}

TEST(DependencyRestartTest, OnlyWhoAsksForItRestartsWithWhatItDependsOn) {
  const std::vector<ServiceDraft> drafts = {{.name = "db"},
                                            {.name = "plain", .depends_on = {"db"}},
                                            {.name = "web", .depends_on = {"db"}}};
  TargetApp next = MakeApp("c2", drafts);
  ServiceOf(next, "db").spec.image = "registry.example/db:2";
  ServiceOf(next, "web").spec.depends_on[0].restart = true;
  const Plan plan = MakePlan(Running(MakeApp("c1", drafts)), MakeTarget({next}));
  EXPECT_EQ(ChangeOf(plan, "web"), ServiceChange::kRestart);
  EXPECT_EQ(ChangeOf(plan, "plain"), ServiceChange::kRename);
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kStopContainer, "web"),
                     FindStep(plan, StepKind::kStopContainer, "db")));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kStartContainer, "db"),
                     FindStep(plan, StepKind::kStartContainer, "web")));
}

TargetApp WithVolume(const std::string& commit, const Value& config) {
  TargetApp app = MakeApp(commit, {{.name = "db"}, {.name = "web"}});
  ServiceOf(app, "db").spec.Set(
      Field::kVolumes,
      Value(Value::List{Value(Value::Map{
          {"source", Value("data")}, {"target", Value("/data")}, {"type", Value("volume")}})}));
  app.release->volumes = {{"data", config}};
  return app;
}

TEST(VolumeTest, AChangedDefinitionChangesNothingAndIsReported) {
  const Value labelled = Value(Value::Map{{"labels", Value(Value::Map{{"a", Value("b")}})}});
  const Plan plan =
      MakePlan(Running(WithVolume("c1", kPlain)), MakeTarget({WithVolume("c1", labelled)}));
  EXPECT_THAT(Words(plan), IsEmpty());
  ASSERT_EQ(plan.apps[0].gaps.size(), 1u);
  EXPECT_EQ(plan.apps[0].gaps[0].code, "volume-changed");
}

TEST(VolumeTest, APurgeMakesItAnewWithItsUsers) {
  ObservedState observed = Running(WithVolume("c1", kPlain));
  AppRecord& record = observed.AppFor(kApp);
  record.committed = "c1";
  record.purge = {"data"};
  const Plan plan = MakePlan(observed, MakeTarget({WithVolume("c1", kPlain)}));
  EXPECT_THAT(Words(plan),
              ElementsAre("take-locks", "stop-container db", "remove-container db", "purge-volume",
                          "create-volume", "create-container db", "start-container db",
                          "release-locks", "await-health db", "commit-release"));
  EXPECT_EQ(ChangeOf(plan, "web"), ServiceChange::kNone);
}

TEST(VolumeTest, IsNeverPurgedBecauseATargetNoLongerNamesIt) {
  const Plan plan =
      MakePlan(Running(WithVolume("c1", kPlain)), MakeTarget({MakeApp("c2", {{.name = "web"}})}));
  EXPECT_THAT(Words(plan), Not(Contains("purge-volume")));
}

struct StateCase {
  std::string name;
  ContainerState state;
  Health health;
  ReasonCode reason;
};
class LeftAloneTest : public ::testing::TestWithParam<StateCase> {};

TEST_P(LeftAloneTest, IsReported) {
  const TargetApp app = MakeApp("c1", {{.name = "web"}});
  ObservedState observed = Running(app);
  ContainerOf(observed, "web-c1-1").state = GetParam().state;
  ContainerOf(observed, "web-c1-1").health = GetParam().health;
  const Plan plan = MakePlan(observed, MakeTarget({app}));
  EXPECT_THAT(Words(plan), IsEmpty());
  EXPECT_EQ(plan.status, PlanStatus::kInSync);
  ASSERT_EQ(plan.apps[0].services[0].why.size(), 1u);
  EXPECT_EQ(plan.apps[0].services[0].why[0].code, GetParam().reason);
}
INSTANTIATE_TEST_SUITE_P(States, LeftAloneTest,
                         ::testing::Values(StateCase{"Paused", ContainerState::kPaused,
                                                     Health::kNone, ReasonCode::kPaused},
                                           StateCase{"Restarting", ContainerState::kRestarting,
                                                     Health::kNone, ReasonCode::kRestarting},
                                           StateCase{"Unhealthy", ContainerState::kRunning,
                                                     Health::kUnhealthy, ReasonCode::kUnhealthy}),
                         [](const auto& param_info) { return param_info.param.name; });

TEST(ContainerGapTest, LockstepNeverStopsTheContainerItRunsIn) {
  const Target target = MakeTarget({MakeApp("c2", {{.name = "web", .image = "web:2"}})});
  const ObservedState observed = Running(MakeApp("c1", {{.name = "web"}}));
  const Plan plan = MakePlan(observed, target, {.self = "web-c1-1"});
  EXPECT_EQ(plan.status, PlanStatus::kBlocked);
  EXPECT_EQ(plan.apps[0].gaps.at(0).code, "self");
}

TEST(ContainerGapTest, AContainerWhoseLocksAreElsewhereBlocksItsApp) {
  ObservedState observed = Running(MakeApp("c1", {{.name = "web"}}));
  ContainerOf(observed, "web-c1-1").lock_dir_elsewhere = true;
  const Plan plan =
      MakePlan(observed, MakeTarget({MakeApp("c2", {{.name = "web", .image = "web:2"}})}));
  EXPECT_EQ(plan.status, PlanStatus::kBlocked);
  EXPECT_EQ(plan.apps[0].gaps.at(0).code, "lock-directory-elsewhere");
}

TEST(ContainerGapTest, AServiceThatWantsARebootFirstIsNotStartedWithoutOne) {
  TargetApp app = MakeApp("c2", {{.name = "web"}});
  app.release->services[0].spec.labels[std::string(kLabelRequiresReboot)] = "1";
  const Plan plan = MakePlan(Running(MakeApp("c1", {{.name = "web"}})), MakeTarget({app}));
  EXPECT_EQ(plan.status, PlanStatus::kBlocked);
  EXPECT_EQ(plan.apps[0].gaps.at(0).code, "requires-reboot");
  EXPECT_THAT(Words(plan), IsEmpty());
  // One that runs has had it.
  EXPECT_EQ(MakePlan(Running(app), MakeTarget({app})).status, PlanStatus::kInSync);
}

TEST(ContainerGapTest, BalenasSupervisorIsNotPlanned) {
  const Plan plan = MakePlan({}, MakeTarget({MakeApp("c2", {{.name = "balena_supervisor"}})}));
  EXPECT_EQ(plan.status, PlanStatus::kBlocked);
  EXPECT_THAT(Words(plan), IsEmpty());
}

}  // namespace
}  // namespace lockstep::test
