#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "lockstep/orchestrator.h"
#include "lockstep/runtimes/memory_engine.h"
#include "lockstep/testing/fake_host_control.h"
#include "lockstep/testing/fake_lock_fs.h"
#include "lockstep/testing/fake_store.h"
#include "lockstep/testing/mock_lock_fs.h"
#include "lockstep/testing/mock_runtime_backend.h"
#include "planning.h"

namespace lockstep::test {
namespace {

using ::testing::NiceMock;
using Environment = std::map<std::string, std::string>;

// What the container of a service is told, where its locks are at `paths`.
Environment ToldWith(const LockPaths& paths) {
  struct Ignored final : EventObserver {
    void OnEvent(const Event&) override {}
  } ignored;
  MemoryOptions memory;
  memory.pull_anything = true;
  MemoryEngine engine(memory);
  NiceMock<MockRuntimeBackend> backend(engine);
  FakeLockFs fake;
  NiceMock<MockLockFs> locks(fake);
  ON_CALL(locks, Resolve).WillByDefault([&](auto&&...) { return paths; });
  Environment told;
  EXPECT_CALL(backend, CreateContainer).WillOnce([&](const ContainerSpec& spec, auto stop) {
    told = spec.environment;
    return engine.CreateContainer(spec, stop);
  });
  FakeStore store;
  FakeHostControl host;
  DeviceConfig config;
  SystemClock clock;
  ApplyOptions options;
  options.session.settle = std::chrono::milliseconds(0);
  Orchestrator orchestrator({backend, locks, store, host, config, clock});
  EXPECT_TRUE(
      orchestrator.Apply(MakeTarget({MakeApp("c1", {{.name = "web"}})}), options, ignored, {}));
  return told;
}

TEST(LockPlacesTest, AServiceIsToldWhereTheLocksOfItsSchemeAre) {
  const Environment told = ToldWith({"/srv/flags/web", {"/run/flags"}, {"/srv/flags/web/busy"}});
  for (const std::string prefix : {"BALENA_", "RESIN_"}) {
    EXPECT_EQ(told.at(prefix + "APP_LOCK_PATH"), "/run/flags/busy");
    EXPECT_EQ(told.at(prefix + "SERVICE_HANDOVER_COMPLETE_PATH"), "/run/flags/handover-complete");
    EXPECT_EQ(told.at(prefix + "SERVICE_KILL_ME_PATH"), "/run/flags/handover-complete");
  }
}

TEST(LockPlacesTest, WhereNothingIsBoundItIsToldTheUsualPlaces) {
  const Environment told = ToldWith({"", {}, {"/srv/flags/web/busy"}});
  EXPECT_EQ(told.at("BALENA_APP_LOCK_PATH"), "/tmp/balena/updates.lock");
}

}  // namespace
}  // namespace lockstep::test
