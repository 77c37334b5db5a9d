// An agent of your own: you bring an engine, locks, a store, a machine and a clock.
#include <lockstep/orchestrator.h>
#include <lockstep/runtimes/memory_engine.h>
#include <lockstep/testing/fake_host_control.h>
#include <lockstep/testing/fake_lock_fs.h>
#include <lockstep/testing/fake_store.h>

#include <iostream>

struct Watcher final : lockstep::EventObserver {
  void OnEvent(const lockstep::Event& e) override { std::cout << EventKindName(e.kind) << '\n'; }
};

int main() {
  lockstep::MemoryEngine engine({.pull_anything = true});  // On a device: MakeDockerEngine(...)
  lockstep::test::FakeLockFs locks;                        // OpenHostLockFs(...)
  lockstep::test::FakeStore store;                         // your database
  lockstep::test::FakeHostControl machine;                 // what reboots it
  lockstep::DeviceConfig config;                           // its boot files
  lockstep::SystemClock clock;
  lockstep::Orchestrator orchestrator({engine, locks, store, machine, config, clock});

  lockstep::TargetService web{.name = "web", .spec = {.image = "registry.example/web:2"}};
  lockstep::TargetRelease release{.commit = "b0b", .services = {web}};
  const lockstep::Target target{.apps = {{.uuid = "shop", .name = "shop", .release = release}}};

  Watcher watcher;
  const auto report = orchestrator.Apply(target, {}, watcher, {});
  const auto plan = orchestrator.Preview(target, {}, {});
  if (!report || !plan) return 1;
  std::cout << "shop is " << PlanStatusName(plan.assume_value().status) << '\n';
}
