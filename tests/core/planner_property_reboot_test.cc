// A configuration that needs a reboot, added to generated targets and devices: it changes nothing
// in the plan of any app, and comes behind all of them, under the locks of all of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "plan_dump.h"
#include "plan_facts.h"
#include "plan_generator.h"

namespace lockstep::test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeeds = 500;
#else
constexpr std::uint64_t kSeeds = 5'000;
#endif
const std::string kKey = "BALENA_HOST_CONFIG_gpu_mem";
const std::string kOther = "BALENA_HOST_EXTLINUX_fdt";

Scenario WithReboot(Scenario scenario, Dice& dice) {
  scenario.options.config_rules = {{.backend = "config.txt", .key = "BALENA_HOST_CONFIG_*"},
                                   {.backend = "extlinux", .key = "BALENA_HOST_EXTLINUX_*"}};
  scenario.observed.boot_id = "boot-1";
  if (dice.Chance(70)) scenario.target.config[kKey] = "64";
  if (dice.Chance(30)) scenario.target.config[kOther] = "a.dtb";
  if (dice.Chance(20)) {
    scenario.observed.reboot = RebootRecord{
        .boot_id = dice.Chance(50) ? "boot-1" : "boot-0", .configuration = {}, .changes = {}};
  }
  if (dice.Chance(20)) {
    for (const TargetApp& app : scenario.target.apps) {
      if (dice.Chance(40)) scenario.observed.stalled.push_back(app.uuid);
    }
    std::sort(scenario.observed.stalled.begin(), scenario.observed.stalled.end());
  }
  for (const TargetApp& app : scenario.target.apps) {
    const bool locked = scenario.observed.HasSpan(app.uuid);
    if (!locked && dice.Chance(10)) scenario.observed.reboot_spans.push_back(app.uuid);
  }
  std::sort(scenario.observed.reboot_spans.begin(), scenario.observed.reboot_spans.end());
  return scenario;
}

class RebootJudge {
 public:
  RebootJudge(const Scenario& scenario, const Plan& without, const Plan& with)
      : scenario_(scenario), without_(without), plan_(with), order_(with) {}

  std::string Judge() {
    const bool pending = scenario_.observed.RebootPending();
    const bool differs =
        scenario_.target.config.count(kKey) != 0 || scenario_.target.config.count(kOther) != 0;
    const bool wants = scenario_.target.whole_device && (pending || differs);
    reboot_ = RebootOf(plan_);
    Claim((reboot_ != nullptr) == wants, "the reboot is there if it is wanted");
    JudgeApps();
    if (reboot_ != nullptr) JudgeReboot();
    return said_.str();
  }

 private:
  void Claim(bool holds, const std::string& what) {
    if (!holds) said_ << "not so: " << what << "\n";
  }

  // Every step of every app is there, and waits for the same.
  void JudgeApps() {
    std::map<StepId, std::set<StepId>> known;
    for (const Step& step : without_.steps) {
      if (step.phase != Phase::kConfig) known[step.id] = After(without_, step);
    }
    for (const Step& step : plan_.steps) {
      if (step.phase == Phase::kConfig) continue;
      const auto it = known.find(step.id);
      Claim(it != known.end() && it->second == After(plan_, step),
            std::string(StepKindName(step.kind)) + " is as it was");
      if (it != known.end()) known.erase(it);
    }
    Claim(known.empty(), "every step stays");
    for (std::size_t i = 0; i < plan_.apps.size(); ++i) {
      Claim(without_.apps[i].status == plan_.apps[i].status,
            "the status of an app speaks of its own update");
    }
  }

  static std::set<StepId> After(const Plan& plan, const Step& step) {
    std::set<StepId> after;
    for (const std::uint32_t before : step.after) after.insert(plan.steps[before].id);
    return after;
  }

  std::size_t Holders() const {
    std::size_t holders = 0;
    for (const AppPlan& app : plan_.apps) {
      for (const LockHolder& holder : app.holders) {
        holders += holder.IsPause() || !Overrides() ? 1 : 0;
      }
    }
    return holders;
  }

  bool Overrides() const {
    const auto it = scenario_.target.config.find("BALENA_SUPERVISOR_OVERRIDE_LOCK");
    return it != scenario_.target.config.end() && it->second == "1";
  }

  bool IsWaitedFor(const std::string& app) const {
    const auto& stalled = scenario_.observed.stalled;
    return !std::binary_search(stalled.begin(), stalled.end(), app);
  }

  void JudgeReboot() {
    const auto last = plan_.steps.size() - 1;
    const bool deferred = reboot_->status == StepStatus::kDeferred;
    Claim(deferred == (Holders() != 0),
          "it is deferred by the lock of any app, and by nothing else");
    std::set<std::string> taken;
    std::set<std::string> released;
    std::vector<std::size_t> writes;
    bool updates = false;
    for (std::size_t i = 0; i < last; ++i) {
      const Step& step = plan_.steps[i];
      Claim(step.kind != StepKind::kReboot, "there is one");
      if (step.phase != Phase::kConfig) {
        updates |= IsWaitedFor(step.app);
        const bool before = order_.Before(i, last);
        Claim(!IsWaitedFor(step.app) || before, StepText(step) + " comes before the reboot");
        continue;
      }
      if (step.kind == StepKind::kReleaseLocks) {
        released.insert(step.app);
        Claim(step.status == StepStatus::kReady, "locks are given back at once");
      }
      const bool of_reboot =
          step.kind == StepKind::kTakeLocks || step.subject == kKey || step.subject == kOther;
      if (of_reboot) Claim((step.status == StepStatus::kDeferred) == deferred, "all are deferred");
      if (of_reboot) Claim(order_.Before(i, last), StepText(step) + " comes before the reboot");
      if (step.kind == StepKind::kTakeLocks) taken.insert(step.app);
      if (of_reboot && step.kind == StepKind::kWriteConfig) writes.push_back(i);
    }
    for (std::size_t i = 0; i < last; ++i) {
      const Step& step = plan_.steps[i];
      if (step.kind != StepKind::kTakeLocks || step.phase != Phase::kConfig) continue;
      for (const std::size_t write : writes) Claim(order_.Before(i, write), "locks before writes");
    }
    for (const AppPlan& app : plan_.apps) {
      if (app.services.empty()) continue;
      const bool has = scenario_.observed.HasRebootSpan(app.app);
      const bool kept = has && !deferred && !updates;
      Claim((taken.count(app.app) != 0) != kept, "the locks of " + app.app + " are taken once");
      Claim((released.count(app.app) != 0) == (has && !kept),
            "the locks of " + app.app + " are given back");
    }
  }

  static std::string StepText(const Step& step) {
    return std::string(StepKindName(step.kind)) + " " + step.app + " " + step.subject;
  }

  const Scenario& scenario_;
  const Plan& without_;
  const Plan& plan_;
  const Order order_;
  const Step* reboot_ = nullptr;
  std::ostringstream said_;
};

TEST(PlannerPropertyRebootTest, ARebootComesBehindAllUpdatesAndChangesNone) {
  int reboots = 0;
  int deferred = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Scenario plain = MakeScenario(seed);
    Dice dice(seed);
    const Scenario with = WithReboot(plain, dice);
    const Plan before = MakePlan(Seen(plain, plain.observed), plain.target, plain.options);
    const Plan after = MakePlan(Seen(with, with.observed), with.target, with.options);
    ASSERT_EQ(RebootJudge(with, before, after).Judge(), "") << "seed " << seed << Describe(with);
    const Scenario other = Permuted(with, dice);
    ASSERT_EQ(MakePlan(Seen(other, other.observed), other.target, other.options).fingerprint,
              after.fingerprint)
        << "seed " << seed;
    const Step* reboot = RebootOf(after);
    reboots += reboot != nullptr;
    deferred += reboot != nullptr && reboot->status == StepStatus::kDeferred;
  }
  EXPECT_GT(reboots, static_cast<int>(kSeeds) / 2);
  EXPECT_GT(deferred, static_cast<int>(kSeeds) / 20);
}

}  // namespace
}  // namespace lockstep::test
