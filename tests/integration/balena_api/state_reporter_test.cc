#include "balena_api/state_reporter.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fake_backend.h"
#include "scripted_clock.h"

namespace lockstep {
namespace {

using nlohmann::json;
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

DeviceReport Report(const std::string& status, std::optional<std::int64_t> cpu_usage = {}) {
  DeviceReport report;
  report.os_version = "os";
  report.cpu_usage = cpu_usage;
  report.apps["u1"] = {.release_uuid = "c1",
                       .releases = {{"c1", {"done", {{"web", {"a:1", status}}}}}},
                       .target = "c1"};
  return report;
}

DeviceReport Updating(const std::string& status = "Downloading") {
  DeviceReport report = Report("Running");
  report.apps["u1"].target = "c2";
  report.apps["u1"].releases["c2"] = {"downloading", {{"web", {"a:2", status}}}};
  return report;
}

class StateReporterTest : public ::testing::Test {
 protected:
  StateReporterTest()
      : reporter(
            {"https://api.example", "dev1", kKey}, clock,
            [this](Error error) { problems.push_back(Describe(error)); }, [] { return 0.0; },
            backend.function()) {}

  void SetAt(std::chrono::milliseconds time, DeviceReport report) {
    clock.At(time, [this, report] { reporter.Set(report); });
  }
  void Run(std::chrono::milliseconds time) {
    std::stop_source stop;
    clock.At(time, [&] { stop.request_stop(); });
    reporter.Run(stop.get_token());
    for (const HttpRequest& request : backend.requests) {
      EXPECT_EQ(request.method, "PATCH");
      EXPECT_EQ(request.url, "https://api.example/device/v3/state");
      EXPECT_EQ(request.bearer, kKey);
      sent.push_back(json::parse(request.body)["dev1"]);
    }
    for (const std::string& text : problems) EXPECT_THAT(text, Not(HasSubstr(kKey)));
  }
  static std::string StatusIn(const json& body, const std::string& commit = "c1") {
    return body["apps"]["u1"]["releases"][commit]["services"]["web"]["status"];
  }

  test::ScriptedClock clock;
  test::FakeBackend backend{clock};
  std::vector<std::string> problems;
  StateReporter reporter;
  std::vector<json> sent;
};

TEST_F(StateReporterTest, TheFirstOneIsWholeThenWhatIsNew) {
  DeviceReport first = Report("Running");
  first.api_secret = "s";
  first.api_port = 48484;
  SetAt(seconds(1), first);
  first.ip_address = "10.0.0.1 10.0.0.2";
  SetAt(seconds(60), first);
  Run(hours(1));
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0], json::parse(R"({"os_version": "os", "api_port": 48484, "api_secret": "s",
      "apps": {"u1": {"release_uuid": "c1", "releases": {"c1": {"update_status": "done",
        "services": {"web": {"image": "a:1", "status": "Running"}}}}}}})"));
  EXPECT_EQ(sent[1], json::parse(R"({"ip_address": "10.0.0.1 10.0.0.2"})"));
  EXPECT_THAT(backend.times, ElementsAre(1, 60));
}

TEST_F(StateReporterTest, WhatChangesFastIsSentAtMostEveryTenSecondsAndTheNewestWins) {
  for (int i = 0; i < 300; ++i) {
    SetAt(seconds(1) + std::chrono::milliseconds(100 * i), Report("s" + std::to_string(i)));
  }
  Run(minutes(10));
  EXPECT_THAT(backend.times, ElementsAre(1, 11, 21, 31));
  EXPECT_EQ(StatusIn(sent.back()), "s299");
}

TEST_F(StateReporterTest, TheSameAgainIsNotSent) {
  SetAt(seconds(1), Report("Running"));
  SetAt(seconds(2), Report("Running"));
  SetAt(seconds(3), Report("Stopping"));
  SetAt(seconds(4), Report("Running"));  // As it was reported.
  Run(minutes(10));
  EXPECT_THAT(backend.times, ElementsAre(1));
}

TEST_F(StateReporterTest, AppsAreSentAllTogetherAndAlsoWhenNoneIsLeft) {
  DeviceReport two = Report("Running");
  two.apps["u2"] = two.apps["u1"];
  SetAt(seconds(1), two);
  two.apps["u1"].releases["c1"].services["web"].status = "exited";
  SetAt(seconds(20), two);
  two.apps.clear();
  SetAt(seconds(40), two);
  SetAt(seconds(60), Report("Running"));
  Run(minutes(10));
  ASSERT_EQ(sent.size(), 4U);
  EXPECT_EQ(sent[1]["apps"].size(), 2U);
  EXPECT_EQ(sent[2], json::parse(R"({"apps": {}})"));
  EXPECT_EQ(sent[3]["apps"].size(), 1U);
}

TEST_F(StateReporterTest, NothingIsSentWhereNothingIsKnown) {
  SetAt(seconds(1), {});
  Run(hours(1));
  EXPECT_THAT(sent, IsEmpty());
}

TEST_F(StateReporterTest, WhatIsNotKnownAnyMoreIsNotTakenBack) {
  DeviceReport report = Report("Running");
  SetAt(seconds(1), report);
  report.os_version.reset();
  SetAt(seconds(20), report);
  report.os_version = "os";
  SetAt(seconds(40), report);
  Run(hours(1));
  EXPECT_EQ(sent.size(), 1U);
}

TEST_F(StateReporterTest, IsKeptWhileOfflineAndTheNewestIsSentThen) {
  backend.Answer({Offline(), Offline(), Offline(), Status(200)});
  SetAt(seconds(1), Report("a"));
  SetAt(seconds(50), Report("b"));
  Run(hours(1));
  EXPECT_THAT(backend.times, ElementsAre(1, 16, 46, 106));
  EXPECT_EQ(StatusIn(sent[1]), "a");
  EXPECT_EQ(StatusIn(sent[3]), "b");
  EXPECT_EQ(sent[3]["os_version"], "os");  // Nothing of it had arrived.
  EXPECT_EQ(problems.size(), 1U);
}

TEST_F(StateReporterTest, ChangesDoNotShortenTheWaitAfterFailures) {
  backend.Answer({Offline()});
  for (int i = 1; i < 1800; ++i) SetAt(seconds(i), Report("s" + std::to_string(i)));
  Run(minutes(30));
  EXPECT_THAT(backend.times, ElementsAre(1, 16, 46, 106, 226, 466, 946));
}

TEST_F(StateReporterTest, TooManyRequestsAreWaitedOut) {
  backend.Answer({Status(429, "3600"), Status(503, "600"), Status(200)});
  SetAt(seconds(1), Report("a"));
  SetAt(seconds(100), Report("b"));
  Run(hours(2));
  EXPECT_THAT(backend.times, ElementsAre(1, 3601, 4201));
}

TEST_F(StateReporterTest, ARefusedKeyIsTriedAtThePollIntervalOnly) {
  backend.Answer({Status(401)});
  SetAt(seconds(1), Report("a"));
  SetAt(seconds(100), Report("b"));
  Run(minutes(31));
  EXPECT_THAT(backend.times, ElementsAre(1, 901, 1801));
  EXPECT_THAT(problems, ElementsAre(HasSubstr("refuses the device's key")));
}

TEST_F(StateReporterTest, AReleaseThatIsNotKnownThereIsLeftOut) {
  backend.Answer({Status(401), Status(200)});
  SetAt(seconds(1), Updating());
  SetAt(seconds(30), Updating("Downloaded"));
  Run(hours(1));
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_THAT(backend.times, ElementsAre(1, 11, 30));
  EXPECT_TRUE(sent[0]["apps"]["u1"]["releases"].contains("c1"));
  for (const json& body : {sent[1], sent[2]}) {
    EXPECT_FALSE(body["apps"]["u1"]["releases"].contains("c1"));
    EXPECT_FALSE(body["apps"]["u1"].contains("release_uuid"));
  }
  EXPECT_EQ(StatusIn(sent[2], "c2"), "Downloaded");
  EXPECT_THAT(problems, IsEmpty());
}

TEST_F(StateReporterTest, OfOtherReleasesItIsToldWholeAgain) {
  backend.Answer({Status(401), Status(200)});
  SetAt(seconds(1), Updating());
  DeviceReport done = Report("Running");
  done.apps["u1"].releases["c0"] = {"done", {{"old", {"a:0", "Running"}}}};
  SetAt(seconds(60), done);
  Run(hours(1));
  EXPECT_TRUE(sent.back()["apps"]["u1"]["releases"].contains("c0"));
}

TEST_F(StateReporterTest, WhenThatDoesNotHelpItIsTheKey) {
  backend.Answer({Status(401)});
  SetAt(seconds(1), Updating());
  Run(minutes(30));
  EXPECT_THAT(backend.times, ElementsAre(1, 11, 911));
  EXPECT_EQ(problems.size(), 1U);
}

TEST_F(StateReporterTest, WhatChangesAllTheTimeIsSentSeldomOrWithOtherNews) {
  for (int i = 1; i < 1000; ++i) {
    SetAt(seconds(i), Report(i < 700 ? "a" : "b", i));
  }
  Run(seconds(1000));
  EXPECT_THAT(backend.times, ElementsAre(1, 301, 601, 700));
  EXPECT_EQ(sent[1], json::parse(R"({"cpu_usage": 301})"));
  EXPECT_EQ(sent[3]["cpu_usage"], 700);
}

TEST_F(StateReporterTest, JumpsOfTheWallClockDoNotMatter) {
  backend.Answer({Offline(), Status(200)});
  SetAt(seconds(1), Report("a"));
  clock.At(seconds(5), [&] { clock.JumpWallClock(-hours(24 * 365 * 30)); });
  Run(hours(1));
  EXPECT_THAT(backend.times, ElementsAre(1, 16));
}

TEST_F(StateReporterTest, SleepsWhileThereIsNothingToSend) {
  SetAt(seconds(1), Report("a"));
  Run(hours(1000));
  EXPECT_LE(clock.waits(), 3);
}

TEST_F(StateReporterTest, TextThatIsNoUtf8IsSentAllTheSame) {
  SetAt(seconds(1), Report("\xff\xfe"));
  Run(seconds(30));
  EXPECT_EQ(sent.size(), 1U);
}

}  // namespace
}  // namespace lockstep
