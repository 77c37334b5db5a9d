// How long a plan takes, by the number of services, in the three states a device is in.
#include <benchmark/benchmark.h>

#include <string>

#include "lockstep/planner.h"

namespace lockstep {
namespace {

enum class Case { kNoOp, kFullChange, kFirstRelease };

std::string Image(int service, int version) {
  return "registry.example/s" + std::to_string(service) + ":" + std::to_string(version);
}

Target MakeTarget(int services, int version) {
  Target target;
  TargetApp app;
  app.uuid = "a0000000000000000000000000000001";
  app.id = "1";
  app.name = "bench";
  app.release.emplace();
  app.release->commit = "c" + std::to_string(version);
  app.release->networks.emplace("default", Value(Value::Map{}));
  for (int i = 0; i < services; ++i) {
    TargetService service;
    service.name = "s" + std::to_string(100'000 + i);
    service.spec.image = Image(i, version);
    service.spec.environment["A"] = "1";
    if (i % 10 != 0) {
      Dependency dependency;
      dependency.service = "s" + std::to_string(100'000 + i - 1);
      service.spec.depends_on.push_back(dependency);
    }
    app.release->services.push_back(std::move(service));
  }
  target.apps.push_back(std::move(app));
  return target;
}

ObservedState MakeObserved(const Target& target) {
  ObservedState observed;
  const TargetApp& app = target.apps.front();
  for (const TargetService& service : app.release->services) {
    ObservedContainer container;
    container.id = "id-" + service.name;
    container.name = ContainerName(service.name, 0, 0, app.release->commit);
    container.image = service.spec.image;
    container.image_id = "sha256:" + service.spec.image;
    container.state = ContainerState::kRunning;
    container.app = app.uuid;
    container.app_id = app.id;
    container.service = service.name;
    container.commit = app.release->commit;
    container.owned = true;
    container.config_hash = ConfigHash(service.spec);
    observed.engine.images.push_back({container.image_id, {service.spec.image}, {}});
    observed.engine.containers.push_back(std::move(container));
  }
  ObservedNetwork network;
  network.name = "default";
  network.app = app.uuid;
  network.owned = true;
  observed.engine.networks.push_back(std::move(network));
  return observed;
}

void Planning(benchmark::State& state, Case which) {
  const int services = static_cast<int>(state.range(0));
  const Target target = MakeTarget(services, which == Case::kFullChange ? 2 : 1);
  const ObservedState observed =
      which == Case::kFirstRelease ? ObservedState{} : MakeObserved(MakeTarget(services, 1));
  for (auto _ : state) benchmark::DoNotOptimize(MakePlan(observed, target));
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
