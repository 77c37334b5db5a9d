// The command as a whole: arguments in, text and exit status out. On the memory engine, in a
// directory of each test's own.
#include "command.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace lockstep {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kApp = "a0000000000000000000000000000001";
constexpr const char* kDevice = "d0000000000000000000000000000001";

// What an app of one service or two consists of, in the forms of a target and of a snapshot.
struct Part {
  int id;
  std::string name;
  std::string image;
};

json Target(const std::string& commit_digit, const std::vector<Part>& parts) {
  json services = json::object();
  for (const Part& part : parts) {
    services[part.name] = {{"id", part.id},
                           {"image_id", part.id + 10},
                           {"image", part.image},
                           {"environment", json::object()},
                           {"labels", json::object()},
                           {"composition", json::object()}};
  }
  const std::string commit(40, commit_digit.front());
  const json app = {{"id", 1},
                    {"name", "shop"},
                    {"class", "fleet"},
                    {"releases", {{commit, {{"id", 5}, {"services", services}}}}}};
  return {{kDevice, {{"name", "kitchen"}, {"config", json::object()}, {"apps", {{kApp, app}}}}}};
}

// Release 1 is what runs at first. Release 2 changes `web`; release 3 is release 1 by another name,
// so that moving to it stops nothing and waits for nothing.
json Release(const std::string& digit) {
  return Target(digit, {{1, "web", digit == "2" ? "x/web:2" : "x/web:1"}, {2, "db", "x/db:1"}});
}

json Running(const Part& part) {
  const std::string commit(40, '1');
  return {{"id", "c-" + part.name},
          {"name", part.name + "_" + std::to_string(part.id + 10) + "_5_" + commit},
          {"image", part.image},
          {"image_id", "sha256:" + part.name},
          {"state", "running"},
          {"health", "none"},
          {"created_at", "2026-01-01T00:00:00Z"},
          {"started_at", "2026-01-01T00:00:01Z"},
          {"app", kApp},
          {"service", part.name},
          {"commit", commit},
          {"owned", true},
          {"labels",
           {{"io.balena.supervised", "true"},
            {"io.balena.app-id", "1"},
            {"io.balena.app-uuid", kApp},
            {"io.balena.service-name", part.name}}},
          {"environment", json::object()},
          {"composition", {{"networks", {{"default", json::object()}}}, {"restart", "always"}}}};
}

// The state of the memory engine with release 1 running.
json Device() {
  return {{"format", "lockstep.snapshot/1"},
          {"taken_at", "2026-01-02T00:00:00Z"},
          {"engine", {{"kind", "memory"}, {"version", "1"}, {"api_version", ""}}},
          {"containers", {Running({1, "web", "x/web:1"}), Running({2, "db", "x/db:1"})}},
          {"images", json::array({{{"id", "sha256:web"}, {"references", json::array({"x/web:1"})}},
                                  {{"id", "sha256:db"}, {"references", json::array({"x/db:1"})}}})},
          {"networks",
           json::array({json{
               {"name", "default"}, {"app", kApp}, {"owned", true}, {"config", json::object()}}})}};
}

struct Outcome {
  int status = -1;
  std::string out;
  std::string err;
};

class CommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "lockstep-command-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
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
  std::string WriteTarget(const std::string& version) const {
    return Write("target-" + version + ".json", Release(version).dump());
  }
  // A device on which release 1 runs.
  void RunRelease1() const {
    fs::create_directories(Path("state"));
    Write("state/memory-engine.json", Device().dump());
    fs::create_directories(Path("locks/1/web"));
    fs::create_directories(Path("locks/1/db"));
  }
  std::string LockPath(const std::string& service) const {
    return Path("locks/1/" + service + "/updates.lock");
  }

  static Outcome RunBare(std::vector<std::string> args, std::stop_token interrupt = {}) {
    std::ostringstream out;
    std::ostringstream err;
    Streams streams{out, err, interrupt, nullptr, false};
    const int status = RunCommand(std::move(args), streams);
    return {status, out.str(), err.str()};
  }
  Outcome Run(std::vector<std::string> args, std::stop_token interrupt = {}) const {
    for (const std::string& arg : {std::string("--engine=memory:"), "--state-dir=" + Path("state"),
                                   "--locks-root=" + Path("locks")}) {
      args.push_back(arg);
    }
    return RunBare(std::move(args), interrupt);
  }

  fs::path root_;
};

// --- The command line.

TEST_F(CommandTest, HelpTeachesEachCommand) {
  const auto root = RunBare({"--help"});
  EXPECT_EQ(root.status, 0);
  for (const std::string command : {"plan", "apply", "locks", "snapshot", "status", "version"}) {
    EXPECT_THAT(root.out, HasSubstr("  " + command + "\n"));
    const auto help = RunBare({command, "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.out, StartsWith("Usage: lockstep " + command));
    EXPECT_THAT(help.out, AllOf(HasSubstr("Example"), HasSubstr("--state-dir DIR")));
    EXPECT_THAT(help.err, IsEmpty());
  }
}

TEST_F(CommandTest, HelpFitsIntoEightyColumns) {
  for (const std::string command :
       {"", "plan", "apply", "locks", "snapshot", "status", "version"}) {
    auto args = std::vector<std::string>{"--help"};
    if (!command.empty()) args.insert(args.begin(), command);
    std::istringstream help(RunBare(args).out);
    for (std::string line; std::getline(help, line);) EXPECT_LE(line.size(), 80U) << line;
  }
}

struct UsageCase {
  std::string name;
  std::vector<std::string> args;
  std::string says;
};
class UsageTest : public CommandTest, public ::testing::WithParamInterface<UsageCase> {};
TEST_P(UsageTest, EndsWithStatusTwoAndOneHelpfulLine) {
  const auto outcome = RunBare(GetParam().args);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, AllOf(StartsWith("lockstep: "), HasSubstr(GetParam().says),
                                 HasSubstr("--help`"), MatchesRegex("[^\n]+\n")));
}
INSTANTIATE_TEST_SUITE_P(
    Cases, UsageTest,
    ::testing::Values(
        UsageCase{"NoCommand", {}, "a command is required"},
        UsageCase{"UnknownCommand", {"frobnicate"}, "unknown command \"frobnicate\""},
        UsageCase{
            "UnknownOption", {"plan", "t.json", "--frobnicate"}, "unknown option --frobnicate"},
        UsageCase{"UnknownOptionBeforeCommand", {"--frobnicate", "plan", "t.json"}, "--frobnicate"},
        UsageCase{"MissingTarget", {"plan"}, "TARGET is required"},
        UsageCase{"TwoTargets", {"plan", "a.json", "b.json"}, "b.json"},
        UsageCase{"MissingValue", {"plan", "t.json", "--snapshot"}, "--snapshot"},
        UsageCase{"BadDuration", {"apply", "t.json", "--timeout", "90"}, "--timeout"},
        UsageCase{"BadLevel", {"locks", "--log-level", "loud"}, "--log-level"},
        UsageCase{
            "MissingConfigFile", {"locks", "--config", "/nonexistent.toml"}, "/nonexistent.toml"},
        UsageCase{"EndlessConfigFile", {"locks", "--config", "/dev/zero"}, "no regular file"}),
    [](const auto& param_info) { return param_info.param.name; });

TEST_F(CommandTest, ConfigFileSetsOptionsAndTheCommandLineGoesFirst) {
  const auto config =
      Write("lockstep.toml", "engine = \"memory:\"\nstate-dir = \"" + Path("state") + "\"\n");
  const auto from_file = RunBare({"version", "--json", "--config", config});
  EXPECT_EQ(json::parse(from_file.out)["engine"]["kind"], "memory");
  const auto overridden =
      RunBare({"version", "--json", "--config", config, "--engine", "unix://" + Path("none")});
  EXPECT_TRUE(json::parse(overridden.out)["engine"].is_null());
}

TEST_F(CommandTest, ConfigFileWithAnUnknownNameIsRefused) {
  const auto config = Write("lockstep.toml", "engin = \"memory:\"\n");
  const auto outcome = RunBare({"locks", "--config", config});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("engin"));
}

// --- Bad input.

struct BadInputCase {
  std::string name;
  std::string target;  // The file's text.
  std::string code;
  std::string says;
};
class BadTargetTest : public CommandTest, public ::testing::WithParamInterface<BadInputCase> {};
TEST_P(BadTargetTest, IsOneClearLineAndChangesNothing) {
  const auto target = Write("bad.json", GetParam().target);
  for (const std::string command : {"plan", "apply"}) {
    const auto outcome = Run({command, target, "--json"});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.err, AllOf(StartsWith("lockstep: "), HasSubstr(GetParam().says),
                                   MatchesRegex("[^\n]+\n")));
    const auto error = json::parse(outcome.out, nullptr, false);
    ASSERT_TRUE(error.is_object()) << outcome.out;
    EXPECT_EQ(error["error"]["code"], GetParam().code);
    EXPECT_FALSE(fs::exists(Path("state")));
  }
}
std::string WithUnknownField() {
  auto target = Release("1");
  auto& release = target[kDevice]["apps"][kApp]["releases"].begin().value();
  release["services"]["web"]["composition"]["prots"] = json::array({"80:80"});
  return target.dump();
}
INSTANTIATE_TEST_SUITE_P(
    Cases, BadTargetTest,
    ::testing::Values(BadInputCase{"Empty", "", "invalid-target", "bad.json"},
                      BadInputCase{"Truncated", Release("1").dump().substr(0, 200),
                                   "invalid-target", "bad.json"},
                      BadInputCase{"WrongType", "[1, 2]", "invalid-target", "bad.json"},
                      BadInputCase{"NoApps", R"({"d": {"name": "kitchen", "config": {}}})",
                                   "invalid-target", "apps"},
                      BadInputCase{"UnknownField", WithUnknownField(), "invalid-target", "prots"}),
    [](const auto& param_info) { return param_info.param.name; });

TEST_F(CommandTest, AMissingTargetIsNotFound) {
  const auto outcome = Run({"plan", Path("none.json"), "--json"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(json::parse(outcome.out)["error"]["code"], "not-found");
}

TEST_F(CommandTest, ADamagedSnapshotNamesTheFile) {
  const auto outcome =
      Run({"plan", WriteTarget("1"), "--snapshot", Write("snapshot.json", "{\"format\": 7}")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("snapshot.json"));
}

TEST_F(CommandTest, AnEngineThatIsNotThereIsUnavailableAndSaysWhatToDo) {
  const auto outcome =
      RunBare({"plan", WriteTarget("1"), "--json", "--engine=unix://" + Path("none.sock"),
               "--state-dir=" + Path("state"), "--locks-root=" + Path("locks")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(json::parse(outcome.out)["error"]["code"], "unavailable");
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("none.sock"), HasSubstr("; ")));
}

TEST_F(CommandTest, AnEngineBySshIsUnsupported) {
  const auto outcome = RunBare({"status", "--json", "--engine=ssh://127.0.0.1"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(json::parse(outcome.out)["error"]["code"], "unsupported");
  EXPECT_THAT(outcome.err, HasSubstr("ssh -L"));
}

// Nobody listens at port 1; 0.0.0.0 stands for any address that is not known to be this machine.
TEST_F(CommandTest, AnEngineThatOthersCouldPoseAsIsWarnedOf) {
  for (const char* name : {"DOCKER_TLS_VERIFY", "DOCKER_TLS"}) unsetenv(name);
  const auto ask = [&](const char* engine) {
    return RunBare({"status", "--json", "--engine", engine, "--state-dir=" + Path("state"),
                    "--locks-root=" + Path("locks")});
  };
  const auto exposed = ask("tcp://0.0.0.0:1");
  EXPECT_EQ(json::parse(exposed.out)["error"]["code"], "unavailable");
  EXPECT_THAT(exposed.err, AllOf(HasSubstr("warning"), HasSubstr("DOCKER_TLS_VERIFY"),
                                 HasSubstr("tcp://0.0.0.0:1")));
  EXPECT_THAT(ask("tcp://127.0.0.1:1").err, Not(HasSubstr("warning")));
}

TEST_F(CommandTest, AnEngineThatIsNoUrlIsInvalidInput) {
  const auto outcome = RunBare({"status", "--json", "--engine=docker"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(json::parse(outcome.out)["error"]["code"], "invalid-input");
}

// --- Looking makes nothing.

TEST_F(CommandTest, LookingMakesNothing) {
  const auto target = WriteTarget("1");
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{
           {"plan", target}, {"locks"}, {"status"}, {"snapshot"}, {"version"}}) {
    const auto outcome = Run(args);
    EXPECT_EQ(outcome.status, 0) << args.front() << ": " << outcome.err;
  }
  EXPECT_FALSE(fs::exists(Path("state")));
  EXPECT_FALSE(fs::exists(Path("locks")));
}

TEST_F(CommandTest, DryRunIsThePlan) {
  const auto target = WriteTarget("1");
  EXPECT_EQ(Run({"apply", target, "--dry-run"}).out, Run({"plan", target}).out);
  EXPECT_FALSE(fs::exists(Path("state")));
}

TEST_F(CommandTest, DetailedExitCodeTellsTheStatusOfThePlan) {
  RunRelease1();
  EXPECT_EQ(Run({"plan", WriteTarget("2")}).status, 0);
  EXPECT_EQ(Run({"plan", WriteTarget("2"), "--detailed-exitcode"}).status, 5);
  EXPECT_EQ(Run({"plan", WriteTarget("1"), "--detailed-exitcode"}).status, 0);
  std::ofstream(LockPath("db")).flush();
  EXPECT_EQ(Run({"plan", WriteTarget("2"), "--detailed-exitcode"}).status, 3);
}

TEST_F(CommandTest, SecretValuesAreHiddenUntilAskedFor) {
  auto target = Release("1");
  RunRelease1();
  auto& release = target[kDevice]["apps"][kApp]["releases"].begin().value();
  release["services"]["web"]["environment"] = {{"PASSWORD", "hunter2"}};
  const auto changed = Write("b.json", target.dump());
  for (const std::string form : {"--force", "--json"}) {  // As text, as JSON.
    EXPECT_THAT(Run({"plan", changed, form}).out,
                AllOf(HasSubstr("PASSWORD"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(Run({"plan", changed, form, "--show-values"}).out, HasSubstr("hunter2"));
  }
}

TEST_F(CommandTest, ASnapshotPlansLikeTheDeviceAndIsPrivate) {
  RunRelease1();
  ASSERT_EQ(Run({"snapshot", "--output", Path("device.json")}).status, 0);
  struct stat info {};
  ASSERT_EQ(stat(Path("device.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  const auto target = WriteTarget("2");
  const auto planned = json::parse(Run({"plan", target, "--json"}).out);
  const auto elsewhere =
      json::parse(RunBare({"plan", target, "--json", "--snapshot", Path("device.json"),
                           "--engine=unix:///nonexistent", "--state-dir=/nonexistent"})
                      .out);
  EXPECT_EQ(planned, elsewhere);
  EXPECT_EQ(planned["apps"][0]["services"][1]["change"], "recreate");
}

// Release 1, if the device is a jetson.
std::string ForAJetson() {
  auto target = Release("1");
  auto& release = target[kDevice]["apps"][kApp]["releases"][std::string(40, '1')];
  release["services"]["web"]["contract"] = {
      {"requires", json::array({{{"type", "hw.device-type"}, {"slug", "jetson-nano"}}})}};
  return target.dump();
}

TEST_F(CommandTest, WhatTheDeviceIsComesFromOptionsAndFromSnapshots) {
  const auto target = Write("t.json", ForAJetson());
  RunRelease1();
  const auto status = [&](std::vector<std::string> args) {
    args.insert(args.begin(), {"plan", target, "--json"});
    return json::parse(Run(args).out, nullptr, false).value("status", "none");
  };
  EXPECT_EQ(status({}), "blocked");
  EXPECT_EQ(status({"--device-type", "jetson-nano"}), "in-sync");
  const auto config = Write("lockstep.toml", "device-type = \"jetson-nano\"\n");
  EXPECT_EQ(status({"--config", config}), "in-sync");
  EXPECT_EQ(Run({"apply", target, "--no-wait"}).status, 6);
  EXPECT_EQ(Run({"apply", target, "--no-wait", "--device-type", "jetson-nano"}).status, 0);

  ASSERT_EQ(Run({"snapshot", "--output", Path("s.json"), "--device-type", "jetson-nano"}).status,
            0);
  EXPECT_EQ(status({"--snapshot", Path("s.json")}), "in-sync");
  EXPECT_EQ(status({"--snapshot", Path("s.json"), "--device-type", "raspberrypi3"}), "blocked");
}

TEST_F(CommandTest, ASnapshotReplacesRegularFilesOnly) {
  RunRelease1();
  Write("regular", "old");
  EXPECT_EQ(Run({"snapshot", "--output", Path("regular")}).status, 0);
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  fs::create_symlink(Path("regular"), Path("link"));
  fs::create_directory(Path("directory"));
  for (const std::string name : {"fifo", "link", "directory"}) {
    const auto type = fs::symlink_status(Path(name)).type();
    const auto outcome = Run({"snapshot", "--output", Path(name)});
    EXPECT_EQ(outcome.status, 1) << name;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr(Path(name)), HasSubstr("no regular file"),
                                   MatchesRegex("[^\n]+\n")));
    EXPECT_EQ(fs::symlink_status(Path(name)).type(), type) << name;
  }
}

// --- Applying.

TEST_F(CommandTest, TheStateIsPrivateAlsoWhereItsDirectoryIsNamedWithASlash) {
  const auto outcome =
      RunBare({"apply", WriteTarget("1"), "--engine=memory:", "--state-dir=" + Path("state") + "//",
               "--locks-root=" + Path("locks")});
  struct stat info {};
  ASSERT_EQ(stat(Path("state").c_str(), &info), 0) << outcome.err;
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
}

TEST_F(CommandTest, ForceNamesTheLocksThatItRanOver) {
  RunRelease1();
  std::ofstream(LockPath("web")).flush();
  const auto outcome = Run({"apply", WriteTarget("2"), "--force"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              HasSubstr("shop: ran over the update lock of web: " + LockPath("web") + " ("));
}

TEST_F(CommandTest, AppliesAndThenIsInSync) {
  RunRelease1();
  const auto outcome = Run({"apply", WriteTarget("3")});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("rename db, web"), HasSubstr("shop: in sync"),
                                 Not(ContainsRegex("[\x01-\x09\x0b-\x1f]"))));
  EXPECT_THAT(Run({"plan", WriteTarget("3")}).out, HasSubstr("In sync"));
  const auto status = json::parse(Run({"status", "--json"}).out);
  EXPECT_EQ(status["format"], "lockstep.status/1");
  EXPECT_EQ(status["apps"][0]["release"], std::string(40, '3'));
  EXPECT_EQ(status["apps"][0]["services"][1]["state"], "running");
  EXPECT_THAT(Run({"status"}).out, HasSubstr("release 33333333"));
}

TEST_F(CommandTest, JsonGivesAnEventALine) {
  RunRelease1();
  std::istringstream lines(Run({"apply", WriteTarget("3"), "--json"}).out);
  std::vector<std::string> events;
  std::uint64_t seq = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto event = json::parse(line, nullptr, false);
    ASSERT_TRUE(event.is_object()) << line;
    EXPECT_EQ(event["format"], "lockstep.event/1");
    EXPECT_EQ(event["seq"], ++seq);
    events.push_back(event["event"]);
  }
  EXPECT_THAT(events, AllOf(::testing::Contains("plan"), ::testing::Contains("step-done")));
  EXPECT_EQ(events.back(), "done");
}

TEST_F(CommandTest, NoWaitDownloadsAndEndsAsHeld) {
  RunRelease1();
  std::ofstream(LockPath("db")).flush();
  const auto outcome = Run({"apply", WriteTarget("2"), "--no-wait"});
  EXPECT_EQ(outcome.status, 3) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("held"), HasSubstr(LockPath("db")),
                                 HasSubstr("lockstep locks"), HasSubstr("download")));
  EXPECT_EQ(outcome.out.find("lockstep locks"), outcome.out.rfind("lockstep locks"));
}

TEST_F(CommandTest, ATimeOutWhileHeldIsHeld) {
  RunRelease1();
  std::ofstream(LockPath("web")).flush();
  EXPECT_EQ(Run({"apply", WriteTarget("2"), "--timeout", "2s"}).status, 3);
}

// Output that another thread may look at.
class WatchedBuffer final : public std::streambuf {
 public:
  // Waits until `text` was written.
  void Await(const std::string& text) {
    std::unique_lock lock(mutex_);
    written_.wait(lock, [&] { return text_.find(text) != std::string::npos; });
  }
  std::string Text() {
    const std::lock_guard guard(mutex_);
    return text_;
  }

 protected:
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    const std::lock_guard guard(mutex_);
    text_.append(text, static_cast<std::size_t>(size));
    written_.notify_all();
    return size;
  }
  int_type overflow(int_type character) override {
    const char one = traits_type::to_char_type(character);
    return xsputn(&one, 1) == 1 ? character : traits_type::eof();
  }

 private:
  std::mutex mutex_;
  std::condition_variable written_;
  std::string text_;
};

// Waits until this process watches some directory: what goes before that goes unseen.
void AwaitWatch() {
  const auto watches = [] {
    std::error_code gone;  // Other threads open and close what is listed here.
    fs::directory_iterator entry("/proc/self/fdinfo", gone);
    for (; !gone && entry != fs::directory_iterator(); entry.increment(gone)) {
      std::ifstream file(entry->path());
      for (std::string line; std::getline(file, line);) {
        if (line.starts_with("inotify wd:")) return true;
      }
    }
    return false;
  };
  while (!watches()) std::this_thread::yield();
}

TEST_F(CommandTest, AppliesTheMomentTheLockIsGone) {
  RunRelease1();
  std::ofstream(LockPath("web")).flush();
  WatchedBuffer written;
  std::ostream out(&written);
  std::ostringstream err;
  Streams streams{out, err, {}, nullptr, false};
  auto done = std::async(std::launch::async, [&] {
    return RunCommand({"apply", WriteTarget("2"), "--engine=memory:",
                       "--state-dir=" + Path("state"), "--locks-root=" + Path("locks")},
                      streams);
  });
  written.Await("lockstep locks");
  // All is prepared, so that the lock alone is waited for.
  written.Await("create web: done");
  AwaitWatch();
  fs::remove(LockPath("web"));
  EXPECT_EQ(done.get(), 0) << err.str();
  EXPECT_THAT(written.Text(),
              AllOf(HasSubstr("free after"), ContainsRegex("unlock to first stop: [0-9]+ ms\n")));
}

TEST_F(CommandTest, AnInterruptWhileHeldEndsItSafely) {
  RunRelease1();
  std::ofstream(LockPath("web")).flush();
  WatchedBuffer written;
  std::ostream out(&written);
  std::ostringstream err;
  std::stop_source interrupt;
  Streams streams{out, err, interrupt.get_token(), nullptr, false};
  auto done = std::async(std::launch::async, [&] {
    return RunCommand({"apply", WriteTarget("2"), "--engine=memory:",
                       "--state-dir=" + Path("state"), "--locks-root=" + Path("locks")},
                      streams);
  });
  written.Await("lockstep locks");
  interrupt.request_stop();
  EXPECT_EQ(done.get(), 130);
  EXPECT_THAT(Run({"status"}).out, AllOf(HasSubstr("x/web:1"), Not(HasSubstr("exited"))));
}

TEST_F(CommandTest, ATerminalGetsLiveLinesOfItsWidth) {
  std::ostringstream out;
  std::ostringstream err;
  Streams streams{out, err, {}, [] { return 60; }, true};
  RunRelease1();
  EXPECT_EQ(RunCommand({"apply", WriteTarget("3"), "--engine=memory:",
                        "--state-dir=" + Path("state"), "--locks-root=" + Path("locks")},
                       streams),
            0);
  EXPECT_THAT(out.str(), HasSubstr("\x1b[32min sync\x1b[0m"));
}

// --- One orchestrator.

TEST_F(CommandTest, ApplyBesideAnotherLockstepIsRefusedAndLookingIsNot) {
  RunRelease1();
  const int fd = open(Path("state/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(flock(fd, LOCK_EX | LOCK_NB), 0);
  const auto outcome = Run({"apply", WriteTarget("2"), "--json"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(json::parse(outcome.out)["error"]["code"], "another-orchestrator");
  EXPECT_EQ(Run({"plan", WriteTarget("2")}).status, 0);
  EXPECT_EQ(Run({"status"}).status, 0);
  close(fd);
  EXPECT_EQ(Run({"apply", WriteTarget("3")}).status, 0);
}

TEST_F(CommandTest, ApplyBesideABalenaSupervisorIsRefused) {
  RunRelease1();
  auto engine = Device();
  engine["containers"].push_back({{"id", "s"},
                                  {"name", "balena_supervisor"},
                                  {"image", "x/supervisor"},
                                  {"image_id", "sha256:5"},
                                  {"state", "running"},
                                  {"owned", false}});
  Write("state/memory-engine.json", engine.dump());
  const auto outcome = Run({"apply", WriteTarget("2"), "--json"});
  EXPECT_EQ(outcome.status, 1);
  const auto last = outcome.out.rfind("{\"error\"");
  ASSERT_NE(last, std::string::npos) << outcome.out;
  EXPECT_EQ(json::parse(outcome.out.substr(last))["error"]["code"], "another-orchestrator");
  EXPECT_THAT(Run({"status"}).out, AllOf(HasSubstr("x/web:1"), Not(HasSubstr("exited"))));
}

// --- Locks.

TEST_F(CommandTest, LocksAreListedWithoutAnEngine) {
  fs::create_directories(Path("locks/1/web"));
  fs::create_directories(Path("locks/1/db"));
  std::ofstream(LockPath("web")).flush();
  const auto args =
      std::vector<std::string>{"locks", "--engine=unix:///nonexistent",
                               "--locks-root=" + Path("locks"), "--state-dir=" + Path("state")};
  auto with_json = args;
  with_json.emplace_back("--json");
  const auto locks = json::parse(RunBare(with_json).out);
  ASSERT_EQ(locks.size(), 1U);
  EXPECT_EQ(locks[0]["app"], "1");
  EXPECT_EQ(locks[0]["app_id"], "1");
  EXPECT_EQ(locks[0]["service"], "web");
  EXPECT_EQ(locks[0]["path"], LockPath("web"));
  EXPECT_EQ(locks[0]["held"], true);
  EXPECT_EQ(locks[0]["kind"], "exclusive-file");
  EXPECT_EQ(locks[0]["holder"], "");
  EXPECT_GE(locks[0]["age_s"], 0);
  EXPECT_TRUE(locks[0]["notes"].is_array());
  EXPECT_THAT(RunBare(args).out, AllOf(HasSubstr("HOLDS UP"), HasSubstr("every update of app 1")));
}

TEST_F(CommandTest, WatchPrintsTheLocksAgainWhenOneGoes) {
  fs::create_directories(Path("locks/1/web"));
  std::ofstream(LockPath("web")).flush();
  WatchedBuffer written;
  std::ostream out(&written);
  std::ostringstream err;
  std::stop_source interrupt;
  Streams streams{out, err, interrupt.get_token(), nullptr, false};
  auto done = std::async(std::launch::async, [&] {
    return RunCommand(
        {"locks", "--watch", "--locks-root=" + Path("locks"), "--state-dir=" + Path("state")},
        streams);
  });
  written.Await("updates.lock");
  fs::remove(LockPath("web"));
  written.Await("No update locks.");
  interrupt.request_stop();
  EXPECT_EQ(done.get(), 130);
}

// --- Permissions, as somebody else than root.

TEST_F(CommandTest, ASocketThatOneMayNotUseIsPermissionDenied) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
  const std::string path = Path("d.sock");
  const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(server, 1), 0);
  ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  ASSERT_EQ(chmod(root_.c_str(), 0755), 0);
  const auto target = WriteTarget("1");
  ASSERT_EQ(seteuid(65534), 0);
  const auto outcome = RunBare({"plan", target, "--json", "--engine=unix://" + path,
                                "--locks-root=" + Path("locks"), "--state-dir=" + Path("state")});
  ASSERT_EQ(seteuid(0), 0);
  close(server);
  EXPECT_EQ(outcome.status, 1);
  ASSERT_THAT(outcome.out, Not(IsEmpty())) << outcome.err;
  EXPECT_EQ(json::parse(outcome.out)["error"]["code"], "permission-denied");
  EXPECT_THAT(outcome.err, HasSubstr("; "));
}

TEST_F(CommandTest, AStateDirectoryThatCannotBeMadeIsOneClearLine) {
  Write("file", "");
  const auto outcome =
      RunBare({"apply", WriteTarget("1"), "--engine=memory:", "--state-dir=" + Path("file/state"),
               "--locks-root=" + Path("locks")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("file/state"), MatchesRegex("[^\n]+\n")));
}

}  // namespace
}  // namespace lockstep
