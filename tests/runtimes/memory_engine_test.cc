#include "lockstep/runtimes/memory_engine.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>

#include "lockstep/testing/matchers.h"
#include "lockstep/testing/mock_runtime_backend.h"

namespace lockstep::test {
namespace {

using ::testing::ElementsAre;

class NoProgress final : public ProgressSink {
 public:
  void OnProgress(const PullProgress&) override {}
};

MemoryImage Content(const std::string& content) {
  MemoryImage image;
  image.content = content;
  return image;
}

MemoryImage Job(int exit_code) {
  MemoryImage image;
  image.exit_code = exit_code;
  return image;
}

class MemoryEngineTest : public ::testing::Test {
 protected:
  MemoryEngineTest() { engine_.AddImage("app"); }

  ContainerSpec Wanted(const std::string& image = "app") {
    NoProgress progress;
    EXPECT_THAT(engine_.PullImage({image}, progress, {}), IsOk());
    ContainerSpec spec;
    spec.name = "web_1_1_abc";
    spec.app = "shop";
    spec.service = "web";
    spec.spec.image = image;
    spec.labels = {{"io.balena.supervised", "true"},
                   {"io.balena.app-uuid", "shop"},
                   {"io.balena.service-name", "web"},
                   {"io.lockstep.config-hash", "c1:1"}};
    return spec;
  }
  std::string Started(const ContainerSpec& spec) {
    const std::string id = engine_.CreateContainer(spec, {}).value();
    EXPECT_THAT(engine_.StartContainer(id, {}), IsOk());
    return id;
  }
  ObservedContainer Only() { return engine_.State().containers.at(0); }

  MemoryEngine engine_;
};

TEST_F(MemoryEngineTest, StateCanBeSavedAndGoneOnFrom) {
  ASSERT_THAT(engine_.CreateNetwork({"shop", "", "front", Value::Map{}}, {}), IsOk());
  ContainerSpec wanted = Wanted();
  wanted.spec.Set(Field::kNetworks, Value::Map{{"front", Value::Map{}}});
  wanted.spec.Set(Field::kRestart, "always");
  wanted.binds = {{"/locks/shop/web", "/tmp/balena"}};
  const std::string id = Started(wanted);
  MemoryEngine restored(engine_.State());
  const EngineState state = restored.State();
  ASSERT_EQ(state.containers.size(), 1U);
  EXPECT_EQ(state.containers[0].id, id);
  EXPECT_EQ(state.containers[0].state, ContainerState::kRunning);
  EXPECT_EQ(state.containers[0].spec, wanted.spec);
  EXPECT_EQ(state.containers[0].restart_policy, "always");
  EXPECT_EQ(state.containers[0].lock_dir, "/locks/shop/web");
  EXPECT_THAT(state.containers[0].networks.value(), ElementsAre("front"));
  EXPECT_THAT(restored.StopContainer(id, std::chrono::seconds(1), {}), IsOk());
}

TEST_F(MemoryEngineTest, AnythingCanBePulledIfAskedFor) {
  MemoryOptions options;
  options.pull_anything = true;
  MemoryEngine engine(options);
  NoProgress progress;
  const auto plain = engine.PullImage({"some/app"}, progress, {});
  ASSERT_THAT(plain, IsOk());
  EXPECT_THAT(engine.PullImage({"some/app:latest"}, progress, {}),
              IsOkAndHolds(plain.assume_value()));
  EXPECT_NE(engine.PullImage({"some/app:v2"}, progress, {}).value(), plain.assume_value());
}

TEST_F(MemoryEngineTest, SameContentIsTheSameImage) {
  engine_.AddImage("one:1", Content("x"));
  engine_.AddImage("two:2", Content("x"));
  NoProgress progress;
  const auto one = engine_.PullImage({"one:1"}, progress, {});
  EXPECT_THAT(engine_.PullImage({"two:2"}, progress, {}), IsOkAndHolds(one.value()));
}

TEST_F(MemoryEngineTest, JobEndsAtOnce) {
  engine_.AddImage("job", Job(3));
  Started(Wanted("job"));
  EXPECT_EQ(Only().state, ContainerState::kExited);
  EXPECT_EQ(Only().exit_code, 3);
}

TEST_F(MemoryEngineTest, JobThatAlwaysRestartsIsShownRestarting) {
  engine_.AddImage("job", Job(1));
  ContainerSpec wanted = Wanted("job");
  wanted.spec.Set(Field::kRestart, "always");
  Started(wanted);
  EXPECT_EQ(Only().state, ContainerState::kRestarting);
  EXPECT_EQ(Only().restart_count, 1);
}

TEST_F(MemoryEngineTest, PolicyDecidesWhatIsRevived) {
  struct Case {
    const char* policy;
    int exit_code;
    ContainerState after;
  };
  for (const Case& row :
       {Case{"no", 1, ContainerState::kExited}, Case{"always", 0, ContainerState::kRunning},
        Case{"on-failure", 0, ContainerState::kExited},
        Case{"on-failure", 1, ContainerState::kRunning},
        Case{"unless-stopped", 0, ContainerState::kRunning}}) {
    ContainerSpec wanted = Wanted();
    wanted.spec.Set(Field::kRestart, row.policy);
    const std::string id = Started(wanted);
    EXPECT_TRUE(engine_.Exit(id, row.exit_code));
    EXPECT_EQ(Only().state, row.after) << row.policy << " " << row.exit_code;
    EXPECT_THAT(engine_.StopContainer(id, std::chrono::seconds(1), {}), IsOk());
    EXPECT_THAT(engine_.RemoveContainer(id, {}), IsOk());
  }
}

TEST_F(MemoryEngineTest, PowerCutRevivesWhatAlwaysRunsThoughItWasStopped) {
  ContainerSpec wanted = Wanted();
  wanted.spec.Set(Field::kRestart, "always");
  const std::string id = Started(wanted);
  ASSERT_THAT(engine_.StopContainer(id, std::chrono::seconds(1), {}), IsOk());
  engine_.PowerCut();
  EXPECT_EQ(Only().state, ContainerState::kRunning);
  ASSERT_THAT(engine_.UpdateContainer(id, "no", {}), IsOk());
  engine_.PowerCut();
  EXPECT_EQ(Only().state, ContainerState::kExited);
  EXPECT_EQ(Only().exit_code, 255);
}

TEST_F(MemoryEngineTest, FailureHitsTheNextCallAlone) {
  engine_.FailNext(Call::kObserve, MakeError(ErrorCode::kUnavailable, "down"));
  EXPECT_THAT(engine_.Describe({}), IsOk());
  EXPECT_THAT(engine_.Observe({}, {}), IsError(ErrorCode::kUnavailable));
  EXPECT_THAT(engine_.Observe({}, {}), IsOk());
  EXPECT_EQ(engine_.calls(Call::kObserve), 2);
  EXPECT_EQ(engine_.total_calls(), 3);
}

TEST_F(MemoryEngineTest, HookActsBeforeTheCall) {
  const std::string id = Started(Wanted());
  engine_.OnCall([&](Call call, const std::string& subject) {
    if (call == Call::kRemoveContainer && subject == id) engine_.Exit(id, 0);
  });
  EXPECT_THAT(engine_.RemoveContainer(id, {}), IsOk());
}

TEST_F(MemoryEngineTest, StopRequestEndsALatency) {
  engine_.SetLatency([](Call) { return std::chrono::hours(1); });
  std::stop_source stop;
  engine_.OnCall([&](Call, const std::string&) { stop.request_stop(); });
  EXPECT_THAT(engine_.Observe({}, stop.get_token()), IsError(ErrorCode::kCancelled));
}

TEST(MemoryEngineCapacityTest, RefusesWhatDoesNotFitUntilSomethingGoes) {
  MemoryOptions options;
  options.capacity_bytes = 100;
  MemoryEngine engine(options);
  engine.AddImage("a", {.size_bytes = 60, .labels = {}, .content = "a", .exit_code = {}});
  engine.AddImage("same-as-a", {.size_bytes = 60, .labels = {}, .content = "a", .exit_code = {}});
  engine.AddImage("b", {.size_bytes = 41, .labels = {}, .content = "b", .exit_code = {}});
  NoProgress progress;
  const auto a = engine.PullImage({"a"}, progress, {});
  ASSERT_THAT(a, IsOk());
  EXPECT_THAT(engine.PullImage({"same-as-a"}, progress, {}), IsOk()) << "it is there";
  EXPECT_THAT(engine.PullImage({"b"}, progress, {}), IsError(ErrorCode::kNoSpace));
  EXPECT_EQ(engine.State().images.size(), 1u);
  EXPECT_THAT(engine.RemoveImage(a.assume_value(), {}), IsOk());
  EXPECT_THAT(engine.PullImage({"b"}, progress, {}), IsOk());
}

TEST_F(MemoryEngineTest, HealthIsWhatTheTestSays) {
  ContainerSpec wanted = Wanted();
  wanted.spec.Set(Field::kHealthcheck, Value::Map{{"test", Value::List{"CMD", "true"}}});
  const std::string id = Started(wanted);
  EXPECT_EQ(Only().health, Health::kHealthy);
  EXPECT_TRUE(engine_.SetHealth(id, Health::kUnhealthy));
  EXPECT_EQ(Only().health, Health::kUnhealthy);
}

TEST(MockRuntimeBackendTest, ForwardsWhatIsNotExpected) {
  MemoryEngine engine;
  ::testing::NiceMock<MockRuntimeBackend> mock(engine);
  EXPECT_CALL(mock, RemoveImage).Times(0);
  EXPECT_THAT(mock.CreateVolume({"shop", "", "data", Value::Map{}}, {}), IsOk());
  EXPECT_EQ(engine.State().volumes.size(), 1U);
}

}  // namespace
}  // namespace lockstep::test
