// What a plan needs of the heap while it is made, itself included: at most 4 KiB a service. A
// program of its own, since it counts every allocation.
#include <gtest/gtest.h>

#include "chained_services.h"
#include "heap_peak.h"
#include "lockstep/planner.h"

namespace lockstep {
namespace {

constexpr std::size_t kBytesOfService = 4096;

class PlanningMemoryTest : public ::testing::TestWithParam<Case> {};

TEST_P(PlanningMemoryTest, GrowsByAtMostFourKibibytesForEachService) {
  for (const int services : {100, 1'000, 10'000}) {
    const Device device = MakeDevice(GetParam(), services);
    const HeapPeak peak;
    const Plan plan = MakePlan(device.observed, device.target);
    const std::size_t bytes = peak.bytes() / static_cast<std::size_t>(services);
    EXPECT_LE(bytes, kBytesOfService) << services << " services";
    EXPECT_GT(bytes, sizeof(ServicePlan)) << "what is planned takes room";
    RecordProperty("bytes_of_service_" + std::to_string(services), std::to_string(bytes));
  }
}

INSTANTIATE_TEST_SUITE_P(States, PlanningMemoryTest,
                         ::testing::Values(Case::kNoOp, Case::kFullChange, Case::kFirstRelease));

}  // namespace
}  // namespace lockstep
