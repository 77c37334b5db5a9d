// How long a plan takes, by the number of services, in the three states a device is in.
#include <benchmark/benchmark.h>

#include "chained_services.h"
#include "lockstep/planner.h"

namespace lockstep {
namespace {

void Planning(benchmark::State& state, Case which) {
  const int services = static_cast<int>(state.range(0));
  const Device device = MakeDevice(which, services);
  for (auto _ : state) benchmark::DoNotOptimize(MakePlan(device.observed, device.target));
  state.SetComplexityN(services);
}

BENCHMARK_CAPTURE(Planning, NoOp, Case::kNoOp)
    ->RangeMultiplier(10)
    ->Range(10, 10'000)
    ->Complexity(benchmark::oNLogN);
BENCHMARK_CAPTURE(Planning, FullChange, Case::kFullChange)
    ->RangeMultiplier(10)
    ->Range(10, 10'000)
    ->Complexity(benchmark::oNLogN);
BENCHMARK_CAPTURE(Planning, FirstRelease, Case::kFirstRelease)
    ->RangeMultiplier(10)
    ->Range(10, 10'000)
    ->Complexity(benchmark::oNLogN);

}  // namespace
}  // namespace lockstep
