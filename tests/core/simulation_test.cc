// Random apps on random devices: whatever goes wrong on the way, each ends in its target.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "simulated_device.h"

namespace lockstep::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// With any finite number of faults, crashes and locks the device converges, and no invariant breaks
// on the way (I1, I2, I4, I8, I9).
class SimulationTest : public ::testing::TestWithParam<unsigned> {};

// What is unhealthy in a first run may be so in each; at rest an app runs one release.
void ExpectOneRelease(const SimulatedDevice& device) {
  if (!device.session().Finished() || OutcomeOf(device) != ApplyOutcome::kUnhealthy) return;
  for (const AppReport& report : device.session().Reports()) {
    std::set<std::string> releases;
    for (const ObservedContainer& c : device.truth().engine.containers) {
      if (c.IsUp() && c.app == report.app) releases.insert(c.commit);
    }
    EXPECT_LE(releases.size(), 1U) << report.app << ::testing::PrintToString(device.done());
    if (report.back_to && !releases.empty()) {
      EXPECT_THAT(releases, ElementsAre(*report.back_to));
    }
  }
}

void ConvergeThroughAll(unsigned first, unsigned rounds, SimulatedDevice::Chances chances,
                        const SessionOptions& options) {
  for (unsigned round = 0; round < rounds; ++round) {
    const unsigned seed = first + round;
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto draw = [&](const std::string& version) {
      std::vector<ServiceDraft> drafts;
      for (const std::string name : {"a", "b", "c", "d"}) {
        if (random() % 5 == 0) continue;
        ServiceDraft draft{.name = name};
        if (random() % 2 == 0) draft.image = "registry.example/" + name + ":" + version;
        if (random() % 3 == 0) draft.environment["V"] = version;
        if (random() % 4 == 0) draft.restart = "on-failure";
        for (const ServiceDraft& other : drafts) {
          if (random() % 2 == 0) draft.depends_on.push_back(other.name);
        }
        drafts.push_back(std::move(draft));
      }
      return drafts;
    };
    const auto vary = [&](TargetApp& varied) {
      for (TargetService& service : varied.release->services) {
        if (random() % 3 == 0) service.strategy = static_cast<Strategy>(random() % 4);
        for (Dependency& on : service.spec.depends_on) {
          on.restart = random() % 4 == 0;
          if (random() % 4 == 0) on.condition = DependencyCondition::kHealthy;
          const bool joins = service.spec.Find(Field::kNetworkMode) != nullptr;
          if (!joins && random() % 5 == 0) {
            service.spec.Set(Field::kNetworkMode, Value("service:" + on.service));
          }
        }
        if (service.spec.Find(Field::kNetworkMode) == nullptr && random() % 2 == 0) {
          service.spec.Set(Field::kNetworks, Value(Value::Map{{"front", EmptyMap()}}));
        }
      }
      const bool internal = random() % 2 == 0;
      varied.release->networks["front"] =
          internal ? Value(Value::Map{{"internal", Value(true)}}) : EmptyMap();
    };
    TargetApp before = MakeApp("c1", draw("1"));
    vary(before);
    ObservedState start = random() % 4 == 0 ? ObservedState{} : Running(before);
    AddRunning(start, MakeApp("c1", {{.name = "x"}}, "b2", "2"));
    TargetApp app = MakeApp(random() % 4 == 0 ? "c1" : "c2", draw("2"));
    vary(app);
    const Target target = MakeTarget(
        {app, MakeApp("c2", {{.name = "x", .image = "registry.example/x:2"}}, "b2", "2")});

    SimulatedDevice device(start, target, seed, chances);
    device.Run(options, 600);
    ExpectOneRelease(device);
    ASSERT_THAT(device.broken(), IsEmpty()) << ::testing::PrintToString(device.done());
    // And once nothing goes wrong any more:
    SimulatedDevice calm(device.truth(), target, seed, {});
    calm.truth().locks.clear();
    for (ObservedContainer& container : calm.truth().engine.containers) {
      if (container.state == ContainerState::kRestarting) {
        container.state = ContainerState::kRunning;
      }
    }
    calm.Run({}, 600);
    // It may have begun on the way back from a failed cutover, which comes to its end first.
    const bool went_back =
        OutcomeOf(calm) == ApplyOutcome::kBlocked || OutcomeOf(calm) == ApplyOutcome::kUnhealthy;
    if (went_back) calm.Run({}, 600);

    ASSERT_THAT(calm.broken(), IsEmpty());
    ASSERT_EQ(OutcomeOf(calm), ApplyOutcome::kInSync);
    ASSERT_THAT(calm.truth().spans, IsEmpty());
    ASSERT_TRUE(MakePlan(calm.truth(), target).steps.empty());
    std::vector<std::string> wanted = {"x_0_0_c2"};
    for (const TargetService& service : app.release->services) {
      wanted.push_back(service.name + "_0_0_" + app.release->commit);
    }
    std::sort(wanted.begin(), wanted.end());
    ASSERT_EQ(NamesUp(calm.truth().engine), wanted);
    ASSERT_EQ(calm.truth().engine.containers.size(), wanted.size()) << "left over";
    ASSERT_LE(calm.truth().engine.images.size(), wanted.size()) << "an image nobody needs";
  }
}
TEST_P(SimulationTest, ConvergesThroughFaultsCrashesAndLocks) {
  ConvergeThroughAll(GetParam() * 1000, 250,
                     {.step_fails = 5, .effect_without_reply = 40, .crash = 4, .lock_comes = 10},
                     {});
}
TEST_P(SimulationTest, ConvergesThroughReleasesThatGoBack) {
  SessionOptions options;
  options.rollback = true;
  ConvergeThroughAll(GetParam() * 1000, 100, {.unhealthy = 20}, options);
  ConvergeThroughAll(
      GetParam() * 1000 + 500, 100,
      {.step_fails = 3, .effect_without_reply = 40, .crash = 4, .lock_comes = 10, .unhealthy = 20},
      options);
}
INSTANTIATE_TEST_SUITE_P(Seeds, SimulationTest, ::testing::Range(0u, 40u));

}  // namespace
}  // namespace lockstep::test
