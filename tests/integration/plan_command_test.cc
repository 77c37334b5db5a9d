// `lockstep plan` and what is done with a plan that was read: arguments in, text and status out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "command.h"

namespace lockstep {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kApp = "a0000000000000000000000000000001";

struct Outcome {
  int status = -1;
  std::string out;
  std::string err;
};

class PlanCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "lockstep-plan-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    fs::create_directories(Path("locks/1/web"));
  }
  void TearDown() override {
    std::error_code error;
    fs::remove_all(root_, error);
  }

  std::string Path(const std::string& name) const { return root_ / name; }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name)) << text;
    return Path(name);
  }
  // One app of one service. Release 1 is what runs at first; release 2 has another image, so that a
  // container must settle; release 3 is release 1 by another name, which takes no time.
  std::string WriteTarget(int version, const std::string& file = "t.json",
                          const std::string& app_name = "shop") const {
    const json service = {{"id", 1},
                          {"image_id", 2},
                          {"image", version == 2 ? "x/web:2" : "x/web:1"},
                          {"environment", json::object()},
                          {"labels", json::object()},
                          {"composition", json::object()}};
    const json app = {{"id", 1},
                      {"name", app_name},
                      {"class", "fleet"},
                      {"releases",
                       {{std::string(40, std::to_string(version)[0]),
                         {{"id", version}, {"services", {{"web", service}}}}}}}};
    const json device = {{"name", "kitchen"}, {"config", json::object()}, {"apps", {{kApp, app}}}};
    return Write(file, json({{"d0000000000000000000000000000001", device}}).dump());
  }
  void RunRelease1() const {
    const std::string commit(40, '1');
    const json web = {
        {"id", "c-web"},
        {"name", "web_2_1_" + commit},
        {"image", "x/web:1"},
        {"image_id", "sha256:web"},
        {"state", "running"},
        {"app", kApp},
        {"service", "web"},
        {"commit", commit},
        {"owned", true},
        {"labels",
         {{"io.balena.supervised", "true"},
          {"io.balena.app-id", "1"},
          {"io.balena.app-uuid", kApp},
          {"io.balena.service-name", "web"}}},
        {"environment", json::object()},
        {"composition", {{"networks", {{"default", json::object()}}}, {"restart", "always"}}}};
    const json image = {{"id", "sha256:web"}, {"references", json::array({"x/web:1"})}};
    const json network = {
        {"name", "default"}, {"app", kApp}, {"owned", true}, {"config", json::object()}};
    fs::create_directories(Path("state"));
    Write("state/memory-engine.json", json({{"format", "lockstep.snapshot/1"},
                                            {"engine", {{"kind", "memory"}}},
                                            {"containers", json::array({web})},
                                            {"images", json::array({image})},
                                            {"networks", json::array({network})}})
                                          .dump());
  }
  Outcome RunBare(std::vector<std::string> args) const {
    std::ostringstream out;
    std::ostringstream err;
    Streams streams{out, err, {}, nullptr, false};
    const int status = RunCommand(std::move(args), streams);
    return {status, out.str(), err.str()};
  }
  Outcome Run(std::vector<std::string> args) const {
    for (const std::string& arg : {std::string("--engine=memory:"), "--state-dir=" + Path("state"),
                                   "--locks-root=" + Path("locks")}) {
      args.push_back(arg);
    }
    return RunBare(std::move(args));
  }
  std::string FingerprintOf(const std::string& target) const {
    return json::parse(Run({"plan", target, "--json"}).out)["fingerprint"];
  }
  std::string Options() const {
    return " --engine memory: --locks-root " + Path("locks") + " --state-dir " + Path("state");
  }

  fs::path root_;
};

// --- What was read is what is applied.

TEST_F(PlanCommandTest, ProposesTheCommandsThatApplyThePlan) {
  const std::string target = WriteTarget(1);
  const std::string apply = "  lockstep apply " + target;
  EXPECT_THAT(Run({"plan", target}).out,
              EndsWith("To do it:\n" + apply + Options() +
                       "\nTo do exactly this, or nothing if anything has changed:\n" + apply +
                       Options() + " --if-fingerprint " + FingerprintOf(target) + "\n"));
  EXPECT_THAT(Run({"plan", target, "--force"}).out,
              HasSubstr("To do it, over the locks:\n" + apply + " --force" + Options() + "\n"));
}

TEST_F(PlanCommandTest, ProposesWhatAShellReadsBackAndNothingThatItCannot) {
  EXPECT_THAT(Run({"plan", WriteTarget(1, "it's $(here).json")}).out,
              HasSubstr("lockstep apply '" + Path("it'\\''s $(here).json") + "' --engine"));
  const auto outcome = Run({"plan", WriteTarget(1, "\x1b[2J.json")});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, AllOf(Not(HasSubstr("lockstep apply")), Not(HasSubstr("\x1b"))));
}

TEST_F(PlanCommandTest, AppliesThePlanWithTheFingerprintThatWasRead) {
  RunRelease1();
  const std::string target = WriteTarget(3);
  const auto outcome = Run({"apply", target, "--if-fingerprint", FingerprintOf(target)});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(Run({"plan", target}).out, HasSubstr("In sync"));
}

TEST_F(PlanCommandTest, RefusesWhenTheTargetHasChangedSinceThePlanWasRead) {
  RunRelease1();
  const std::string target = WriteTarget(2);
  const std::string read = FingerprintOf(target);
  WriteTarget(3);
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{
           {"apply", target}, {"apply", target, "--dry-run"}, {"apply", target, "--json"}}) {
    auto with_fingerprint = args;
    with_fingerprint.insert(with_fingerprint.end(), {"--if-fingerprint", read});
    const auto outcome = Run(with_fingerprint);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.err, AllOf(StartsWith("lockstep: apply plan " + read + " : "),
                                   HasSubstr(FingerprintOf(target)), EndsWith("; run plan again\n"),
                                   MatchesRegex("[^\n]+\n")));
    if (args.back() == "--json") {
      EXPECT_EQ(json::parse(outcome.out)["error"]["code"], "conflict");
    } else {
      EXPECT_THAT(outcome.out, IsEmpty());
    }
  }
  EXPECT_THAT(Run({"status"}).out, HasSubstr("release 11111111"));
}

TEST_F(PlanCommandTest, RefusesWhenTheDeviceHasChangedSinceThePlanWasRead) {
  const std::string target = WriteTarget(3);
  const std::string read = FingerprintOf(target);
  RunRelease1();
  EXPECT_EQ(Run({"apply", target, "--if-fingerprint", read}).status, 1);
  EXPECT_THAT(Run({"status"}).out, HasSubstr("release 11111111"));
}

TEST_F(PlanCommandTest, ALockThatComesChangesNoFingerprint) {
  RunRelease1();
  const std::string target = WriteTarget(2);
  const std::string read = FingerprintOf(target);
  std::ofstream(Path("locks/1/web/updates.lock")).flush();
  EXPECT_EQ(FingerprintOf(target), read);
  EXPECT_EQ(Run({"apply", target, "--no-wait", "--if-fingerprint", read}).status, 3);
}

TEST_F(PlanCommandTest, AFingerprintThatIsNoneIsAMistakeOfTheCommandLine) {
  const std::string target = WriteTarget(1);
  for (const std::string text : {"", "p1:", "p1:0123", "p2:0123456789abcdef", "0123456789abcdef",
                                 "p1:0123456789ABCDEF", "p1:0123456789abcdef0"}) {
    const auto outcome = Run({"apply", target, "--if-fingerprint=" + text});
    EXPECT_EQ(outcome.status, 2) << text;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("--if-fingerprint"), MatchesRegex("[^\n]+\n")));
  }
}

TEST_F(PlanCommandTest, APlanForASnapshotSaysWhereToApplyIt) {
  RunRelease1();
  ASSERT_EQ(Run({"snapshot", "--output", Path("device.json")}).status, 0);
  const auto outcome = RunBare({"plan", WriteTarget(2), "--snapshot", Path("device.json")});
  EXPECT_THAT(outcome.out, HasSubstr("On the device that the snapshot is of:\nTo do it:\n"
                                     "  lockstep apply " +
                                     Path("t.json") + "\n"));
}

// --- Pictures.

TEST_F(PlanCommandTest, DrawsThePlanInsteadOfSayingIt) {
  const std::string target = WriteTarget(1);
  EXPECT_THAT(Run({"plan", target, "--graph", "svg"}).out,
              AllOf(StartsWith("<svg "), HasSubstr(">web</text>"), EndsWith("</svg>\n")));
  const auto dot = Run({"plan", target, "--graph", "dot", "--detailed-exitcode"});
  EXPECT_THAT(dot.out, AllOf(StartsWith("digraph plan {\n"), EndsWith("}\n")));
  EXPECT_EQ(dot.status, 5);
}

TEST_F(PlanCommandTest, APictureIsOneThingAndJsonAnother) {
  const std::string target = WriteTarget(1);
  EXPECT_EQ(Run({"plan", target, "--graph", "png"}).status, 2);
  EXPECT_EQ(Run({"plan", target, "--graph", "svg", "--json"}).status, 2);
}

// --- Whatever comes in, nothing steers the terminal.

TEST_F(PlanCommandTest, NoErrorSteersTheTerminal) {
  const std::string evil =
      "\x1b[2J\x07\xc2\x9b"
      "31m\x9b\u202e";
  const std::string target = WriteTarget(1);
  const std::vector<std::vector<std::string>> commands = {
      {"plan", Path(evil)},
      {"plan", target, "--snapshot", Path(evil)},
      {"plan", target, "--" + evil},
      {evil},
      {"plan", target, "--log-level", evil},
      {"plan", Write("a", "{\"" + evil + "\": {\"apps\": {\"" + evil + "\": 1}}}")},
      {"plan", WriteTarget(1, "b", "name" + std::string("\x1b[2J\u009b"))},
      {"apply", target, "--if-fingerprint", evil},
      {"apply", target, "--device", evil},
      {"plan", target, "--json", "--device", evil},
      {"status", "--engine", evil}};
  for (const auto& command : commands) {
    const auto outcome = Run(command);
    for (const std::string& text : {outcome.out, outcome.err}) {
      EXPECT_THAT(text, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\x07")),
                              Not(HasSubstr("\x9b")), Not(HasSubstr("\u202e"))))
          << command.back();
    }
  }
}

}  // namespace
}  // namespace lockstep
