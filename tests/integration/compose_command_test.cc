// A compose file on the command line: file and snapshot in, plan out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "command.h"

namespace lockstep {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kFile = R"(
services:
  web:
    image: registry.example/web:${LOCKSTEP_TEST_TAG:-1}
    environment: {A: "1"}
    depends_on: [db]
  db:
    image: registry.example/db:1
    restart: always
  debug:
    image: registry.example/debug:1
    profiles: [debug]
)";

struct Outcome {
  int status = -1;
  std::string out;
  std::string err;
};

class ComposeCommandTest : public ::testing::Test {
 protected:
  ComposeCommandTest() {
    std::string pattern = (fs::temp_directory_path() / "lockstep-compose-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) root_ = pattern;
    file_ = Write("compose.yml", kFile);
  }
  ~ComposeCommandTest() override {
    std::error_code ignored;
    if (!root_.empty()) fs::remove_all(root_, ignored);
  }

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(root_ / name) << text;
    return (root_ / name).string();
  }

  static Outcome Run(std::vector<std::string> args) {
    std::ostringstream out;
    std::ostringstream err;
    Streams streams{out, err, {}, nullptr, false};
    const int status = RunCommand(std::move(args), streams);
    return {status, out.str(), err.str()};
  }

  // The plan for `file` on the device of `snapshot`; discarded where there is none.
  json Plan(const json& snapshot, std::vector<std::string> more = {}) const {
    std::vector<std::string> args = {"plan",
                                     file_,
                                     "--json",
                                     "--app",
                                     "shop",
                                     "--snapshot",
                                     Write("snapshot.json", snapshot.dump())};
    args.insert(args.end(), more.begin(), more.end());
    const Outcome outcome = Run(std::move(args));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return json::parse(outcome.out, nullptr, false);
  }

  // A device with another app on it; with a commit, what the file says is running too.
  static json Device(const std::string& commit = "") {
    json device = {{"format", "lockstep.snapshot/1"},
                   {"taken_at", "2026-01-02T00:00:00Z"},
                   {"engine", {{"kind", "docker"}, {"version", "20"}, {"api_version", "1.41"}}},
                   {"containers", {Container("other", "web", "registry.example/web:1", "0ther")}}};
    if (commit.empty()) return device;
    json web = Container("shop", "web", "registry.example/web:1", commit);
    web["environment"] = {{"A", "1"}};
    json db = Container("shop", "db", "registry.example/db:1", commit);
    db["composition"]["restart"] = "always";
    device["containers"].push_back(web);
    device["containers"].push_back(db);
    device["images"] = {{{"id", "i1"}, {"references", {"registry.example/web:1"}}},
                        {{"id", "i2"}, {"references", {"registry.example/db:1"}}}};
    device["networks"] = {{{"name", "default"}, {"app", "shop"}, {"owned", true}}};
    return device;
  }

  static json Container(const std::string& app, const std::string& service,
                        const std::string& image, const std::string& commit) {
    return {{"id", app + service},
            {"name", service + "_0_0_" + commit},
            {"image", image},
            {"image_id", service == "web" ? "i1" : "i2"},
            {"state", "running"},
            {"app", app},
            {"service", service},
            {"commit", commit},
            {"owned", true},
            {"labels",
             {{"io.balena.supervised", "true"},
              {"io.balena.app-uuid", app},
              {"io.balena.service-name", service}}},
            {"environment", json::object()},
            {"composition",
             {{"networks", {{"default", json::object()}}},
              {"restart", "no"},
              {"tty", false},
              {"ipc", "private"}}}};
  }

  std::string Commit() const { return Plan(Device())["apps"][0]["to"]; }

  fs::path root_;
  std::string file_;
};

TEST_F(ComposeCommandTest, PlansTheAppOfTheFileAndNoOther) {
  const json plan = Plan(Device());
  EXPECT_EQ(plan["status"], "ready");
  ASSERT_EQ(plan["apps"].size(), 1U);
  EXPECT_EQ(plan["apps"][0]["app"], "shop");
  EXPECT_EQ(plan["apps"][0]["from"], nullptr);
  EXPECT_EQ(plan["apps"][0]["services"].size(), 2U);
  for (const json& step : plan["steps"]) EXPECT_EQ(step["app"], "shop");
}

TEST_F(ComposeCommandTest, WhatRunsAsTheFileSaysIsInSync) {
  const json plan = Plan(Device(Commit()));
  EXPECT_EQ(plan["status"], "in-sync") << plan.dump(1);
  EXPECT_THAT(plan["steps"], IsEmpty());
}

TEST_F(ComposeCommandTest, AnotherImageIsAnotherReleaseAndTheRestIsRenamed) {
  const std::string commit = Commit();
  const json plan = Plan(Device(commit), {"--env-file", Write("new.env", "LOCKSTEP_TEST_TAG=2\n")});
  EXPECT_EQ(plan["apps"][0]["from"], commit);
  EXPECT_NE(plan["apps"][0]["to"], commit);
  EXPECT_EQ(plan["apps"][0]["services"][0]["change"], "rename");
  EXPECT_EQ(plan["apps"][0]["services"][1]["change"], "recreate");
}

TEST_F(ComposeCommandTest, ALockOfTheAppHoldsIt) {
  json device = Device(Commit());
  device["locks"] = {{{"app", "shop"}, {"service", "db"}, {"path", "x"}, {"kind", "directory"}}};
  const json plan = Plan(device, {"--env-file", Write("new.env", "LOCKSTEP_TEST_TAG=2\n")});
  EXPECT_EQ(plan["status"], "held") << plan.dump(1);
}

TEST_F(ComposeCommandTest, OptionsNameReleaseAndProfiles) {
  const json plan = Plan(Device(), {"--release", "2.1", "--profile", "debug"});
  EXPECT_EQ(plan["apps"][0]["to"], "2.1");
  EXPECT_EQ(plan["apps"][0]["services"].size(), 3U);
}

TEST_F(ComposeCommandTest, ErrorsSayWhereInJsonAndInWords) {
  const std::string file = Write("bad.yml", "name: shop\nservices: {web: {image: x, build: .}}\n");
  const Outcome outcome = Run({"plan", file, "--json", "--snapshot", "/dev/null"});
  EXPECT_EQ(outcome.status, 1);
  const json error = json::parse(outcome.out, nullptr, false)["error"];
  EXPECT_EQ(error["code"], "invalid-target");
  EXPECT_EQ(error["where"], "services.web.build");
  EXPECT_THAT(outcome.err, AllOf(HasSubstr(file), HasSubstr("app shop"), HasSubstr("`image`")));
}

TEST_F(ComposeCommandTest, WrongNamesAreWrongCommandLines) {
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{
           {"--app", "Shop"}, {"--app", "12"}, {"--release", "a_b"}, {"--release", ""}}) {
    for (const std::string command : {"plan", "apply"}) {
      std::vector<std::string> all = {command, file_};
      all.insert(all.end(), args.begin(), args.end());
      const Outcome outcome = Run(std::move(all));
      EXPECT_EQ(outcome.status, 2) << args[1];
      EXPECT_THAT(outcome.err, HasSubstr(args[0]));
    }
  }
}

TEST_F(ComposeCommandTest, WhatPeopleReadNamesNotesAndGaps) {
  const std::string snapshot = Write("snapshot.json", Device().dump());
  const std::string file = Write("odd.yml", R"(
name: shop
services:
  web: {image: registry.example/web, environment: {A: $LOCKSTEP_TEST_NOBODY}, restart: allways}
)");
  const Outcome outcome = Run({"plan", file, "--snapshot", snapshot, "--detailed-exitcode"});
  EXPECT_EQ(outcome.status, 6) << outcome.err;
  EXPECT_THAT(
      outcome.out,
      AllOf(HasSubstr("invalid-value: services.web.restart: \"allways\" is no restart policy"),
            HasSubstr(
                "unset-variable: services.web.environment.A: `LOCKSTEP_TEST_NOBODY` is not set"),
            Not(HasSubstr("Steps"))));
}

}  // namespace
}  // namespace lockstep
