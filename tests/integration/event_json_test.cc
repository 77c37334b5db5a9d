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
