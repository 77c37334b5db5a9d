#include "event_json.h"

#include <gmock/gmock.h>

#include <string>

#include "error_json.h"
#include "json_value.h"
#include "rfc3339.h"

namespace lockstep {
namespace {

Event At(EventKind kind) {
  Event event;
  event.seq = 7;
  event.time = ParseTime("2026-01-01T00:00:00Z").value_or(WallTime{});
  event.kind = kind;
  event.app = "shop";
  return event;
}

const std::string kHead =
    R"({"format":"lockstep.event/1","seq":7,"time":"2026-01-01T00:00:00Z","event":)";

TEST(EventJsonTest, LeavesOutWhatAnEventDoesNotSay) {
  EXPECT_EQ(WriteEvent(At(EventKind::kCommitted)), kHead + R"("committed","app":"shop"})");
}

TEST(EventJsonTest, WritesTheProgressOfAStep) {
  Event event = At(EventKind::kProgress);
  event.service = "web";
  event.step = StepId{10};
  event.step_kind = StepKind::kPullImage;
  event.subject = "registry.example/web:2";
  event.current_bytes = 5;
  EXPECT_EQ(WriteEvent(event),
            kHead + R"("progress","app":"shop","service":"web","step":"s1:000000000000000a",)"
                    R"("kind":"pull-image","subject":"registry.example/web:2",)"
                    R"("current_bytes":5,"total_bytes":0})");
}

TEST(EventJsonTest, WritesTheRateTheTimeLeftAndEachLayer) {
  Event event = At(EventKind::kProgress);
  event.current_bytes = 50;
  event.total_bytes = 100;
  event.bytes_per_second = 10.9;
  event.layers = {{"aa", "Downloading", 50, 100}, {"bb", "Waiting", 0, 0}};
  EXPECT_EQ(WriteEvent(event),
            kHead + R"("progress","app":"shop","current_bytes":50,"total_bytes":100,)"
                    R"("bytes_per_s":10,"left_s":5,"layers":[)"
                    R"({"id":"aa","status":"Downloading","current_bytes":50,"total_bytes":100},)"
                    R"({"id":"bb","status":"Waiting","current_bytes":0,"total_bytes":0}]})");
}

TEST(EventJsonTest, WritesWhoHoldsAnApp) {
  Event event = At(EventKind::kHeld);
  LockHolder& holder = event.holders.emplace_back();
  holder.app = "shop";
  holder.service = "db";
  holder.path = "/l";
  holder.since = event.time - std::chrono::seconds(3);
  EXPECT_EQ(WriteEvent(event),
            kHead + R"("held","app":"shop","holders":[{"app":"shop","service":"db","path":"/l",)"
                    R"("kind":"exclusive-file","since":"2025-12-31T23:59:57Z","age_s":3}]})");
}

TEST(EventJsonTest, IsOneLineWhateverAnErrorSays) {
  Event event = At(EventKind::kStepFailed);
  event.error = MakeError(ErrorCode::kUnavailable, "two\nlines and \xff");
  const std::string line = WriteEvent(event);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_NE(line.find(R"("error":{"code":"unavailable","message":"two\nlines and )"),
            std::string::npos);
}

TEST(EventJsonTest, WritesWhatWasFoundOutAboutAContainer) {
  Event event = At(EventKind::kStepFailed);
  event.service = "web";
  event.findings.exit_code = 137;
  event.findings.out_of_memory = true;
  event.findings.restarts = 2;
  event.findings.last_lines = {"starting", "cannot \"start\""};
  EXPECT_EQ(WriteEvent(event),
            kHead + R"("step-failed","app":"shop","service":"web","exit_code":137,"oom":true,)"
                    R"("restart_count":2,"logs":["starting","cannot \"start\""]})");
  event.findings = {};
  event.findings.engine_error = "e";
  event.findings.health_output = "h";
  event.findings.lines_missing = "m";
  EXPECT_EQ(WriteEvent(event), kHead + R"("step-failed","app":"shop","service":"web",)"
                                       R"("engine_error":"e","health_output":"h",)"
                                       R"("logs_missing":"m"})");
}

TEST(EventJsonTest, CarriesThePlan) {
  const Plan plan;
  Event event = At(EventKind::kPlan);
  event.plan = &plan;
  EXPECT_NE(WriteEvent(event).find(R"("plan":{"format":"lockstep.plan/1")"), std::string::npos);
}

TEST(ErrorJsonTest, SaysCodeMessageAndPlace) {
  Error error = MakeError(ErrorCode::kInvalidTarget, "is missing", "add it");
  EXPECT_EQ(Dump(ErrorDocument(error)),
            R"({"error":{"code":"invalid-target","message":"is missing","hint":"add it"}})");
  error.where = "apps.shop";
  error.context = "read t.json: apps.shop";
  error.hint.clear();
  EXPECT_EQ(Dump(ErrorToJson(error)),
            R"({"code":"invalid-target","message":"is missing","where":"apps.shop",)"
            R"("context":"read t.json: apps.shop"})");
}

}  // namespace
}  // namespace lockstep
