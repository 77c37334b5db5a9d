// What people are shown: plans, locks, status, reports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "exit_status.h"
#include "lock_view.h"
#include "plan_view.h"
#include "report_view.h"
#include "status_view.h"

namespace lockstep {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kA(40, 'a');
const std::string kB(40, 'b');

LockHolder Holder(const std::string& service) {
  LockHolder holder;
  holder.app = "shop";
  holder.app_dir = "12";
  holder.service = service;
  holder.path = "/locks/12/" + service + "/updates.lock";
  holder.since = WallTime(seconds(1'000));
  holder.owner_uid = 0;
  return holder;
}

Step MakeStep(StepKind kind, Phase phase, std::string service, std::vector<std::uint32_t> after) {
  Step step;
  step.kind = kind;
  step.phase = phase;
  step.app = "shop";
  step.service = std::move(service);
  step.subject = "x/web:2";
  step.after = std::move(after);
  return step;
}

Plan HeldPlan() {
  Plan plan;
  plan.status = PlanStatus::kHeld;
  plan.made_for = WallTime(seconds(1'180));
  AppPlan app;
  app.app = "shop";
  app.status = PlanStatus::kHeld;
  app.from = kA;
  app.to = kB;
  ServicePlan web{"web", ServiceChange::kRecreate, Strategy::kDownloadThenKill, {}};
  web.why.push_back({ReasonCode::kImageChanged, "image", "x/web:1", "x/web:2", false});
  web.why.push_back({ReasonCode::kFieldChanged, "environment.TOKEN", "old", "new", true});
  app.services = {{"db", ServiceChange::kNone, Strategy::kDownloadThenKill, {}}, web};
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

TEST(RenderPlanTest, SaysWhatChangesWhyWhoHoldsItAndTheStepsInOrder) {
  EXPECT_EQ(RenderPlan(HeldPlan(), ShowValues::kNo, Style()),
            "shop: held, release aaaaaaaa -> bbbbbbbb\n"
            "  web  recreate  image changes from x/web:1 to x/web:2\n"
            "                 environment.TOKEN changes\n"
            "  1 other service stays as it is\n"
            "  held by\n"
            "    db: /locks/12/db/updates.lock (exclusive-file, for 3 min)\n"
            "\n"
            "Steps\n"
            "  prepare\n"
            "    1. download x/web:2\n"
            "  cutover\n"
            "    2. take the update locks  after 1; held\n"
            "    3. stop web               after 2; held; interrupts\n"
            "\n"
            "Held: 3 steps; the cutover waits until the locks above are gone.\n");
}

TEST(RenderPlanTest, ShowsSecretValuesOnRequest) {
  EXPECT_THAT(RenderPlan(HeldPlan(), ShowValues::kYes, Style()),
              HasSubstr("environment.TOKEN changes from old to new"));
}

TEST(RenderPlanTest, LetsNoNameSteerTheTerminal) {
  Plan plan = HeldPlan();
  plan.apps[0].name = "shop\x1b[2J";
  plan.apps[0].services[1].service = "web\x1b]0;title\x07";
  plan.apps[0].gaps = {{"code\n", "a\x1b[31m gap", true}};
  plan.steps[0].subject = "x\x1b/web";
  EXPECT_THAT(RenderPlan(plan, ShowValues::kNo, Style()), Not(HasSubstr("\x1b")));
}

TEST(RenderPlanTest, KeepsTheStepsOfAnAppTogetherAndNumbersThemAsPrinted) {
  Plan plan = HeldPlan();
  AppPlan other;
  other.app = "zoo";
  plan.apps.push_back(other);
  Step zoo = MakeStep(StepKind::kStartContainer, Phase::kCutover, "lion", {});
  zoo.app = "zoo";
  plan.steps.insert(plan.steps.begin(), zoo);
  plan.steps[2].after = {1};
  plan.steps[3].after = {2};
  EXPECT_THAT(RenderPlan(plan, ShowValues::kNo, Style()),
              AllOf(HasSubstr("2. take the update locks  after 1"), HasSubstr("4. start lion")));
}

TEST(RenderPlanTest, InSyncIsOneWord) {
  Plan plan;
  EXPECT_EQ(RenderPlan(plan, ShowValues::kNo, Style()), "In sync: nothing to do.\n");
}

TEST(RenderLocksTest, IsATableWithNotesBelow) {
  LockHolder near_miss = Holder("web");
  near_miss.held = false;
  near_miss.notes = {"only looks like a lock"};
  LockHolder ours = Holder("api");
  ours.ours = true;
  EXPECT_EQ(RenderLocks({Holder("db"), ours, near_miss}, WallTime(seconds(1'012)), Style()),
            "APP   SERVICE  KIND            AGE   OWNER     HOLDS UP                  PATH\n"
            "shop  db       exclusive-file  12 s  uid 0     every update of app shop  "
            "/locks/12/db/updates.lock\n"
            "shop  api      exclusive-file  12 s  lockstep  nothing: Lockstep's own   "
            "/locks/12/api/updates.lock\n"
            "shop  web      exclusive-file  12 s  uid 0     nothing: not held         "
            "/locks/12/web/updates.lock\n"
            "Notes\n"
            "  /locks/12/web/updates.lock: only looks like a lock\n");
  EXPECT_EQ(RenderLocks({}, WallTime(), Style()), "No update locks.\n");
}

TEST(LocksToJsonTest, AnAgeIsNeverNegative) {
  const auto json = LocksToJson({Holder("db")}, WallTime(seconds(10)));
  EXPECT_EQ(json[0]["age_s"], 0);
  EXPECT_EQ(json[0]["owner_uid"], 0);
  EXPECT_EQ(json[0]["app_id"], "12");
}

TEST(LocksToJsonTest, WhatIsNotKnownIsNullAndOurOwnSaysSo) {
  LockHolder holder = Holder("db");
  holder.since.reset();
  holder.owner_uid = -1;
  holder.ours = true;
  const auto json = LocksToJson({holder}, WallTime());
  EXPECT_TRUE(json[0]["since"].is_null());
  EXPECT_TRUE(json[0]["age_s"].is_null());
  EXPECT_TRUE(json[0]["owner_uid"].is_null());
  EXPECT_EQ(json[0]["holder"], "lockstep");
}

ObservedState Running() {
  ObservedState state;
  state.taken_at = WallTime(seconds(4'600));
  ObservedContainer web;
  web.id = "c1";
  web.name = "web_1_2_" + kA;
  web.app = "shop";
  web.service = "web";
  web.commit = kA;
  web.image = "x/web:1";
  web.owned = true;
  web.state = ContainerState::kRunning;
  web.started_at = WallTime(seconds(1'000));
  ObservedContainer stranger = web;
  stranger.id = "c2";
  stranger.service = "stranger";
  stranger.owned = false;
  ObservedContainer job = web;
  job.id = "c3";
  job.service = "job";
  job.state = ContainerState::kExited;
  job.exit_code = 3;
  job.created_at = WallTime(seconds(4'590));
  state.engine.containers = {web, stranger, job};
  state.AppFor("shop").committed = kA;
  state.locks = {Holder("web")};
  return state;
}

TEST(RenderStatusTest, ShowsOwnServicesWithStateReleaseAndSince) {
  EXPECT_EQ(RenderStatus(Running(), Style()),
            "app shop: release aaaaaaaa\n"
            "  SERVICE  STATE       HEALTH  RELEASE   SINCE  IMAGE\n"
            "  job      exited (3)  none    aaaaaaaa  10 s   x/web:1\n"
            "  web      running     none    aaaaaaaa  1 h    x/web:1\n"
            "  locked by web: /locks/12/web/updates.lock\n");
  EXPECT_EQ(RenderStatus({}, Style()), "No apps.\n");
}

TEST(StatusToJsonTest, HasAFormatAndTheServicesOfEachApp) {
  const auto json = StatusToJson(Running());
  EXPECT_EQ(json["format"], "lockstep.status/1");
  EXPECT_EQ(json["apps"][0]["app"], "shop");
  EXPECT_EQ(json["apps"][0]["locked"], true);
  EXPECT_EQ(json["apps"][0]["services"].size(), 2U);
  EXPECT_EQ(json["apps"][0]["services"][0]["exit_code"], 3);
}

struct ExitCase {
  std::string name;
  ApplyOutcome outcome;
  bool held = false;
  int status;
};
class ExitStatusTest : public ::testing::TestWithParam<ExitCase> {};
TEST_P(ExitStatusTest, FollowsTheOutcome) {
  ApplyReport report;
  report.outcome = GetParam().outcome;
  EXPECT_EQ(ExitStatusOf(report, GetParam().held), GetParam().status);
}
INSTANTIATE_TEST_SUITE_P(
    Cases, ExitStatusTest,
    ::testing::Values(ExitCase{"InSync", ApplyOutcome::kInSync, false, 0},
                      ExitCase{"Unhealthy", ApplyOutcome::kUnhealthy, false, 4},
                      ExitCase{"Held", ApplyOutcome::kHeld, true, 3},
                      ExitCase{"Blocked", ApplyOutcome::kBlocked, false, 6},
                      ExitCase{"Interrupted", ApplyOutcome::kInterrupted, false, 130},
                      ExitCase{"TimedOut", ApplyOutcome::kTimedOut, false, 1},
                      ExitCase{"TimedOutWhileHeld", ApplyOutcome::kTimedOut, true, 3},
                      ExitCase{"Failed", ApplyOutcome::kFailed, false, 1}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(RenderReportTest, SaysOfEachAppHowItEnded) {
  ApplyReport report;
  AppReport held;
  held.app = "a";
  held.name = "shop";
  held.outcome = ApplyOutcome::kHeld;
  held.holders = {Holder("web")};
  AppReport sick;
  sick.app = "b";
  sick.outcome = ApplyOutcome::kUnhealthy;
  sick.unhealthy = {"db", "web"};
  AppReport blocked;
  blocked.app = "c";
  blocked.outcome = ApplyOutcome::kBlocked;
  blocked.gaps = {{"dependency-cycle", "web -> db -> web", true}};
  report.apps = {held, sick, blocked};
  EXPECT_EQ(RenderReport(report, WallTime(seconds(1'005)), Style()),
            "shop: held by an update lock; nothing was interrupted\n"
            "b: applied, but not healthy: db, web\n"
            "c: blocked: web -> db -> web (dependency-cycle)\n");
}

}  // namespace
}  // namespace lockstep
