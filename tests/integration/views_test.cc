// What people are shown: locks, status, reports. Plans: plan_view_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "exit_status.h"
#include "lock_view.h"
#include "report_view.h"
#include "status_view.h"

namespace lockstep {
namespace {

using std::chrono::seconds;

const std::string kA(40, 'a');

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
  sick.findings["web"].exit_code = 3;
  AppReport blocked;
  blocked.app = "c";
  blocked.outcome = ApplyOutcome::kBlocked;
  blocked.gaps = {{"dependency-cycle", "web -> db -> web", true}};
  AppReport back = sick;
  back.app = "d";
  back.back_to = "aaaaaaaabbbb";
  back.gaps = {{"release-failed", "it is not tried again", true}};
  report.apps = {held, sick, blocked, back};
  EXPECT_EQ(RenderReport(report, WallTime(seconds(1'005)), Style()),
            "shop: held by an update lock; nothing was interrupted\n"
            "b: applied, but not healthy: db, web (it exited with 3)\n"
            "c: blocked: web -> db -> web (dependency-cycle)\n"
            "d: not healthy: db, web (it exited with 3); it went back to release aaaaaaaa\n"
            "d: note: it is not tried again\n");
}

}  // namespace
}  // namespace lockstep
