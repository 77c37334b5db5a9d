#include "disk_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "lockstep/runtimes/docker_engine.h"
#include "lockstep/testing/matchers.h"
#include "stub_engine.h"

namespace lockstep::test {
namespace {

using docker::FreeBytes;
using docker::LacksRoom;
using testing::HasSubstr;

class NoProgress final : public ProgressSink {
  void OnProgress(const PullProgress&) override {}
};

TEST(DiskSpaceTest, IsWhatTheProcessBehindTheSocketSees) {
  StubEngine engine([](const std::string&) { return StubEngine::Version(); });
  const std::string socket = engine.url().substr(std::string("unix://").size());
  const auto free = FreeBytes(socket, "/tmp");
  ASSERT_TRUE(free);
  EXPECT_GT(*free, 0);
  EXPECT_EQ(FreeBytes(socket, "/tmp/there/is/no/such/directory"), std::nullopt);
  EXPECT_EQ(FreeBytes(socket, "tmp"), std::nullopt);
  EXPECT_EQ(FreeBytes(socket, ""), std::nullopt);
  EXPECT_EQ(FreeBytes(socket + ".none", "/tmp"), std::nullopt);
  EXPECT_EQ(FreeBytes(std::string(200, 'x'), "/tmp"), std::nullopt);
  EXPECT_EQ(FreeBytes("", "/tmp"), std::nullopt) << "over TCP";
}

struct RoomCase {
  const char* name;
  PullProgress progress;
  std::int64_t free;
  std::int64_t reserve;
  const char* why;  // Null: there may be room.
};
class RoomTest : public ::testing::TestWithParam<RoomCase> {};

TEST_P(RoomTest, IsRefusedOnlyWhereItCannotFit) {
  const auto lacking = LacksRoom(GetParam().progress, GetParam().free, GetParam().reserve);
  ASSERT_EQ(lacking.has_value(), GetParam().why != nullptr);
  if (!lacking) return;
  EXPECT_EQ(lacking->code, ErrorCode::kNoSpace);
  EXPECT_THAT(lacking->message, HasSubstr(GetParam().why));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, RoomTest,
    ::testing::Values(
        RoomCase{"NothingKnown", {0, 0}, 100, 100, nullptr},
        RoomCase{"LessThanTheReserve", {0, 0}, 99, 100, "1 MB free, of which 1 MB are kept"},
        RoomCase{"JustFits", {50, 100}, 150, 100, nullptr},
        RoomCase{"OneByteTooMany", {50, 101}, 150, 100, "1 MB are still to come"},
        RoomCase{"AllHasCome", {100, 100}, 100, 100, nullptr},
        RoomCase{"MoreThanAllHasCome", {200, 100}, 100, 100, nullptr},
        RoomCase{"NoReserve", {0, 0}, 0, 0, nullptr}),
    [](const auto& param_info) { return param_info.param.name; });

// Tells of a disk, and of a layer of a petabyte.
StubEngine::Handler Endless() {
  return [](const std::string& line) -> std::string {
    if (line == "GET /version") return StubEngine::Version();
    if (line.ends_with("/info")) return StubEngine::Reply(R"({"DockerRootDir":"/tmp"})");
    return StubEngine::OpenStream(
        R"({"status":"Downloading","id":"a","progressDetail":{"current":1,"total":1000000000000000}})"
        "\n");
  };
}

Result<std::string> Pull(const StubEngine& engine, std::int64_t reserve) {
  DockerOptions options;
  options.url = engine.url();
  options.pull_reserve_bytes = reserve;
  NoProgress progress;
  return MakeDockerEngine(options).assume_value()->PullImage({"shop/web:1"}, progress, {});
}

TEST(PullRoomTest, APullThatCannotFitIsNotBegun) {
  StubEngine engine(Endless());
  const auto pulled = Pull(engine, std::int64_t{1} << 60);
  ASSERT_THAT(pulled, IsError(ErrorCode::kNoSpace));
  EXPECT_THAT(Describe(pulled.assume_error()), HasSubstr("pull image shop/web:1"));
  const auto requests = engine.requests();
  EXPECT_TRUE(std::none_of(requests.begin(), requests.end(),
                           [](const std::string& line) { return line.starts_with("POST"); }));
}

TEST(PullRoomTest, APullThatTurnsOutNotToFitIsEnded) {
  StubEngine engine(Endless());
  const auto pulled = Pull(engine, 0);
  ASSERT_THAT(pulled, IsError(ErrorCode::kNoSpace));
  EXPECT_THAT(Describe(pulled.assume_error()), HasSubstr("are still to come"));
}

TEST(PullRoomTest, PullsSideBySideAskForTheDiskOnce) {
  StubEngine engine([](const std::string& line) {
    if (line == "GET /version") return StubEngine::Version();
    if (line.ends_with("/info")) return StubEngine::Reply(R"({"DockerRootDir":"/tmp"})");
    if (line.starts_with("POST")) return StubEngine::Reply("{\"status\":\"Done\"}\n");
    return StubEngine::Reply(R"({"Id":"sha256:1"})");
  });
  DockerOptions options;
  options.url = engine.url();
  options.pull_reserve_bytes = 0;
  const auto docker = MakeDockerEngine(options).assume_value();
  std::vector<std::thread> pulls;
  for (int i = 0; i < 4; ++i) {
    pulls.emplace_back([&] {
      NoProgress progress;
      EXPECT_THAT(docker->PullImage({"shop/web:1"}, progress, {}), IsOk());
    });
  }
  for (std::thread& pull : pulls) pull.join();
  const auto requests = engine.requests();
  EXPECT_EQ(std::count(requests.begin(), requests.end(), "GET /v1.41/info"), 1);
}

// What is not known is no reason to refuse.
TEST(PullRoomTest, AnEngineThatDoesNotTellItsDiskPullsAllTheSame) {
  StubEngine engine([](const std::string& line) {
    if (line == "GET /version") return StubEngine::Version();
    if (line.ends_with("/info")) return StubEngine::Reply(R"({"message":"no"})", 500);
    if (line.starts_with("POST")) return StubEngine::Reply("{\"status\":\"Done\"}\n");
    return StubEngine::Reply(R"({"Id":"sha256:1"})");
  });
  EXPECT_THAT(Pull(engine, std::int64_t{1} << 60), IsOk());
}

}  // namespace
}  // namespace lockstep::test
