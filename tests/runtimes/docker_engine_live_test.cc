// On a real engine: LOCKSTEP_TEST_ENGINE names its socket, LOCKSTEP_TEST_REGISTRY a registry with
// app:v1 and app:v2. A program of its own; whoever starts it has an engine.
#include <gtest/gtest.h>

#include "live_subject.h"
#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

INSTANTIATE_TEST_SUITE_P(Docker, RuntimeConformance,
                         ::testing::Values(RuntimeConformanceFactory(LiveSubject)));

class LiveDocker : public RuntimeConformance {};
INSTANTIATE_TEST_SUITE_P(Docker, LiveDocker,
                         ::testing::Values(RuntimeConformanceFactory(LiveSubject)));

TEST_P(LiveDocker, ReportsANetworkAsItWasDefined) {
  const Value subnet = Value::Map{
      {"ipam", Value::Map{{"config", Value::List{Value::Map{{"subnet", "172.29.77.0/24"}}}}}}};
  ASSERT_THAT(backend().CreateNetwork(Network("front", subnet), never()), IsOk());
  bool seen = false;
  for (const ObservedNetwork& network : Look().networks) {
    if (network.name != "front") continue;
    seen = true;
    EXPECT_EQ(ToText(network.config), ToText(subnet));
  }
  EXPECT_TRUE(seen);
}

}  // namespace
}  // namespace lockstep::test
