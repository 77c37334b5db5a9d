// Devices that are told to change their configuration again and again, while apps take and drop
// locks, Lockstep crashes, and the power fails.
#include <gmock/gmock.h>

#include <map>
#include <random>
#include <string>

#include "simulated_device.h"

namespace lockstep::test {
namespace {

using ::testing::IsEmpty;

const std::string kNow = "BALENA_HOST_CONFIG_fan_profile";
const std::vector<std::string> kKeys = {"BALENA_HOST_CONFIG_gpu_mem", "BALENA_HOST_CONFIG_dtparam",
                                        "BALENA_HOST_EXTLINUX_fdt", kNow,
                                        "BALENA_SUPERVISOR_POLL_INTERVAL"};

// std::mt19937 gives numbers of a wider type than a seed is.
class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  unsigned operator()() { return static_cast<unsigned>(random_()); }

 private:
  std::mt19937 random_;
};

SessionOptions Options() {
  SessionOptions options;
  options.plan.config_rules = {
      {.backend = "config.txt", .key = "BALENA_HOST_CONFIG_*"},
      {.backend = "extlinux", .key = "BALENA_HOST_EXTLINUX_*"},
      {.backend = "config.json", .key = kNow, .needs_reboot = false},
  };
  return options;
}

bool NeedsReboot(const std::string& key) { return key.starts_with("BALENA_HOST_") && key != kNow; }

// Apps in one release or the next, and a random configuration.
Target RandomTarget(Dice& random) {
  const auto commit = [&] { return random() % 2 == 0 ? "c1" : "c2"; };
  const std::string a = commit();
  const std::string b = commit();
  Target target = MakeTarget(
      {MakeApp(a, {{.name = "db"}, {.name = "web", .image = "registry.example/web:" + a}}),
       MakeApp(b, {{.name = "x", .image = "registry.example/x:" + b}}, "b2", "2")});
  for (const std::string& key : kKeys) {
    if (random() % 2 == 0) target.config[key] = std::to_string(random() % 3);
  }
  return target;
}

ApplyOutcome WorstOf(const SimulatedDevice& device) {
  ApplyOutcome worst = ApplyOutcome::kInSync;
  for (const AppReport& report : device.session().Reports())
    worst = std::max(worst, report.outcome);
  return worst;
}

// What of a configuration a device that has `now`, and has set `set`, is to be rebooted for.
bool TakesReboot(const ObservedState& state, const Target& target) {
  for (const std::string& key : kKeys) {
    const auto now = state.config.find(key);
    const auto wanted = target.config.find(key);
    const bool set = std::count(state.config_set.begin(), state.config_set.end(), key) != 0;
    if (!NeedsReboot(key)) continue;
    if (wanted == target.config.end()) {
      if (set && now != state.config.end()) return true;
    } else if (now == state.config.end() || now->second != wanted->second) {
      return true;
    }
  }
  return false;
}

void ExpectConfigured(const ObservedState& state, const Target& target) {
  for (const std::string& key : kKeys) {
    const auto now = state.config.find(key);
    const auto wanted = target.config.find(key);
    if (wanted == target.config.end()) {
      EXPECT_EQ(now, state.config.end()) << key << " stayed";
    } else if (now == state.config.end()) {
      ADD_FAILURE() << key << " was never set";
    } else {
      EXPECT_EQ(now->second, wanted->second) << key;
    }
  }
}

class RebootSimulationTest : public ::testing::TestWithParam<unsigned> {
 protected:
  static ObservedState Begin() {
    ObservedState truth = Running(MakeApp("c1", {{.name = "db"}, {.name = "web"}}));
    AddRunning(truth, MakeApp("c1", {{.name = "x"}}, "b2", "2"));
    truth.boot_id = "boot-0";
    return truth;
  }
};

// One reboot for each batch, however many keys and backends it has; none where none is needed.
TEST_P(RebootSimulationTest, WithoutFaultsOneReboot) {
  Dice random(GetParam());
  ObservedState truth = Begin();
  for (int round = 0; round < 40; ++round) {
    const Target target = RandomTarget(random);
    const bool takes_reboot = TakesReboot(truth, target);
    SimulatedDevice device(truth, target, random(), {.lock_comes = random() % 30});
    device.Run(Options());
    ASSERT_THAT(device.broken(), IsEmpty()) << ::testing::PrintToString(device.done());
    ASSERT_EQ(WorstOf(device), ApplyOutcome::kInSync) << ::testing::PrintToString(device.done());
    ASSERT_EQ(device.reboots(), takes_reboot ? 1 : 0) << ::testing::PrintToString(device.done());
    ASSERT_THAT(device.truth().spans, IsEmpty());
    ASSERT_THAT(device.truth().reboot_spans, IsEmpty());
    ExpectConfigured(device.truth(), target);
    truth = device.truth();
  }
}

TEST_P(RebootSimulationTest, ConvergesThroughFaultsCrashesLocksAndPowerCuts) {
  Dice random(GetParam());
  ObservedState truth = Begin();
  for (int round = 0; round < 40; ++round) {
    const Target target = RandomTarget(random);
    SimulatedDevice device(truth, target, random(),
                           {.step_fails = 5,
                            .effect_without_reply = 40,
                            .crash = 4,
                            .lock_comes = 10,
                            .power_cut = 4,
                            .boot_reverts = random() % 2 * 20,
                            .stays_up = random() % 2 * 20});
    device.Run(Options(), 60);
    ASSERT_THAT(device.broken(), IsEmpty()) << ::testing::PrintToString(device.done());
    ASSERT_LE(device.reboots(), kMostReboots) << ::testing::PrintToString(device.done());
    // And once nothing goes wrong any more, for a configuration that was not tried in vain:
    truth = device.truth();
    truth.locks.clear();
    if (truth.reboot) truth.reboot->reboots = 0;
    SimulatedDevice calm(truth, target, random(), {});
    calm.Run(Options(), 600);
    if (WorstOf(calm) == ApplyOutcome::kBlocked) calm.Run(Options(), 600);
    ASSERT_THAT(calm.broken(), IsEmpty()) << ::testing::PrintToString(calm.done());
    ASSERT_EQ(WorstOf(calm), ApplyOutcome::kInSync) << ::testing::PrintToString(calm.done());
    ASSERT_LE(calm.reboots(), 1) << ::testing::PrintToString(calm.done());
    ASSERT_THAT(calm.truth().spans, IsEmpty());
    ASSERT_THAT(calm.truth().reboot_spans, IsEmpty());
    ExpectConfigured(calm.truth(), target);
    truth = calm.truth();
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, RebootSimulationTest, ::testing::Range(0u, 40u));

// As on a device that is offline: its update is no reason not to configure it.
TEST(FailedUpdateTest, DelaysNoRebootAndTakesItsLocksOnce) {
  ObservedState truth = Running(MakeApp("c1", {{.name = "db"}}));
  AddRunning(truth, MakeApp("c1", {{.name = "x"}}, "b2", "2"));
  truth.boot_id = "boot-0";
  Target target = MakeTarget({MakeApp("c2", {{.name = "db", .image = "registry.example/db:2"}}),
                              MakeApp("c1", {{.name = "x"}}, "b2", "2")});
  target.config["BALENA_HOST_CONFIG_gpu_mem"] = "64";
  SimulatedDevice device(truth, target, 1, {});
  device.FailAlways(StepKind::kPullImage, "registry.example/db:2");
  device.Run(Options(), 100);
  EXPECT_TRUE(device.session().Finished());
  EXPECT_EQ(WorstOf(device), ApplyOutcome::kFailed);
  EXPECT_EQ(device.reboots(), 1) << ::testing::PrintToString(device.done());
  EXPECT_THAT(device.broken(), IsEmpty());
}

// A reboot comes behind the way back of a failed update, not into the middle of it.
TEST(FailedUpdateTest, GoesBackBeforeTheReboot) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    ObservedState truth = Running(MakeApp("c1", {{.name = "db"}, {.name = "web"}}));
    truth.boot_id = "boot-0";
    Target target =
        MakeTarget({MakeApp("c2", {{.name = "db", .image = "registry.example/db:2"},
                                   {.name = "web", .image = "registry.example/web:2"}})});
    target.config["BALENA_HOST_CONFIG_gpu_mem"] = "64";
    SimulatedDevice device(truth, target, seed, {});
    device.FailAlways(StepKind::kStartContainer, "web_0_0_c2#1");
    device.FailAlways(StepKind::kStartContainer, "web_0_0_c2#2");
    device.Run(Options(), 300);
    ASSERT_TRUE(device.session().Finished()) << seed;
    ASSERT_THAT(device.broken(), IsEmpty()) << ::testing::PrintToString(device.done());
    int running = 0;
    for (const ObservedContainer& container : device.truth().engine.containers) {
      running += container.IsUp();
    }
    ASSERT_EQ(running, 2) << seed << ::testing::PrintToString(device.done());
  }
}

// A boot file that is put back at each start must not keep the device rebooting.
TEST(RebootLoopTest, AConfigurationThatNeverTakesEffectIsGivenUp) {
  ObservedState truth = Running(MakeApp("c1", {{.name = "db"}}));
  truth.boot_id = "boot-0";
  Target target = MakeTarget({MakeApp("c1", {{.name = "db"}})});
  target.config["BALENA_HOST_CONFIG_gpu_mem"] = "64";
  int reboots = 0;
  for (unsigned run = 0; run < 5; ++run) {
    SimulatedDevice device(truth, target, run, {.boot_reverts = 100});
    device.Run(Options());
    ASSERT_TRUE(device.session().Finished());
    ASSERT_THAT(device.broken(), IsEmpty());
    reboots += device.reboots();
    truth = device.truth();
  }
  EXPECT_EQ(reboots, kMostReboots);
  const Plan plan = MakePlan(truth, target, Options().plan);
  ASSERT_EQ(plan.config.size(), 1U);
  EXPECT_EQ(plan.config[0].action, ConfigAction::kRefuse);
  EXPECT_THAT(plan.config[0].message, ::testing::HasSubstr("3 reboots"));
  // Another configuration is tried.
  target.config["BALENA_HOST_CONFIG_gpu_mem"] = "16";
  EXPECT_NE(RebootOf(MakePlan(truth, target, Options().plan)), nullptr);
}

}  // namespace
}  // namespace lockstep::test
