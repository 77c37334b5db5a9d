#include "target_sources/balena_source.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "fake_backend.h"
#include "lockstep/testing/matchers.h"
#include "scripted_clock.h"

namespace lockstep {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::Offline;
using test::Status;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kKey = "very-secret-key";

std::string State(const std::string& name, const std::string& config = "{}") {
  return R"({"dev1": {"name": ")" + name + R"(", "config": )" + config + R"(, "apps": {}}})";
}

HttpReply Good(const std::string& body, const std::string& etag = {}) {
  HttpReply reply = Status(200);
  reply.body = body;
  reply.etag = etag;
  reply.content_type = "application/json; charset=utf-8";
  return reply;
}

class BalenaSourceTest : public ::testing::Test, public TargetSink {
 protected:
  void OnTarget(LoadedTarget target) override {
    told.push_back("target " + target.target.device_name);
  }
  void OnProblem(Error error) override { told.push_back("problem: " + Describe(error)); }
  void OnProblemGone() override { told.emplace_back("well"); }

  // As long as that takes for the device.
  void Run(std::chrono::milliseconds time, double random = 0) {
    std::stop_source stop;
    clock.At(time, [&] { stop.request_stop(); });
    BalenaDevice device{"https://api.example", "dev1", kKey};
    source = MakeBalenaSource(
        device, clock, [random] { return random; }, backend.function());
    EXPECT_THAT(source->Run(*this, stop.get_token()), test::IsOk());
    for (const std::string& text : told) EXPECT_THAT(text, Not(HasSubstr(kKey)));
  }
  void AskAt(std::chrono::milliseconds time) {
    clock.At(time, [this] { source->LookNow(); });
  }

  test::ScriptedClock clock;
  test::FakeBackend backend{clock};
  std::unique_ptr<TargetSource> source;
  std::vector<std::string> told;
};

TEST_F(BalenaSourceTest, AsksAtOnceAndAtEachInterval) {
  backend.Answer({Good(State("a"))});
  Run(minutes(31));
  EXPECT_THAT(backend.times, ElementsAre(0, 900, 1800));
  EXPECT_THAT(told, ElementsAre("target a"));
  const HttpRequest& request = backend.requests[0];
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.url, "https://api.example/device/v3/dev1/state");
  EXPECT_EQ(request.bearer, kKey);
  EXPECT_EQ(request.max_body, std::size_t{64} << 20);
}

TEST_F(BalenaSourceTest, DoesNotComeWithAllOthersAtOnce) {
  backend.Answer({Good(State("a"))});
  Run(minutes(32), 0.5);
  EXPECT_THAT(backend.times, ElementsAre(0, 930, 1860));
}

TEST_F(BalenaSourceTest, SendsTheTagAndTakesNothingNewForAnAnswer) {
  backend.Answer({Good(State("a"), "\"1\""), Status(304), Good(State("b"), "\"2\""), Status(304)});
  Run(minutes(50));
  ASSERT_EQ(backend.requests.size(), 4U);
  EXPECT_THAT(backend.requests[0].headers, IsEmpty());
  EXPECT_THAT(backend.requests[1].headers, ElementsAre("If-None-Match: \"1\""));
  EXPECT_THAT(backend.requests[3].headers, ElementsAre("If-None-Match: \"2\""));
  EXPECT_THAT(told, ElementsAre("target a", "target b"));
}

// So does the backend answer a device that was deleted.
TEST_F(BalenaSourceTest, NothingNewForWhoKnowsNothingIsAProblem) {
  backend.Answer({Status(304)});
  Run(seconds(1));
  EXPECT_THAT(told, ElementsAre(HasSubstr("deleted")));
}

TEST_F(BalenaSourceTest, ATagThatIsNoneIsNotSentBack) {
  backend.Answer({Good(State("a"), "a\x01"), Good(State("a"), std::string(5000, 'x'))});
  Run(minutes(31));
  EXPECT_THAT(backend.requests[1].headers, IsEmpty());
  EXPECT_THAT(backend.requests[2].headers, IsEmpty());
}

TEST_F(BalenaSourceTest, TheTagOfWhatCouldNotBeReadIsNotKept) {
  backend.Answer({Good("{", "\"1\""), Good(State("a"), "\"1\"")});
  Run(seconds(20));
  EXPECT_THAT(backend.requests[1].headers, IsEmpty());
  EXPECT_THAT(told, ElementsAre(HasSubstr("problem"), "target a", "well"));
}

TEST_F(BalenaSourceTest, FailuresAreTriedAgainLaterAndLaterUpToTheInterval) {
  backend.Answer({Offline()});
  Run(minutes(65));
  EXPECT_THAT(backend.times, ElementsAre(0, 15, 45, 105, 225, 465, 945, 1845, 2745, 3645));
  EXPECT_EQ(told.size(), 1U);  // One problem, however often it is met.
}

TEST_F(BalenaSourceTest, AFailureThatIsOverIsForgotten) {
  backend.Answer({Offline(), Offline(), Good(State("a")), Offline()});
  Run(seconds(1000));
  EXPECT_THAT(backend.times, ElementsAre(0, 15, 45, 945, 960, 990));
  EXPECT_THAT(told,
              ElementsAre(HasSubstr("no answer"), "target a", "well", HasSubstr("no answer")));
}

TEST_F(BalenaSourceTest, FailuresDoNotComeAllAtOnceEither) {
  backend.Answer({Offline()});
  Run(seconds(40), 0.8);
  EXPECT_THAT(backend.times, ElementsAre(0, 12, 36));
}

TEST_F(BalenaSourceTest, ARefusedKeyIsAskedAboutAtTheIntervalOnly) {
  backend.Answer({Good(State("a")), Status(401)});
  Run(minutes(46));
  EXPECT_THAT(backend.times, ElementsAre(0, 900, 1800, 2700));
  ASSERT_EQ(told.size(), 2U);
  EXPECT_THAT(told[1], HasSubstr("refuses the device's key"));
  EXPECT_THAT(told[1], HasSubstr("provision"));
}

struct WaitCase {
  std::string name;
  long status;
  std::string retry_after;
  std::string date;
  std::int64_t seconds;  // Until it is asked again.
};
class RetryAfterTest : public BalenaSourceTest, public ::testing::WithParamInterface<WaitCase> {};

TEST_P(RetryAfterTest, IsWaitedOutByAsksToo) {
  HttpReply reply = Status(GetParam().status, GetParam().retry_after);
  reply.date = GetParam().date;
  backend.Answer({reply, Good(State("a"))});
  for (int i = 1; i <= 5; ++i) AskAt(seconds(i));
  Run(hours(25));
  ASSERT_GE(backend.times.size(), 2U);
  EXPECT_EQ(backend.times[1], GetParam().seconds);
}

const WaitCase kWaitCases[] = {
    {"Seconds", 429, "3600", "", 3600},
    {"Unavailable", 503, "120", "", 120},
    {"ADate", 503, "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:00:00 GMT", 1680},
    {"ADateThatIsPast", 503, "Wed, 21 Oct 2015 07:28:00 GMT", "", 10},
    {"ADateFarAway", 503, "Wed, 21 Oct 2099 07:28:00 GMT", "", 86400},
    {"MoreThanADay", 429, "100000000", "", 86400},
    {"MoreThanAnyNumber", 429, "99999999999999999999999999", "", 86400},
    {"Negative", 429, "-5", "", 10},
    {"NoNumber", 429, "soon", "", 10},
    {"ShorterThanAsksMayCome", 429, "1", "", 10},
    {"None", 429, "", "", 10},
};
INSTANTIATE_TEST_SUITE_P(Cases, RetryAfterTest, ::testing::ValuesIn(kWaitCases),
                         [](const auto& param_info) { return param_info.param.name; });

TEST_F(BalenaSourceTest, AsksAreAnsweredAtOnceButNotWithoutEnd) {
  backend.Answer({Good(State("a"))});
  AskAt(seconds(100));
  for (int i = 0; i < 20; ++i) AskAt(seconds(101) + std::chrono::milliseconds(i * 100));
  AskAt(seconds(500));
  Run(seconds(501));
  EXPECT_THAT(backend.times, ElementsAre(0, 100, 110, 500));
}

TEST_F(BalenaSourceTest, AnAskEndsTheWaitAfterAFailure) {
  backend.Answer({Offline(), Offline(), Offline(), Offline(), Good(State("a"))});
  AskAt(seconds(120));
  Run(seconds(121));
  EXPECT_THAT(backend.times, ElementsAre(0, 15, 45, 105, 120));
}

TEST_F(BalenaSourceTest, JumpsOfTheWallClockNeitherStopNorHurryIt) {
  backend.Answer({Good(State("a"))});
  clock.At(seconds(100), [&] { clock.JumpWallClock(-hours(24 * 365 * 30)); });
  clock.At(seconds(1000), [&] { clock.JumpWallClock(hours(24 * 365 * 60)); });
  Run(minutes(31));
  EXPECT_THAT(backend.times, ElementsAre(0, 900, 1800));
}

TEST_F(BalenaSourceTest, TheTargetSaysHowOftenToAsk) {
  backend.Answer({Good(State("a", R"({"RESIN_SUPERVISOR_POLL_INTERVAL": "60000"})")),
                  Good(State("b", R"({"SUPERVISOR_POLL_INTERVAL": "1"})")),
                  Good(State("c", R"({"SUPERVISOR_POLL_INTERVAL": "often"})"))});
  Run(seconds(980));
  EXPECT_THAT(backend.times, ElementsAre(0, 60, 70, 970));
}

TEST_F(BalenaSourceTest, SleepsBetweenAsks) {
  backend.Answer({Good(State("a"))});
  Run(hours(24));
  EXPECT_LE(clock.waits(), 97);
}

struct BadAnswer {
  std::string name;
  long status;
  std::string type;
  std::string body;
  std::string said;
};
class BadAnswerTest : public BalenaSourceTest, public ::testing::WithParamInterface<BadAnswer> {};

TEST_P(BadAnswerTest, IsAProblemAndTheTargetStays) {
  HttpReply bad = Status(GetParam().status);
  bad.content_type = GetParam().type;
  bad.body = GetParam().body;
  backend.Answer({Good(State("a")), bad, Good(State("b"))});
  Run(minutes(31));
  EXPECT_THAT(told, ElementsAre("target a", HasSubstr(GetParam().said), "target b", "well"));
}

const BadAnswer kBadAnswers[] = {
    {"Empty", 200, "application/json", "", "sends nothing"},
    {"APage", 200, "text/html", "<!DOCTYPE html><h1>Log in</h1>", "web page"},
    {"APageThatSaysItIsJson", 200, "application/json", "\n <html>", "web page"},
    {"Half", 200, "application/json", R"({"dev1": {"name": "b", "con)", "problem: "},
    {"AnEmptyObject", 200, "application/json", "{}", "problem: "},
    {"AList", 200, "application/json", "[]", "problem: "},
    {"Null", 200, "application/json", "null", "problem: "},
    {"NoApps", 200, "application/json", R"({"dev1": {"name": "b", "config": {}}})", "apps"},
    {"AnotherDevice", 200, "application/json",
     R"({"dev2": {"name": "b", "config": {}, "apps": {}}})", "does not name the device dev1"},
    {"AComposeFile", 200, "application/json", R"({"name": "x", "services": {}})", "problem: "},
    {"Deep", 200, "application/json", std::string(100'000, '['), "problem: "},
    {"NotUtf8", 200, "application/json", "{\"dev1\": \"\xff\xfe\"}", "problem: "},
    {"Nul", 200, "application/json", std::string("{\0}", 3), "problem: "},
    {"Forbidden", 403, "text/plain", "", "refuses the device's key"},
    {"NotFound", 404, "text/plain", "Not Found", "knows nothing of this device"},
    {"ServerError", 500, "text/html", "<h1>", "cannot answer now (500)"},
    {"BadGateway", 502, "", "", "502"},
    {"NoContent", 204, "", "", "204"},
    {"Teapot", 418, "text/plain", "I am\x1b[31m a teapot", "I am\\x1b[31m a teapot"},
    {"NoStatus", 999, "", "", "999"},
};
INSTANTIATE_TEST_SUITE_P(Cases, BadAnswerTest, ::testing::ValuesIn(kBadAnswers),
                         [](const auto& param_info) { return param_info.param.name; });

TEST_F(BalenaSourceTest, AnAddressThatWouldGiveTheKeyAwayIsRefused) {
  for (const char* url : {"http://api.example", "ftp://x", "", "https://u:p@api.example"}) {
    auto wrong = MakeBalenaSource({url, "dev1", kKey}, clock, {}, backend.function());
    EXPECT_THAT(wrong->Run(*this, {}), test::IsError(ErrorCode::kInvalidInput)) << url;
  }
  EXPECT_THAT(backend.requests, IsEmpty());
}

}  // namespace
}  // namespace lockstep
