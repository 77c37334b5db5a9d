// The adapter on replayed engines: what dockerd does in the live tests, its replay must do too, so
// that what the replay of balena-engine does is worth something.
#include <gmock/gmock.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine_api.h"
#include "lockstep/identity.h"
#include "lockstep/testing/matchers.h"
#include "lockstep/testing/runtime_conformance.h"
#include "replayed.h"

namespace lockstep::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

RuntimeConformanceFactory Subject(const std::string& name) {
  return [name] {
    const auto replayed = std::make_shared<Replayed>(name);
    return RuntimeConformanceSubject{
        {replayed, replayed->backend.get()}, kApp, kNextApp, "127.0.0.1:5055/app:none"};
  };
}

INSTANTIATE_TEST_SUITE_P(Balena, RuntimeConformance, ::testing::Values(Subject("balena")));
INSTANTIATE_TEST_SUITE_P(ReplayedDocker, RuntimeConformance, ::testing::Values(Subject("docker")));

ContainerSpec Wanted(Replayed& replayed) {
  EXPECT_THAT(replayed.Pull(kApp), IsOk());
  ContainerSpec wanted;
  wanted.name = "web_1_1_c";
  wanted.app = "shop";
  wanted.service = "web";
  wanted.spec.image = kApp;
  wanted.labels = {{std::string(kLabelSupervised), "true"},
                   {std::string(kLabelAppUuid), "shop"},
                   {std::string(kLabelServiceName), "web"}};
  return wanted;
}

TEST(BalenaEngineTest, IsToldFromDocker) {
  EXPECT_EQ(Replayed("balena").backend->Describe({}).value().kind, "balena-engine");
  EXPECT_EQ(Replayed("docker").backend->Describe({}).value().kind, "docker");
}

TEST(BalenaEngineTest, PullThatUnpacksAsItComesIsAddedUp) {
  for (const char* name : {"balena", "docker"}) {
    Replayed replayed(name);
    EXPECT_THAT(replayed.Pull(kApp), IsOk());
    EXPECT_EQ(replayed.progress.last.current_bytes, 3167319) << name;
    EXPECT_EQ(replayed.progress.last.total_bytes, 3167319) << name;
  }
}

TEST(BalenaEngineTest, LayerThatIsTriedForEverIsGivenUpByHangingUp) {
  DockerOptions options;
  options.pull_stall_timeout = std::chrono::milliseconds(1);
  Replayed replayed("balena", options);
  EXPECT_THAT(replayed.Pull("127.0.0.1:5062/multi:m1"), IsError(ErrorCode::kDeadlineExceeded));
  EXPECT_EQ(replayed.engine.AwaitHangUp(), 1);
}

TEST(BalenaEngineTest, DockerGivesUpSuchALayerItself) {
  Replayed replayed("docker");
  const auto pulled = replayed.Pull("127.0.0.1:5062/multi:m1");
  ASSERT_FALSE(pulled);
  EXPECT_THAT(pulled.assume_error().message, HasSubstr("unknown blob"));
}

TEST(BalenaEngineTest, MemoryThatItsOwnStartNeedsIsRefused) {
  for (const char* name : {"balena", "docker"}) {
    Replayed replayed(name);
    ContainerSpec wanted = Wanted(replayed);
    wanted.spec.Set(Field::kMemLimit, std::int64_t{8} << 20);
    const auto id = replayed.backend->CreateContainer(wanted, {});
    ASSERT_THAT(id, IsOk());
    const auto started = replayed.backend->StartContainer(id.assume_value(), {});
    if (std::string_view(name) == "docker") {
      EXPECT_THAT(started, IsOk());
    } else {
      EXPECT_THAT(started, IsError(ErrorCode::kInvalidInput));
    }
  }
}

TEST(BalenaEngineTest, LogDriverThatItLacksIsRefused) {
  Replayed replayed("balena");
  ContainerSpec wanted = Wanted(replayed);
  wanted.spec.Set(Field::kLogging, Value::Map{{"driver", "syslog"}});
  const auto made = replayed.backend->CreateContainer(wanted, {});
  ASSERT_THAT(made, IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(made.assume_error().message, HasSubstr("\"syslog\" not found"));
}

TEST(BalenaEngineTest, NetworkDriverThatItLacksIsRefused) {
  Replayed replayed("balena");
  const NetworkSpec network{"shop", "", "front", Value::Map{{"driver", "macvlan"}}};
  const auto made = replayed.backend->CreateNetwork(network, {});
  ASSERT_THAT(made, IsError(ErrorCode::kNotFound));
  EXPECT_THAT(made.assume_error().message, HasSubstr("\"macvlan\" not found"));
}

TEST(BalenaEngineTest, ItsBridgeIsWhereAContainerGoesWithoutAWord) {
  Replayed replayed("balena");
  const auto id = replayed.backend->CreateContainer(Wanted(replayed), {});
  ASSERT_THAT(id, IsOk());
  ASSERT_THAT(replayed.backend->StartContainer(id.assume_value(), {}), IsOk());
  const auto state = replayed.backend->Observe({}, {});
  ASSERT_THAT(state, IsOk());
  EXPECT_THAT(state.assume_value().networks,
              Contains(::testing::Field(&ObservedNetwork::name, "bridge")));
  ASSERT_EQ(state.assume_value().containers.size(), 1U);
  const ObservedContainer& container = state.assume_value().containers.front();
  ASSERT_TRUE(container.spec && container.implied);
  EXPECT_EQ(container.spec->Find(Field::kNetworkMode), nullptr);
  EXPECT_EQ(*container.implied->Find(Field::kNetworkMode), Value("bridge"));
}

TEST(BalenaEngineTest, HasNoPluginsAndNoSwarm) {
  Replayed replayed("balena");
  docker::EngineApi api(docker::ParseEngineUrl(replayed.engine.url()).value(), {});
  for (const char* route : {"/plugins", "/swarm", "/services"}) {
    EXPECT_THAT(api.Get(route, "ask", {}), IsError(ErrorCode::kUnsupported)) << route;
  }
}

}  // namespace
}  // namespace lockstep::test
