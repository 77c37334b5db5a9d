#include "plan_json.h"

#include <gmock/gmock.h>

#include <string>

#include "json_value.h"
#include "rfc3339.h"

namespace lockstep {
namespace {

WallTime At(std::string_view text) { return ParseTime(text).value_or(WallTime{}); }

LockHolder Holder(std::optional<WallTime> since) {
  LockHolder holder;
  holder.app = "a";
  holder.service = "db";
  holder.path = "/locks/1/db/updates.lock";
  holder.since = since;
  return holder;
}

Plan SmallPlan() {
  Plan plan;
  plan.fingerprint = "p1:0";
  plan.status = PlanStatus::kHeld;
  plan.made_for = At("2026-01-01T00:01:00Z");
  AppPlan app;
  app.app = "a";
  app.name = "shop";
  app.status = PlanStatus::kHeld;
  app.to = "c2";
  app.services.push_back({.service = "web",
                          .change = ServiceChange::kRecreate,
                          .strategy = Strategy::kDownloadThenKill,
                          .why = {{.code = ReasonCode::kFieldChanged,
                                   .field = "environment.A",
                                   .from = "old",
                                   .to = "new",
                                   .secret = true},
                                  Reason{ReasonCode::kReleaseChanged, "", {}, {}, false}}});
  app.holders.push_back(Holder(At("2026-01-01T00:00:47.500Z")));
  app.gaps.push_back({.code = "volume-changed", .message = "m", .blocks = false});
  plan.apps.push_back(app);
  plan.config.push_back({.key = "BALENA_X",
                         .from = std::nullopt,
                         .to = "1",
                         .needs_reboot = true,
                         .action = ConfigAction::kDefer,
                         .message = ""});
  Step locks;
  locks.id = {1};
  locks.kind = StepKind::kTakeLocks;
  locks.phase = Phase::kCutover;
  locks.status = StepStatus::kHeld;
  locks.app = "a";
  Step stop;
  stop.id = {2};
  stop.kind = StepKind::kStopContainer;
  stop.phase = Phase::kCutover;
  stop.status = StepStatus::kHeld;
  stop.disruptive = true;
  stop.app = "a";
  stop.service = "web";
  stop.subject = "c1";
  stop.after = {0};
  plan.steps = {locks, stop};
  return plan;
}

TEST(PlanJsonTest, WritesEveryPart) {
  EXPECT_EQ(
      Dump(PlanToJson(SmallPlan())),
      R"({"format":"lockstep.plan/1","fingerprint":"p1:0","status":"held",)"
      R"("apps":[{"app":"a","name":"shop","status":"held","from":null,"to":"c2",)"
      R"("services":[{"service":"web","change":"recreate","strategy":"download-then-kill",)"
      R"("why":[{"code":"field-changed","field":"environment.A","from":null,"to":null,)"
      R"("hidden":true},{"code":"release-changed"}]}],)"
      R"("holders":[{"app":"a","service":"db","path":"/locks/1/db/updates.lock",)"
      R"("kind":"exclusive-file","since":"2026-01-01T00:00:47.500Z","age_s":12}],)"
      R"("gaps":[{"code":"volume-changed","message":"m","blocks":false}]}],)"
      R"("config":[{"key":"BALENA_X","from":null,"to":"1","needs_reboot":true,)"
      R"("action":"defer"}],)"
      R"("steps":[{"id":"s1:0000000000000001","kind":"take-locks","app":"a","service":null,)"
      R"("phase":"cutover","subject":"","disruptive":false,"after":[],"status":"held",)"
      R"("why":[{"code":"lock-held","app":"a","service":"db",)"
      R"("path":"/locks/1/db/updates.lock","kind":"exclusive-file",)"
      R"("since":"2026-01-01T00:00:47.500Z","age_s":12}]},{"id":"s1:0000000000000002","kind":"stop-container","app":"a",)"
      R"("service":"web","phase":"cutover","subject":"c1","disruptive":true,)"
      R"("after":["s1:0000000000000001"],"status":"held",)"
      R"("why":[{"code":"gate-held","step":"s1:0000000000000001"},)"
      R"({"code":"after-step","step":"s1:0000000000000001"}]}]})");
}

TEST(PlanJsonTest, ShowsSecretsOnRequestOnly) {
  const auto hidden = Dump(PlanToJson(SmallPlan(), ShowValues::kNo));
  EXPECT_EQ(hidden.find("\"old\""), std::string::npos);
  const auto shown = Dump(PlanToJson(SmallPlan(), ShowValues::kYes));
  EXPECT_NE(shown.find(R"("from":"old","to":"new")"), std::string::npos);
  EXPECT_EQ(shown.find("hidden"), std::string::npos);
}

TEST(PlanJsonTest, AnAgeIsNeverNegativeAndMayBeUnknown) {
  const WallTime now = At("2026-01-01T00:00:00Z");
  EXPECT_EQ(HolderToJson(Holder(At("2030-01-01T00:00:00Z")), now)["age_s"], 0);
  EXPECT_TRUE(HolderToJson(Holder(std::nullopt), now)["age_s"].is_null());
}

TEST(PlanJsonTest, BytesThatAreNoTextDoNotBreakTheOutput) {
  Plan plan = SmallPlan();
  plan.apps[0].holders[0].path = "/locks/\xff\xfe";
  EXPECT_NE(Dump(PlanToJson(plan)).find("/locks/\xef\xbf\xbd"), std::string::npos);
}

TEST(PlanJsonTest, NoNameSteersATerminalAndEachIsReadBackAsItWas) {
  const std::string name = "a\x1b[2J\x07\x7f\xc2\x9b\u202e\u00e9\U0001F980";
  Plan plan = SmallPlan();
  plan.apps[0].name = name;
  const std::string text = Dump(PlanToJson(plan));
  EXPECT_NE(text.find(R"("name":"a\u001b[2J\u0007\u007f\u009b\u202e)"
                      "\u00e9\U0001F980\""),
            std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(text)["apps"][0]["name"], name);
}

}  // namespace
}  // namespace lockstep
