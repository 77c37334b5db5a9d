// What a person asks of an app, on the command line: on the memory engine, in a directory of each
// test's own.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "command.h"

namespace lockstep {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kApp = "a0000000000000000000000000000001";
const std::string kCommit(40, '1');

json Composition() {
  return {{"networks", {{"default", json::object()}}},
          {"restart", "always"},
          {"volumes", json::array({"data:/data"})}};
}

// Of web and db, which both use the volume.
json Target(const std::string& web_image = "x/web:1", const std::string& digit = "1") {
  json services = json::object();
  for (const std::string name : {"web", "db"}) {
    services[name] = {{"id", 1},
                      {"image_id", 2},
                      {"image", name == "web" ? web_image : "x/db:1"},
                      {"environment", json::object()},
                      {"labels", json::object()},
                      {"composition", Composition()}};
  }
  const json release = {{"id", 5},
                        {"services", services},
                        {"networks", {{"default", json::object()}}},
                        {"volumes", {{"data", json::object()}}}};
  const json app = {{"id", 1},
                    {"name", "shop"},
                    {"class", "fleet"},
                    {"releases", {{std::string(40, digit.front()), release}}}};
  return {{"d1", {{"name", "kitchen"}, {"config", json::object()}, {"apps", {{kApp, app}}}}}};
}

json Container(const std::string& service) {
  return {{"id", "c-" + service},
          {"name", service + "_2_5_" + kCommit},
          {"image", "x/" + service + ":1"},
          {"image_id", "sha256:" + service},
          {"state", "running"},
          {"created_at", "2026-01-01T00:00:00Z"},
          {"started_at", "2026-01-01T00:00:01Z"},
          {"app", kApp},
          {"service", service},
          {"commit", kCommit},
          {"owned", true},
          {"labels",
           {{"io.balena.supervised", "true"},
            {"io.balena.app-id", "1"},
            {"io.balena.app-uuid", kApp},
            {"io.balena.service-name", service}}},
          {"environment", json::object()},
          {"composition", Composition()}};
}

json Device() {
  const auto owned = [](const char* name) {
    return json{{"name", name}, {"app", kApp}, {"owned", true}, {"config", json::object()}};
  };
  return {{"format", "lockstep.snapshot/1"},
          {"taken_at", "2026-01-02T00:00:00Z"},
          {"engine", {{"kind", "memory"}, {"version", "1"}, {"api_version", ""}}},
          {"containers", {Container("db"), Container("web")}},
          {"images", json::array({{{"id", "sha256:web"}, {"references", json::array({"x/web:1"})}},
                                  {{"id", "sha256:db"}, {"references", json::array({"x/db:1"})}}})},
          {"networks", json::array({owned("default")})},
          {"volumes", json::array({owned("data")})}};
}

struct Outcome {
  int status = -1;
  std::string out;
  std::string err;
};

class RequestCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "lockstep-request-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    fs::create_directories(root_ / "state");
    std::ofstream(root_ / "state/memory-engine.json") << Device().dump();
    for (const char* service : {"db", "web"}) fs::create_directories(root_ / "locks/1" / service);
  }
  void TearDown() override {
    std::error_code error;
    fs::remove_all(root_, error);
  }

  Outcome Run(std::vector<std::string> args) const {
    args.push_back("--engine=memory:");
    args.push_back("--state-dir=" + (root_ / "state").string());
    args.push_back("--locks-root=" + (root_ / "locks").string());
    std::ostringstream out;
    std::ostringstream err;
    Streams streams{out, err, {}, nullptr, false};
    const int status = RunCommand(std::move(args), streams);
    return {status, out.str(), err.str()};
  }
  std::string Write(const json& target) const {
    std::ofstream(root_ / "target.json") << target.dump();
    return root_ / "target.json";
  }
  void Apply() const {
    const Outcome outcome = Run({"apply", Write(Target())});
    ASSERT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  }
  void Lock(const std::string& service) const {
    std::ofstream(root_ / "locks/1" / service / "updates.lock").flush();
  }
  json Snapshot() const { return json::parse(Run({"snapshot"}).out, nullptr, false); }
  // "db running, web exited"
  std::string States() const {
    std::string states;
    const json status = json::parse(Run({"status", "--json"}).out, nullptr, false);
    for (const json& service : status["apps"][0]["services"]) {
      states += (states.empty() ? "" : ", ") + service["service"].get<std::string>() + " " +
                service["state"].get<std::string>();
    }
    return states;
  }

  fs::path root_;
};

TEST_F(RequestCommandTest, HelpTeachesEachCommandInEightyColumns) {
  for (const std::string name :
       {"stop", "start", "restart", "pause", "resume", "remove", "purge"}) {
    const Outcome help = Run({name, "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.out, AllOf(StartsWith("Usage: lockstep " + name), HasSubstr("Examples:"),
                                HasSubstr("Exit status:")));
    std::istringstream lines(help.out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
  }
}

TEST_F(RequestCommandTest, WhatIsStoppedStaysStoppedUntilItIsStarted) {
  Apply();
  EXPECT_THAT(Run({"stop", "shop", "web"}).out, HasSubstr("shop: stop web"));
  EXPECT_EQ(States(), "db running, web exited");
  EXPECT_THAT(Run({"status"}).out, HasSubstr("stopped"));
  const Outcome again = Run({"apply", Write(Target())});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(States(), "db running, web exited");
  EXPECT_EQ(Run({"start", "shop", "web"}).status, 0);
  EXPECT_EQ(States(), "db running, web running");
  const json after = Snapshot();
  for (const json& container : after["containers"]) {
    EXPECT_EQ(container["restart_policy"], "always") << container["service"];
  }
}

TEST_F(RequestCommandTest, IsCarriedOutAlsoWhereNoTargetIsKnown) {
  const Outcome outcome = Run({"stop", kApp});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(States(), "db exited, web exited");
  EXPECT_EQ(Run({"start", kApp}).status, 0);
  EXPECT_EQ(States(), "db running, web running");
}

TEST_F(RequestCommandTest, ALockHoldsItAndForceRunsOverIt) {
  Apply();
  Lock("db");
  const Outcome held = Run({"restart", "shop", "web", "--no-wait"});
  EXPECT_EQ(held.status, 3);
  EXPECT_THAT(held.out, HasSubstr("held by an update lock"));
  EXPECT_EQ(Run({"stop", "1", "--timeout", "1s"}).status, 3);
  const Outcome forced = Run({"restart", "shop", "--force"});
  EXPECT_EQ(forced.status, 0) << forced.err;
  EXPECT_THAT(forced.out, HasSubstr("ran over the update lock of db"));
}

TEST_F(RequestCommandTest, RestartsOnceAndNotWithTheNextApply) {
  Apply();
  const Outcome outcome = Run({"restart", "shop", "web", "--json"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("stop-container"), HasSubstr("start-container")));
  EXPECT_THAT(Run({"plan", Write(Target())}).out, HasSubstr("In sync"));
  EXPECT_EQ(Snapshot()["apps"][0].count("restart"), 0U);
}

TEST_F(RequestCommandTest, RemovesAnAppAndKeepsItsVolumes) {
  const Outcome outcome = Run({"remove", kApp});
  EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("removed; its named volumes stay"));
  const json after = Snapshot();
  for (const char* gone : {"containers", "images", "networks", "apps"}) {
    EXPECT_THAT(after[gone], IsEmpty()) << gone;
  }
  EXPECT_EQ(after["volumes"].size(), 1U);
  EXPECT_FALSE(fs::exists(root_ / "locks/1/web"));
  EXPECT_EQ(Run({"purge", kApp}).status, 0);
  EXPECT_THAT(Snapshot()["volumes"], IsEmpty());
}

TEST_F(RequestCommandTest, RemovesNoAppThatTheTargetOfTheDeviceNames) {
  Apply();
  const Outcome outcome = Run({"remove", "shop"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("take it out of the target"));
  EXPECT_EQ(States(), "db running, web running");
}

TEST_F(RequestCommandTest, APurgeMakesTheVolumeAndItsContainersAnew) {
  Apply();
  EXPECT_EQ(Run({"purge", "shop", "dta"}).status, 1);
  const Outcome outcome = Run({"purge", "shop", "data"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("purge volume data"));
  EXPECT_EQ(States(), "db running, web running");
  const json after = Snapshot();
  for (const json& container : after["containers"]) EXPECT_NE(container["id"], "c-web");
}

TEST_F(RequestCommandTest, APauseDownloadsAndLeavesWhatRuns) {
  Apply();
  EXPECT_THAT(Run({"pause"}).out, HasSubstr(": paused"));
  const Outcome held = Run({"apply", Write(Target("x/web:2", "2")), "--force"});
  EXPECT_EQ(held.status, 3) << held.out << held.err;
  EXPECT_THAT(held.out, AllOf(HasSubstr("download"), HasSubstr("paused by a person"),
                              HasSubstr("lockstep resume"), Not(HasSubstr("stop web"))));
  EXPECT_THAT(Run({"plan", Write(Target("x/web:2", "2"))}).out, HasSubstr("paused by a person"));
  EXPECT_THAT(Run({"status"}).out, HasSubstr("paused by a person"));
  EXPECT_EQ(Run({"restart", "shop"}).status, 3);
  EXPECT_THAT(Run({"resume", "shop"}).out, HasSubstr(": goes on"));
  EXPECT_EQ(Run({"apply", Write(Target("x/web:1", "3"))}).status, 0);
}

TEST_F(RequestCommandTest, WhatIsNotKnownIsSaidWithWhatWasMeant) {
  Apply();
  const Outcome app = Run({"stop", "shpo"});
  EXPECT_EQ(app.status, 1);
  EXPECT_THAT(app.err, HasSubstr("did you mean \"shop\"?"));
  const Outcome service = Run({"stop", "shop", "webb"});
  EXPECT_EQ(service.status, 1);
  EXPECT_THAT(service.err, HasSubstr("did you mean \"web\"?"));
  EXPECT_EQ(Run({"stop"}).status, 2);
}

TEST_F(RequestCommandTest, BesideAnAgentItIsTheAgentsToDo) {
  const int fd = open((root_ / "state/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(flock(fd, LOCK_EX | LOCK_NB), 0);
  EXPECT_THAT(Run({"stop", kApp}).err, HasSubstr("another Lockstep"));
  std::ofstream(root_ / "api.sock").flush();
  const Outcome outcome = Run({"stop", kApp, "--api-socket", root_ / "api.sock"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("an agent is running"));
  close(fd);
}

}  // namespace
}  // namespace lockstep
