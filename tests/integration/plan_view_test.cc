// A plan as people see it.
#include "plan_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <sstream>
#include <string>

#include "plan_order.h"

namespace lockstep {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string kA(40, 'a');
const std::string kB(40, 'b');

LockHolder Holder(const std::string& service, std::string path = {}) {
  LockHolder holder;
  holder.app = "shop";
  holder.service = service;
  holder.path = path.empty() ? "/locks/12/" + service + "/updates.lock" : std::move(path);
  holder.since = WallTime(seconds(1'000));
  return holder;
}

Step MakeStep(StepKind kind, Phase phase, std::string service, std::vector<std::uint32_t> after) {
  Step step;
  step.kind = kind;
  step.phase = phase;
  step.app = "shop";
  step.service = std::move(service);
  step.subject = "x/" + step.service + ":2";
  step.after = std::move(after);
  return step;
}

Reason Changed(std::string field, Value from, Value to, bool secret = false) {
  return {ReasonCode::kFieldChanged, std::move(field), std::move(from), std::move(to), secret};
}

Reason Because(ReasonCode code) { return {code, "", {}, {}, false}; }

ServicePlan Service(std::string name, ServiceChange change, std::vector<Reason> why) {
  return {std::move(name), change, Strategy::kDownloadThenKill, std::move(why)};
}

// Web is made anew, api keeps its name only, db stays and holds.
Plan HeldPlan() {
  Plan plan;
  plan.fingerprint = "p1:0123456789abcdef";
  plan.status = PlanStatus::kHeld;
  plan.made_for = WallTime(seconds(1'180));
  AppPlan app;
  app.app = "shop";
  app.status = PlanStatus::kHeld;
  app.from = kA;
  app.to = kB;
  app.services = {Service("api", ServiceChange::kRename, {Because(ReasonCode::kReleaseChanged)}),
                  Service("db", ServiceChange::kNone, {}),
                  Service("web", ServiceChange::kRecreate,
                          {{ReasonCode::kImageChanged, "image", "x/web:1", "x/web:2", false},
                           Changed("environment.TOKEN", "old", "new", true),
                           Changed("user", "root", "nobody")})};
  app.holders = {Holder("db")};
  plan.apps = {app};
  plan.steps = {MakeStep(StepKind::kPullImage, Phase::kPrepare, "web", {}),
                MakeStep(StepKind::kTakeLocks, Phase::kCutover, "", {0}),
                MakeStep(StepKind::kStopContainer, Phase::kCutover, "web", {1})};
  plan.steps[1].status = StepStatus::kHeld;
  plan.steps[2].status = StepStatus::kHeld;
  plan.steps[2].disruptive = true;
  return plan;
}

PlanViewOptions Options() {
  PlanViewOptions options;
  options.apply = "lockstep apply t.json";
  return options;
}

TEST(RenderPlanTest, SaysOfWhatItLeavesAloneWhatAPersonShouldKnow) {
  Plan plan = HeldPlan();
  plan.apps[0].services = {Service("api", ServiceChange::kNone, {}),
                           Service("db", ServiceChange::kNone, {Because(ReasonCode::kPaused)}),
                           Service("log", ServiceChange::kRename,
                                   {{ReasonCode::kNameChanged, "name", "x", "log_1", false}}),
                           Service("web", ServiceChange::kNone, {})};
  EXPECT_THAT(RenderPlan(plan, Options()),
              ::testing::HasSubstr("  rename      log  name  x -> log_1\n"
                                   "                   unchanged, not restarted\n"
                                   "  unchanged   api, web\n"
                                   "              db (paused, and left as it is)\n"));
}

TEST(RenderPlanTest, SaysWhoHoldsItWhatChangesTheOrderAndWhatToDo) {
  EXPECT_EQ(RenderPlan(HeldPlan(), Options()),
            "shop: held, release aaaaaaaa -> bbbbbbbb\n"
            "  held by     db, for 3 min (exclusive-file)  /locks/12/db/updates.lock\n"
            "  recreate    web  image              web:1 -> web:2\n"
            "                   environment.TOKEN  changes (hidden)\n"
            "                   user               root -> nobody\n"
            "  rename      api (unchanged, not restarted)\n"
            "  unchanged   db\n"
            "\n"
            "  prepare     1. download web:2\n"
            "  cutover     2. take the update locks  waits here: held by db\n"
            "              3. stop web               interrupts\n"
            "\n"
            "Held: shop.\n"
            "To prepare now, and cut over the moment the lock is gone:\n"
            "  lockstep apply t.json\n"
            "To run over the lock instead:\n"
            "  lockstep apply t.json --force\n"
            "To do exactly this, or nothing if anything has changed:\n"
            "  lockstep apply t.json --if-fingerprint p1:0123456789abcdef\n"
            "--show-values shows what is hidden.\n");
}

TEST(RenderPlanTest, ShowsSecretValuesOnRequestOnly) {
  EXPECT_THAT(RenderPlan(HeldPlan(), {}), Not(HasSubstr("old")));
  PlanViewOptions options;
  options.values = ShowValues::kYes;
  EXPECT_THAT(RenderPlan(HeldPlan(), options),
              AllOf(HasSubstr("environment.TOKEN  old -> new"), Not(HasSubstr("hidden"))));
}

TEST(RenderPlanTest, InSyncIsALineForEachAppAndOneForAll) {
  EXPECT_EQ(RenderPlan(Plan(), Options()), "In sync: nothing to do.\n");
  Plan plan = HeldPlan();
  plan.status = plan.apps[0].status = PlanStatus::kInSync;
  plan.steps.clear();
  plan.apps[0].from = kB;
  plan.apps[0].services.resize(1);
  plan.apps[0].services[0].change = ServiceChange::kNone;
  EXPECT_EQ(RenderPlan(plan, Options()),
            "shop: in-sync, release bbbbbbbb, 1 service\nIn sync: nothing to do.\n");
}

TEST(RenderPlanTest, WhatNeedsAPersonComesFirst) {
  Plan plan = HeldPlan();
  const std::vector<std::pair<std::string, PlanStatus>> apps = {
      {"calm", PlanStatus::kInSync}, {"busy", PlanStatus::kReady}, {"sick", PlanStatus::kBlocked}};
  for (const auto& [name, status] : apps) {
    AppPlan app;
    app.app = name;
    app.status = status;
    if (status == PlanStatus::kBlocked) app.gaps = {{"dependency-cycle", "a -> b -> a", true}};
    plan.apps.push_back(app);
  }
  const std::string text = RenderPlan(plan, Options());
  EXPECT_THAT(text, StartsWith("sick: blocked, release nothing\n"
                               "  blocked     dependency-cycle: a -> b -> a\n"
                               "\n"
                               "shop: held, "));
  EXPECT_LT(text.find("shop: held"), text.find("busy: ready"));
  EXPECT_LT(text.find("busy: ready"), text.find("calm: in-sync"));
  EXPECT_THAT(text, AllOf(HasSubstr("\nBlocked: sick. Held: shop. Ready: busy. In sync: calm.\n"),
                          HasSubstr("To unblock sick: mend the target")));
}

TEST(RenderPlanTest, AReleaseThatFailedIsTriedAgainByApplyNotByMending) {
  Plan plan = HeldPlan();
  plan.status = plan.apps[0].status = PlanStatus::kBlocked;
  plan.apps[0].gaps = {{"release-failed", "release " + kB + " failed", true}};
  plan.steps.clear();
  EXPECT_THAT(RenderPlan(plan, Options()),
              AllOf(HasSubstr("blocked     release-failed: release bbbbbbbb failed"),
                    HasSubstr("To try the failed release of shop again:\n  lockstep apply t.json"),
                    Not(HasSubstr("mend")), Not(HasSubstr("fingerprint"))));
}

TEST(RenderPlanTest, AForcedPlanSaysWhoseLockItRunsOver) {
  Plan plan = HeldPlan();
  plan.status = plan.apps[0].status = PlanStatus::kReady;
  plan.steps[1].detail = "force";
  for (Step& step : plan.steps) step.status = StepStatus::kWaiting;
  PlanViewOptions options = Options();
  options.forced = true;
  EXPECT_THAT(RenderPlan(plan, options),
              AllOf(HasSubstr("locked by   db"), HasSubstr("locks  runs over the lock of db"),
                    HasSubstr("To do it, over the locks:"), Not(HasSubstr("waits here"))));
}

TEST(RenderPlanTest, ListsServicesThatChangeForTheSameReasonTogether) {
  Plan plan;
  plan.status = PlanStatus::kReady;
  AppPlan app;
  app.app = "shop";
  app.status = PlanStatus::kReady;
  for (const char* name : {"a", "b"}) {
    app.services.push_back(Service(name, ServiceChange::kCreate, {Because(ReasonCode::kMissing)}));
  }
  app.services.push_back(Service("c", ServiceChange::kRemove, {Because(ReasonCode::kNotInTarget)}));
  Reason restart = Because(ReasonCode::kDependencyRestarts);
  restart.field = "a";
  app.services.push_back(Service("d", ServiceChange::kRestart, {restart}));
  plan.apps = {app};
  EXPECT_THAT(RenderPlan(plan, {}), HasSubstr("  remove      c (no longer in the target)\n"
                                              "  restart     d (restarts with a)\n"
                                              "  create      a, b\n"));
}

TEST(RenderPlanTest, NamesAnUnusualStrategy) {
  Plan plan = HeldPlan();
  plan.apps[0].services[2].strategy = Strategy::kHandOver;
  EXPECT_THAT(RenderPlan(plan, {}), HasSubstr("update strategy    is new: hand-over"));
}

TEST(RenderPlanTest, AskingARegistryIsCalledWhatItIs) {
  Plan plan = HeldPlan();
  plan.steps = {MakeStep(StepKind::kCheckImage, Phase::kPrepare, "web", {})};
  EXPECT_THAT(RenderPlan(plan, {}),
              AllOf(HasSubstr("1. ask the registry for web:2"), Not(HasSubstr("reboot"))));
}

TEST(RenderPlanTest, AServiceThatIsAttachedAgainIsAmongTheChanges) {
  Plan plan;
  AppPlan app;
  app.app = app.name = "shop";
  app.status = PlanStatus::kReady;
  app.services = {
      Service("web", ServiceChange::kReconnect, {Because(ReasonCode::kNetworkChanged)})};
  plan.apps = {app};
  EXPECT_THAT(RenderPlan(plan, {}), HasSubstr("  reconnect   web"));
  EXPECT_THAT(SummarizeChanges(app), HasSubstr("reconnect web"));
}

TEST(RenderPlanTest, ADeviceHasConfigurationAndStepsOfItsOwn) {
  Plan plan = HeldPlan();
  plan.config = {{"BALENA_A", "1", "2", true, ConfigAction::kDefer, ""},
                 {"BALENA_B", std::nullopt, "x", false, ConfigAction::kRefuse, "no backend"},
                 {"BALENA_C", "1", "1", false, ConfigAction::kNone, ""}};
  Step reboot = MakeStep(StepKind::kReboot, Phase::kConfig, "", {});
  reboot.app.clear();
  reboot.status = StepStatus::kDeferred;
  plan.steps.push_back(reboot);
  EXPECT_THAT(RenderPlan(plan, {}), HasSubstr("\ndevice\n"
                                              "  defer       BALENA_A 1 -> 2, needs a reboot\n"
                                              "  refuse      BALENA_B is new: x: no backend\n"
                                              "  config      1. reboot  waits here: held by db\n"));
}

TEST(RenderPlanTest, LetsNoNameSteerTheTerminal) {
  const std::string evil =
      "\x1b[2J\x07\x9b"
      "31m\u202e";
  Plan plan = HeldPlan();
  plan.apps[0].name = "shop" + evil;
  plan.apps[0].from = evil;
  plan.apps[0].to = "to" + evil;
  ServicePlan& web = plan.apps[0].services[2];
  web.service = "web" + evil;
  web.why.push_back(Changed("labels." + evil, evil, Value::Map{{evil, evil}}));
  web.why.push_back({ReasonCode::kDependencyRestarts, evil, {}, {}, false});
  plan.apps[0].services[0].service = evil;
  plan.apps[0].services[1].service = evil;
  plan.apps[0].gaps = {{evil, evil, true}, {evil, evil, false}};
  plan.apps[0].holders = {Holder(evil, "/locks/" + evil)};
  plan.apps[0].holders[0].notes = {evil};
  plan.config = {{evil, evil, evil, true, ConfigAction::kRefuse, evil}};
  for (Step& step : plan.steps) step.service = step.subject = step.detail = evil;
  plan.steps.push_back(MakeStep(StepKind::kUpdateContainer, Phase::kCutover, evil, {}));
  plan.steps.back().detail = evil;
  for (const int width : {0, 20, 80}) {
    PlanViewOptions options;
    options.values = ShowValues::kYes;
    options.width = width;
    const std::string text = RenderPlan(plan, options);
    EXPECT_THAT(text, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\x07")), Not(HasSubstr("\x9b")),
                            Not(HasSubstr("\u202e"))));
  }
}

TEST(RenderPlanTest, FitsATerminalAndKeepsWhatDiffersInSight) {
  Plan plan = HeldPlan();
  plan.apps[0].holders = {Holder("db", "/tmp/balena-supervisor/services/12/db/updates.lock")};
  const std::string long_text(200, 'x');
  plan.apps[0].services[2].why = {
      Changed("command", long_text + "info" + long_text, long_text + "debug" + long_text),
      Changed("labels.io.example.a.very.long.name", "1", "2")};
  for (int i = 0; i < 30; ++i) {
    plan.apps[0].services.push_back(
        Service("service" + std::to_string(i), ServiceChange::kCreate, {}));
    plan.steps.push_back(
        MakeStep(StepKind::kStartContainer, Phase::kCutover, "s" + std::to_string(i), {2}));
  }
  PlanViewOptions options;
  options.width = 80;
  std::istringstream lines(RenderPlan(plan, options));
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(DisplayWidth(line), 80) << line;
  }
  EXPECT_THAT(RenderPlan(plan, options), AllOf(HasSubstr("info"), HasSubstr("debug")));
  options.width = 0;
  EXPECT_THAT(RenderPlan(plan, options), HasSubstr(long_text + "info" + long_text + " -> "));
}

TEST(RenderPlanTest, ColoursOnlyWhereTheyAreWanted) {
  PlanViewOptions options;
  EXPECT_THAT(RenderPlan(HeldPlan(), options), Not(HasSubstr("\x1b")));
  options.style = Style(true);
  EXPECT_THAT(RenderPlan(HeldPlan(), options),
              AllOf(HasSubstr("\x1b[1mshop\x1b[0m: \x1b[33mheld\x1b[0m"),
                    HasSubstr("\x1b[33mwaits here: held by db\x1b[0m")));
}

// --- The order of the steps.

std::vector<std::string> Groups(const Plan& plan) {
  std::vector<std::string> lines;
  for (const StepGroup& group : GroupSteps(plan, SortSteps(plan).begin()->second)) {
    std::string line(StepKindName(group.kind));
    for (const std::uint32_t step : group.steps) line += " " + plan.steps[step].service;
    lines.push_back(std::move(line));
  }
  return lines;
}

TEST(GroupStepsTest, PutsTogetherWhatNeedNotWaitForEachOther) {
  Plan plan;
  const auto add = [&](StepKind kind, std::string service, std::vector<std::uint32_t> after) {
    plan.steps.push_back(MakeStep(kind, Phase::kCutover, std::move(service), std::move(after)));
  };
  add(StepKind::kPullImage, "web", {});
  add(StepKind::kCreateContainer, "web", {0});
  add(StepKind::kPullImage, "db", {});
  add(StepKind::kCreateContainer, "db", {2});
  add(StepKind::kTakeLocks, "", {1, 3});
  add(StepKind::kStopContainer, "web", {4});
  add(StepKind::kStopContainer, "db", {5});
  add(StepKind::kStopContainer, "job", {4});
  add(StepKind::kStartContainer, "db", {6});
  add(StepKind::kStartContainer, "web", {8});
  EXPECT_THAT(Groups(plan),
              ElementsAre("pull-image web db", "create-container web db", "take-locks ",
                          "stop-container web job", "stop-container db", "start-container db",
                          "start-container web"));
}

TEST(WriteOrderTest, ALongListThatWasSaidAlreadyIsCounted) {
  Plan plan = HeldPlan();
  plan.steps.clear();
  for (int i = 0; i < 12; ++i) {
    const std::string name = "s" + std::to_string(i);
    if (i < 10) plan.steps.push_back(MakeStep(StepKind::kStopContainer, Phase::kCutover, name, {}));
    plan.steps.push_back(MakeStep(StepKind::kAwaitHealth, Phase::kSettle, name, {}));
    plan.apps[0].services.push_back(
        Service(name, i < 10 ? ServiceChange::kRecreate : ServiceChange::kRestart, {}));
  }
  plan.apps[0].services.erase(plan.apps[0].services.begin(), plan.apps[0].services.begin() + 3);
  EXPECT_THAT(RenderPlan(plan, {}), AllOf(HasSubstr("stop all 10 services made anew\n"),
                                          HasSubstr("wait until settled: all 12 services\n")));
}

TEST(WriteOrderTest, SaysWhatAStepIsAbout) {
  Plan plan = HeldPlan();
  plan.steps.clear();
  const auto add = [&](StepKind kind, std::string subject, std::string detail) {
    Step step = MakeStep(kind, Phase::kCutover, "web", {});
    step.subject = std::move(subject);
    step.detail = std::move(detail);
    plan.steps.push_back(std::move(step));
  };
  add(StepKind::kUpdateContainer, "c1", "no");
  add(StepKind::kUpdateContainer, "c1", "always");
  add(StepKind::kConnectNetwork, "c1", "front");
  add(StepKind::kAwaitHealth, "c1", "completed");
  add(StepKind::kPullImage, "registry/v2/" + kA + "@sha256:" + std::string(64, 'c'), "");
  add(StepKind::kPullImage, "registry/x/db:2", "");
  add(StepKind::kRemoveImage, "sha256:" + std::string(64, 'd'), "");
  const std::string text = RenderPlan(plan, {});
  for (const std::string line :
       {"turn off the automatic restart of web\n", "set the automatic restart of web to always\n",
        "connect web to network front\n", "wait until done: web\n", "download db:2, web\n",
        "remove image dddddddd\n"}) {
    EXPECT_THAT(text, HasSubstr(". " + line));
  }
}

TEST(DescribeStepTest, CutsHashes) {
  Step step = MakeStep(StepKind::kCommitRelease, Phase::kSettle, "", {});
  step.subject = kB;
  EXPECT_EQ(DescribeStep(step), "commit release bbbbbbbb");
}

}  // namespace
}  // namespace lockstep
