#include "observer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>

#include "lockstep/testing/matchers.h"
#include "stub_engine.h"

namespace lockstep::test {
namespace {

// The lists of an engine, in which container "c" runs; a look into it says `inside`.
class ObserverTest : public ::testing::Test {
 protected:
  ObservedContainer Look(docker::Observer& observer) {
    auto state = observer.Observe({}, {});
    EXPECT_THAT(state, IsOk());
    if (!state || state.assume_value().containers.empty()) return {};
    return state.assume_value().containers.front();
  }
  long Looks() {
    const auto requests = stub_.requests();
    return std::count(requests.begin(), requests.end(), "GET /v1.41/containers/c/json");
  }

  std::string inside_ = R"({"State":{"Status":"exited","ExitCode":3}})";
  StubEngine stub_{[this](const std::string& line) {
    if (line == "GET /version") return StubEngine::Version();
    if (line.ends_with("/containers/c/json")) return StubEngine::Reply(inside_);
    if (line.find("/containers/json") != std::string::npos) {
      return StubEngine::Reply(R"([{"Id":"c","Names":["/c"],"State":"running","Status":"Up"}])");
    }
    return StubEngine::Reply(line.ends_with("/volumes") ? "{}" : "[]");
  }};
  docker::EngineApi api_{docker::ParseEngineUrl(stub_.url()).value(), {}};
  docker::KnownNetworks known_;
  docker::Observer observer_{api_, known_};
};

TEST_F(ObserverTest, AContainerThatEndedHasEndedThoughTheListDoesNotKnowYet) {
  observer_.Note({EngineEventKind::kDied, "c", 3, Health::kNone});
  const ObservedContainer seen = Look(observer_);
  EXPECT_EQ(seen.state, ContainerState::kExited);
  EXPECT_EQ(seen.exit_code, 3);
  EXPECT_EQ(Looks(), 1);
  EXPECT_EQ(Look(observer_).state, ContainerState::kRunning) << "once: then the list knows";
  EXPECT_EQ(Looks(), 1);
}

TEST_F(ObserverTest, OneThatWasStartedAgainRuns) {
  observer_.Note({EngineEventKind::kDied, "c", 3, Health::kNone});
  observer_.Note({EngineEventKind::kStarted, "c", 0, Health::kNone});
  EXPECT_EQ(Look(observer_).state, ContainerState::kRunning);
  EXPECT_EQ(Looks(), 0);
  inside_ = R"({"State":{"Status":"running","ExitCode":0}})";
  observer_.Note({EngineEventKind::kDied, "c", 3, Health::kNone});
  EXPECT_EQ(Look(observer_).state, ContainerState::kRunning) << "its start is not heard yet";
}

}  // namespace
}  // namespace lockstep::test
