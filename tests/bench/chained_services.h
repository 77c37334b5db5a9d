// Devices of any size in the three states that plans are measured in: one app whose services depend
// on each other in chains of ten.
#ifndef LOCKSTEP_TESTS_BENCH_CHAINED_SERVICES_H_
#define LOCKSTEP_TESTS_BENCH_CHAINED_SERVICES_H_

#include <string>
#include <utility>

#include "../core/planning.h"
#include "lockstep/observed_state.h"
#include "lockstep/service_spec.h"
#include "lockstep/target.h"

namespace lockstep {

enum class Case { kNoOp, kFullChange, kFirstRelease };

inline std::string ImageOf(int service, int version) {
  return "registry.example/s" + std::to_string(service) + ":" + std::to_string(version);
}

inline Target MakeTarget(int services, int version) {
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
    service.spec.image = ImageOf(i, version);
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

// As a look lists them: by their hashes.
inline ObservedState MakeObserved(const Target& target) {
  ObservedState observed = test::Running(target.apps.front());
  for (ObservedContainer& container : observed.engine.containers) {
    container.config_hash = ConfigHash(*container.spec);
    container.spec.reset();
    container.restart_policy.reset();
    container.networks.reset();
  }
  return observed;
}

struct Device {
  Target target;
  ObservedState observed;
};

inline Device MakeDevice(Case which, int services) {
  Device device{MakeTarget(services, which == Case::kFullChange ? 2 : 1), {}};
  if (which != Case::kFirstRelease) device.observed = MakeObserved(MakeTarget(services, 1));
  return device;
}

}  // namespace lockstep

#endif  // LOCKSTEP_TESTS_BENCH_CHAINED_SERVICES_H_
