// Devices of any size in the three states that plans are measured in: one app whose services depend
// on each other in chains of ten.
#ifndef LOCKSTEP_TESTS_BENCH_CHAINED_SERVICES_H_
#define LOCKSTEP_TESTS_BENCH_CHAINED_SERVICES_H_

#include <string>
#include <utility>

#include "lockstep/identity.h"
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

inline ObservedState MakeObserved(const Target& target) {
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
