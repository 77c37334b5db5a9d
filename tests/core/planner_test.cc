#include "lockstep/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planning.h"

namespace lockstep::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<ServiceDraft> kOld = {{.name = "db"}, {.name = "web", .depends_on = {"db"}}};
const std::vector<ServiceDraft> kNew = {
    {.name = "db"}, {.name = "web", .image = "registry.example/web:2", .depends_on = {"db"}}};
const std::vector<ServiceDraft> kBothNew = {
    {.name = "db", .image = "registry.example/db:2"},
    {.name = "web", .image = "registry.example/web:2", .depends_on = {"db"}}};

TEST(PlannerTest, HasNothingToDoWhenInSync) {
  const TargetApp app = MakeApp("c1", kOld);
  const Plan plan = MakePlan(Running(app), MakeTarget({app}));
  EXPECT_EQ(plan.status, PlanStatus::kInSync);
  EXPECT_THAT(Words(plan), IsEmpty());
}

TEST(PlannerTest, InterruptsOnlyTheServiceThatChanged) {
  const Plan plan = MakePlan(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c2", kNew)}));
  EXPECT_THAT(Words(plan),
              ElementsAre("pull-image web", "create-container web", "take-locks",
                          "stop-container web", "update-container web", "start-container web",
                          "release-locks", "rename-container db", "await-health web",
                          "commit-release", "remove-container web", "remove-image"));
  EXPECT_EQ(ChangeOf(plan, "web"), ServiceChange::kRecreate);
  EXPECT_EQ(ChangeOf(plan, "db"), ServiceChange::kRename);
}

TEST(PlannerTest, StopsDependentsFirstAndStartsThemLast) {
  const Plan plan = MakePlan(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c2", kBothNew)}));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kStopContainer, "web"),
                     FindStep(plan, StepKind::kStopContainer, "db")));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kStartContainer, "db"),
                     FindStep(plan, StepKind::kStartContainer, "web")));
}

TEST(PlannerTest, OrdersThroughAServiceThatStaysAsItIs) {
  const auto drafts = [](const std::string& version) {
    return std::vector<ServiceDraft>{
        {.name = "a", .image = "registry.example/a:" + version, .depends_on = {"middle"}},
        {.name = "middle", .depends_on = {"z"}},
        {.name = "z", .image = "registry.example/z:" + version}};
  };
  const Plan plan =
      MakePlan(Running(MakeApp("c1", drafts("1"))), MakeTarget({MakeApp("c2", drafts("2"))}));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kStopContainer, "a"),
                     FindStep(plan, StepKind::kStopContainer, "z")));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kStartContainer, "z"),
                     FindStep(plan, StepKind::kStartContainer, "a")));
  EXPECT_EQ(FindStep(plan, StepKind::kStopContainer, "middle"), nullptr);
}

TEST(PlannerTest, DownloadsWhileALockOfAnotherServiceHoldsTheRelease) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.locks.push_back(HeldBy("db"));
  const Plan plan = MakePlan(observed, MakeTarget({MakeApp("c2", kNew)}));
  EXPECT_EQ(plan.status, PlanStatus::kHeld);
  EXPECT_EQ(FindStep(plan, StepKind::kPullImage, "web")->status, StepStatus::kReady);
  EXPECT_EQ(FindStep(plan, StepKind::kTakeLocks)->status, StepStatus::kHeld);
  EXPECT_EQ(FindStep(plan, StepKind::kStopContainer, "web")->status, StepStatus::kHeld);
  ASSERT_EQ(plan.apps[0].holders.size(), 1u);
  EXPECT_EQ(plan.apps[0].holders[0].service, "db");
}

TEST(PlannerTest, ALockOfItsOwnHoldsNothing) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.locks.push_back(HeldBy("db"));
  observed.locks.back().ours = true;
  EXPECT_EQ(MakePlan(observed, MakeTarget({MakeApp("c2", kNew)})).status, PlanStatus::kReady);
}

TEST(PlannerTest, RenamesWithoutALockWhenNothingElseChanges) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.locks.push_back(HeldBy("db"));
  const Plan plan = MakePlan(observed, MakeTarget({MakeApp("c2", kOld)}));
  EXPECT_EQ(plan.status, PlanStatus::kReady);
  EXPECT_THAT(Words(plan),
              ElementsAre("rename-container db", "rename-container web", "commit-release"));
}

TEST(PlannerTest, GatesAPureAddition) {
  ObservedState observed = Running(MakeApp("c1", {{.name = "db"}}));
  observed.locks.push_back(HeldBy("db"));
  const Plan plan = MakePlan(observed, MakeTarget({MakeApp("c2", kOld)}));
  EXPECT_EQ(plan.status, PlanStatus::kHeld);
  EXPECT_EQ(FindStep(plan, StepKind::kStartContainer, "web")->status, StepStatus::kHeld);
}

TEST(PlannerTest, StartsAStoppedServiceOfTheRunningReleaseThoughLocked) {
  const TargetApp app = MakeApp("c1", kOld);
  ObservedState observed = Running(app);
  ContainerOf(observed, "web-c1-1").state = ContainerState::kExited;
  observed.locks.push_back(HeldBy("web"));
  const Plan plan = MakePlan(observed, MakeTarget({app}));
  EXPECT_EQ(plan.status, PlanStatus::kReady);
  EXPECT_THAT(Words(plan), ElementsAre("start-container web"));
  EXPECT_EQ(plan.steps[0].status, StepStatus::kReady);
}

TEST(PlannerTest, MakesAMissingServiceOfTheRunningReleaseThoughLocked) {
  const TargetApp app = MakeApp("c1", kOld);
  ObservedState observed = Running(app);
  std::erase_if(observed.engine.containers, [](const auto& c) { return c.service == "web"; });
  observed.locks.push_back(HeldBy("db"));
  const Plan plan = MakePlan(observed, MakeTarget({app}));
  EXPECT_THAT(Words(plan), ElementsAre("create-container web", "start-container web"));
  EXPECT_EQ(plan.status, PlanStatus::kReady);
}

TEST(PlannerTest, AStoppedServiceIsNotHeldUpByAGatedOneItDependsOn) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  ContainerOf(observed, "web-c1-1").state = ContainerState::kExited;
  observed.locks.push_back(HeldBy("db"));
  std::vector<ServiceDraft> next = kOld;
  next[0].image = "registry.example/db:2";
  const Plan plan = MakePlan(observed, MakeTarget({MakeApp("c2", next)}));
  EXPECT_EQ(FindStep(plan, StepKind::kStartContainer, "web")->status, StepStatus::kReady);
  EXPECT_EQ(FindStep(plan, StepKind::kStopContainer, "db")->status, StepStatus::kHeld);
}

TEST(PlannerTest, LeavesAJobThatIsDoneAlone) {
  const TargetApp app = MakeApp("c1", {{.name = "job", .restart = "on-failure"}});
  ObservedState observed = Running(app);
  ContainerOf(observed, "job-c1-1").state = ContainerState::kExited;
  EXPECT_EQ(MakePlan(observed, MakeTarget({app})).status, PlanStatus::kInSync);
  ContainerOf(observed, "job-c1-1").exit_code = 3;
  EXPECT_THAT(Words(MakePlan(observed, MakeTarget({app}))), ElementsAre("start-container job"));
}

TEST(PlannerTest, MakesANewContainerBesideTheOldOneOfTheSameRelease) {
  std::vector<ServiceDraft> changed = kOld;
  changed[1].environment["A"] = "2";
  const Plan plan = MakePlan(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c1", changed)}));
  const Step* create = FindStep(plan, StepKind::kCreateContainer, "web");
  ASSERT_NE(create, nullptr);
  EXPECT_THAT(create->subject, ::testing::MatchesRegex("web_0_0_c1\\.[0-9a-f]{8}"));
  EXPECT_EQ(FindStep(plan, StepKind::kPullImage, "web"), nullptr);
  ASSERT_EQ(create->why.size(), 1u);
  EXPECT_EQ(create->why[0].field, "environment.A");
  EXPECT_TRUE(create->why[0].secret);
}

TEST(PlannerTest, TakesTheFinalNameOnceTheOldContainerIsGone) {
  std::vector<ServiceDraft> changed = kOld;
  changed[1].environment["A"] = "2";
  const TargetApp app = MakeApp("c1", changed);
  ObservedState observed = Running(app);
  ContainerOf(observed, "web-c1-1").name += ".0123abcd";
  const Plan plan = MakePlan(observed, MakeTarget({app}));
  EXPECT_THAT(Words(plan), ElementsAre("rename-container web"));
  EXPECT_EQ(plan.steps[0].detail, "web_0_0_c1");
}

TEST(PlannerTest, RemovesAServiceThatLeftTheTargetUnderTheLock) {
  const Plan plan =
      MakePlan(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c2", {{.name = "db"}})}));
  EXPECT_EQ(ChangeOf(plan, "web"), ServiceChange::kRemove);
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kTakeLocks),
                     FindStep(plan, StepKind::kStopContainer, "web")));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kCommitRelease),
                     FindStep(plan, StepKind::kRemoveContainer, "web")));
}

TEST(PlannerTest, RemovesAnAppThatAWholeStateOmits) {
  const Plan plan = MakePlan(Running(MakeApp("c1", {{.name = "db"}})), MakeTarget({}));
  EXPECT_THAT(Words(plan),
              ElementsAre("take-locks", "stop-container db", "update-container db", "release-locks",
                          "commit-release", "remove-container db", "remove-image"));
}

TEST(PlannerTest, ATargetForOneAppSaysNothingOfOthers) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  AddRunning(observed, MakeApp("c1", {{.name = "x"}}, "b2", "2"));
  Target target = MakeTarget({MakeApp("c1", kOld)});
  target.whole_device = false;
  EXPECT_EQ(MakePlan(observed, target).status, PlanStatus::kInSync);
}

TEST(PlannerTest, NeverTouchesWhatItDoesNotOwn) {
  const TargetApp app = MakeApp("c1", kOld);
  ObservedState observed = Running(app);
  ObservedContainer stranger = ContainerOf(observed, "web-c1-1");
  stranger.id = "stranger";
  stranger.name = "stranger";
  stranger.owned = false;
  observed.engine.containers.push_back(stranger);
  EXPECT_EQ(MakePlan(observed, MakeTarget({app})).status, PlanStatus::kInSync);
  for (const Step& step : MakePlan(observed, MakeTarget({})).steps) {
    EXPECT_NE(step.subject, "stranger");
    EXPECT_NE(step.subject, stranger.image_id) << "the stranger runs on this image";
  }
}

TEST(PlannerTest, ACycleBlocksItsAppAlone) {
  const TargetApp bad =
      MakeApp("c2", {{.name = "db", .depends_on = {"web"}}, {.name = "web", .depends_on = {"db"}}});
  const TargetApp good = MakeApp("c2", {{.name = "x"}}, "b2", "2");
  const Plan plan = MakePlan({}, MakeTarget({bad, good}));
  EXPECT_EQ(plan.apps[0].status, PlanStatus::kBlocked);
  ASSERT_EQ(plan.apps[0].gaps.size(), 1u);
  EXPECT_EQ(plan.apps[0].gaps[0].code, "dependency-cycle");
  EXPECT_EQ(plan.apps[0].gaps[0].message, "db -> web -> db");
  EXPECT_EQ(plan.apps[1].status, PlanStatus::kReady);
}

TEST(PlannerTest, OneAppsLockDoesNotHoldAnother) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  AddRunning(observed, MakeApp("c1", {{.name = "x"}}, "b2", "2"));
  observed.locks.push_back(HeldBy("web"));
  const Plan plan = MakePlan(
      observed,
      MakeTarget({MakeApp("c2", kNew),
                  MakeApp("c2", {{.name = "x", .image = "registry.example/x:2"}}, "b2", "2")}));
  EXPECT_EQ(plan.apps[0].status, PlanStatus::kHeld);
  EXPECT_EQ(plan.apps[1].status, PlanStatus::kReady);
}

TEST(PlannerTest, ForceDeletesTheLocksOfInterruptedServicesOnly) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.locks = {HeldBy("db"), HeldBy("web")};
  PlanOptions options;
  options.force = true;
  const Target target = MakeTarget({MakeApp("c2", kNew)});
  const Plan plan = MakePlan(observed, target, options);
  EXPECT_EQ(plan.status, PlanStatus::kReady);
  EXPECT_EQ(plan.apps[0].holders.size(), 2u);
  EXPECT_NE(FindStep(plan, StepKind::kDeleteLock, "web"), nullptr);
  EXPECT_EQ(FindStep(plan, StepKind::kDeleteLock, "db"), nullptr);
  const StepRequest request =
      BuildRequest(*FindStep(plan, StepKind::kTakeLocks), plan, observed, target, DeviceInfo{});
  const auto& take = std::get<TakeLocksRequest>(request);
  ASSERT_EQ(take.forced.size(), 1u);
  EXPECT_EQ(take.forced[0].service, "web");
  EXPECT_THAT(take.services, IsEmpty());
}

TEST(PlannerTest, ReleasesTheLocksBeforeWaitingForHealth) {
  std::vector<ServiceDraft> next = kBothNew;
  TargetApp app = MakeApp("c2", next);
  app.release->services[1].spec.depends_on[0].condition = DependencyCondition::kHealthy;
  const Plan plan = MakePlan(Running(MakeApp("c1", kOld)), MakeTarget({app}));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kStopContainer, "web"),
                     FindStep(plan, StepKind::kReleaseLocks)));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kAwaitHealth, "db"),
                     FindStep(plan, StepKind::kStartContainer, "web")));
  EXPECT_FALSE(Before(plan, FindStep(plan, StepKind::kStartContainer, "web"),
                      FindStep(plan, StepKind::kReleaseLocks)));
}

TEST(PlannerTest, FreesAHostPortBeforeAnotherServiceTakesIt) {
  TargetApp before = MakeApp("c1", {{.name = "a"}, {.name = "b"}});
  TargetApp after = MakeApp("c2", {{.name = "a"}, {.name = "b"}});
  const Value port(Value::List{Value(":80:80/tcp")});
  before.release->services[0].spec.Set(Field::kPorts, port);
  after.release->services[1].spec.Set(Field::kPorts, port);
  const Plan plan = MakePlan(Running(before), MakeTarget({after}));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kStopContainer, "a"),
                     FindStep(plan, StepKind::kStartContainer, "b")));
}

TEST(PlannerTest, GoesOnWithACutoverThatWasCutOffWhenOnlyStartsAreLeft) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  const TargetApp next = MakeApp("c2", kNew);
  ContainerOf(observed, "web-c1-1").state = ContainerState::kExited;
  ContainerOf(observed, "web-c1-1").restart_policy = "no";
  ObservedState made = Running(next);
  ContainerOf(made, "web-c2-1").state = ContainerState::kCreated;
  observed.engine.containers.push_back(ContainerOf(made, "web-c2-1"));
  observed.engine.images.push_back(
      {"sha256:registry.example/web:2", {"registry.example/web:2"}, {}});
  AppRecord& record = observed.AppFor(kApp);
  record.committed = "c1";
  observed.locks.push_back(HeldBy("db"));

  // Nobody recorded a cutover: an ordinary crash, and the old one is started again.
  const Plan crash = MakePlan(observed, MakeTarget({next}));
  EXPECT_EQ(crash.status, PlanStatus::kHeld);
  const Step* start = FindStep(crash, StepKind::kStartContainer, "web");
  ASSERT_NE(start, nullptr);
  EXPECT_EQ(start->subject, "web-c1-1");

  record.cutover = "c2";
  const Plan cut_off = MakePlan(observed, MakeTarget({next}));
  EXPECT_EQ(cut_off.status, PlanStatus::kReady);
  start = FindStep(cut_off, StepKind::kStartContainer, "web");
  ASSERT_NE(start, nullptr);
  EXPECT_EQ(start->subject, "web-c2-1");
  EXPECT_EQ(FindStep(cut_off, StepKind::kTakeLocks), nullptr);
}

// Cut off between two services while an app holds a lock: what runs is left alone, and what is down
// is started from whichever release runs.
struct CutOffCase {
  std::string name;
  ContainerState new_db;
  std::string started;
};
class CutOffTest : public ::testing::TestWithParam<CutOffCase> {};

TEST_P(CutOffTest, StartsWhatIsDownAndStopsNothing) {
  const std::vector<ServiceDraft> old = {{.name = "db"}, {.name = "log"}, {.name = "web"}};
  std::vector<ServiceDraft> next = old;
  for (ServiceDraft& draft : next) draft.image = "registry.example/" + draft.name + ":2";
  const TargetApp target = MakeApp("c2", next);
  ObservedState observed = Running(MakeApp("c1", old));
  AddRunning(observed, target);
  const bool db_moved = GetParam().new_db == ContainerState::kRunning;
  ContainerOf(observed, "db-c2-1").state = GetParam().new_db;
  ContainerOf(observed, "db-c1-1").state =
      db_moved ? ContainerState::kExited : ContainerState::kRunning;
  ContainerOf(observed, "web-c1-1").state = ContainerState::kExited;
  ContainerOf(observed, "web-c2-1").state = ContainerState::kCreated;
  ContainerOf(observed, "log-c2-1").state = ContainerState::kCreated;
  AppRecord& record = observed.AppFor(kApp);
  record.committed = "c1";
  record.cutover = "c2";
  observed.locks.push_back(HeldBy("log"));

  const Plan plan = MakePlan(observed, MakeTarget({target}));

  EXPECT_EQ(plan.status, PlanStatus::kHeld);
  EXPECT_TRUE(std::any_of(plan.apps[0].gaps.begin(), plan.apps[0].gaps.end(),
                          [](const Gap& gap) { return gap.code == "cutover-interrupted"; }));
  std::vector<std::string> ready;
  for (const Step& step : plan.steps) {
    if (step.kind == StepKind::kStartContainer && step.status != StepStatus::kHeld) {
      ready.push_back(step.subject);
    }
    EXPECT_TRUE(!step.disruptive || step.status == StepStatus::kHeld) << step.subject;
  }
  EXPECT_THAT(ready, ElementsAre(GetParam().started));
}
INSTANTIATE_TEST_SUITE_P(
    Cases, CutOffTest,
    ::testing::Values(CutOffCase{"NewRuns", ContainerState::kRunning, "web-c2-1"},
                      CutOffCase{"OnlyOldRuns", ContainerState::kCreated, "web-c1-1"}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(PlannerTest, NeverStartsWhatACommittedReleaseReplaced) {
  // The new release's job is done, or is not to run; the old container only waits to be removed.
  for (const bool job : {true, false}) {
    TargetApp next = MakeApp("c2", {{.name = "db", .image = "db:2", .restart = "no"}});
    next.release->services[0].spec.running = job;
    ObservedState observed = Running(MakeApp("c1", {{.name = "db"}}));
    AddRunning(observed, next);
    ContainerOf(observed, "db-c1-1").state = ContainerState::kExited;
    ContainerOf(observed, "db-c2-1").state =
        job ? ContainerState::kExited : ContainerState::kCreated;
    observed.AppFor(kApp).committed = "c2";
    const Plan plan = MakePlan(observed, MakeTarget({next}));
    EXPECT_EQ(FindStep(plan, StepKind::kStartContainer, "db"), nullptr);
    EXPECT_NE(FindStep(plan, StepKind::kRemoveContainer, "db"), nullptr);
  }
}

TEST(PlannerTest, StopsNothingInAnAdoptedSpanBeforeTheDownload) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.AppFor(kApp).committed = "c1";
  observed.AppFor(kApp).cutover = "c2";
  observed.spans = {kApp};
  const Plan plan = MakePlan(observed, MakeTarget({MakeApp("c2", kNew)}));
  EXPECT_TRUE(Before(plan, FindStep(plan, StepKind::kCreateContainer, "web"),
                     FindStep(plan, StepKind::kStopContainer, "web")));
}

TEST(PlannerTest, StaysSmallWhenChangedServicesDependThroughLayersOfUnchangedOnes) {
  const auto drafts = [](const std::string& version) {
    std::vector<ServiceDraft> services = {
        {.name = "top", .image = "top:" + version, .depends_on = {"a00", "b00"}}};
    for (int layer = 0; layer < 40; ++layer) {
      const std::string next = std::to_string(layer + 101).substr(1);
      const std::vector<std::string> below = {"a" + next, "b" + next};
      const std::string number = std::to_string(layer + 100).substr(1);
      for (const std::string side : {"a", "b"}) {
        services.push_back({.name = side + number,
                            .depends_on = layer == 39 ? std::vector<std::string>{} : below});
      }
    }
    return services;
  };
  const Plan plan =
      MakePlan(Running(MakeApp("c1", drafts("1"))), MakeTarget({MakeApp("c2", drafts("2"))}));
  EXPECT_LT(plan.steps.size(), 200u);
}

TEST(PlannerTest, GoesBackFromAReleaseThatFailedInTheMiddle) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  const TargetApp next = MakeApp("c2", kNew);
  ContainerOf(observed, "web-c1-1").state = ContainerState::kExited;
  ContainerOf(observed, "web-c1-1").restart_policy = "no";
  ObservedState made = Running(next);
  ContainerOf(made, "web-c2-1").state = ContainerState::kCreated;
  observed.engine.containers.push_back(ContainerOf(made, "web-c2-1"));
  AppRecord& record = observed.AppFor(kApp);
  record.committed = "c1";
  record.cutover = "c2";
  record.failed = {"c2"};
  observed.spans = {kApp};

  const Plan plan = MakePlan(observed, MakeTarget({next}));

  EXPECT_THAT(Words(plan), ElementsAre("update-container web", "start-container web",
                                       "release-locks", "remove-container web", "commit-release"));
  EXPECT_EQ(FindStep(plan, StepKind::kStartContainer, "web")->subject, "web-c1-1");
  EXPECT_EQ(FindStep(plan, StepKind::kUpdateContainer, "web")->detail, "always");
  EXPECT_EQ(FindStep(plan, StepKind::kCommitRelease)->subject, "c1");
}

TEST(PlannerTest, DoesNotTryAFailedReleaseAgain) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.AppFor(kApp).committed = "c1";
  observed.AppFor(kApp).failed = {"c2"};
  const Plan plan = MakePlan(observed, MakeTarget({MakeApp("c2", kNew)}));
  EXPECT_EQ(plan.status, PlanStatus::kBlocked);
  EXPECT_EQ(plan.apps[0].gaps[0].code, "release-failed");
}

TEST(PlannerTest, GivesTheSamePlanInWhateverOrderTheDeviceListsThings) {
  const Target target = MakeTarget({MakeApp("c2", kBothNew)});
  ObservedState observed = Running(MakeApp("c1", kOld));
  ObservedState reversed = observed;
  std::reverse(reversed.engine.containers.begin(), reversed.engine.containers.end());
  std::reverse(reversed.engine.images.begin(), reversed.engine.images.end());
  EXPECT_EQ(MakePlan(observed, target).fingerprint, MakePlan(reversed, target).fingerprint);
  EXPECT_EQ(Words(MakePlan(observed, target)), Words(MakePlan(reversed, target)));
}

}  // namespace
}  // namespace lockstep::test
