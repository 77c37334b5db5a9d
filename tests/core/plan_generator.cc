#include "plan_generator.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lockstep/identity.h"
#include "lockstep/simulate.h"
#include "plan_generator_parts.h"

namespace lockstep::test {
namespace {

bool AppHolds(const ObservedState& state, const std::string& app) {
  return std::any_of(state.locks.begin(), state.locks.end(), [&](const LockHolder& holder) {
    return holder.app == app && holder.held && !holder.ours;
  });
}

// Whether the engine starts it again by itself when it comes back.
bool ComesBack(const ObservedContainer& container) {
  if (container.state == ContainerState::kCreated || container.state == ContainerState::kDead) {
    return false;
  }
  const std::string policy = container.restart_policy.value_or("no");
  if (policy == "always") return true;
  if (policy == "unless-stopped") return container.IsUp();
  return policy.starts_with("on-failure") && (container.IsUp() || container.exit_code != 0);
}

class Author {
 public:
  explicit Author(std::uint64_t seed) : dice_(seed * 2 + 1) {
    scenario_.seed = seed;
    scenario_.observed.taken_at = WallTime{} + std::chrono::hours(24 * 365 * 55);
  }

  Scenario Write() {
    WriteApps();
    WriteDevice();
    if (!stories_.empty() && dice_.Chance(50)) GoOn();
    if (dice_.Chance(6)) scenario_.observed.locks.clear();
    ForceSome();
    scenario_.listed = dice_.Chance(40);
    std::sort(scenario_.target.apps.begin(), scenario_.target.apps.end(),
              [](const TargetApp& a, const TargetApp& b) { return a.uuid < b.uuid; });
    Sort(scenario_.observed);
    return std::move(scenario_);
  }

 private:
  void WriteApps() {
    constexpr std::array kHowMany = {1, 1, 1, 1, 1, 1, 2, 2, 2, 3};
    const int count = dice_.Chance(1) ? 0 : dice_.Of(kHowMany);
    for (int number = 0; number < count; ++number) {
      stories_.push_back(MakeStory(number, dice_));
    }
    scenario_.target.whole_device = dice_.Chance(85);
    for (const AppStory& story : stories_) {
      if (dice_.Chance(8)) continue;
      TargetApp app = AsTarget(story, dice_.Chance(12) ? story.old : story.next);
      if (dice_.Chance(4)) app.release.reset();
      if (dice_.Chance(2)) app.is_host = true;
      if (dice_.Chance(4)) {
        app.gaps.push_back({"invalid-value", "said by the reader", dice_.Chance(60)});
      }
      scenario_.target.apps.push_back(std::move(app));
    }
  }

  void WriteDevice() {
    ObservedState& state = scenario_.observed;
    for (const AppStory& story : stories_) {
      if (!dice_.Chance(10)) {
        DeployAll(story, dice_.Chance(20) ? story.next : story.old, state, dice_);
      }
      Live(story, scenario_, dice_);
      if (dice_.Chance(25)) Meddle(story, scenario_, dice_);
    }
    for (ObservedContainer& container : state.engine.containers) {
      container.settled = container.IsUp() && dice_.Chance(10);
      container.start_failed = container.state == ContainerState::kExited && dice_.Chance(3);
      container.lock_dir_elsewhere = container.owned && dice_.Chance(1) && dice_.Chance(30);
      if (dice_.Chance(1)) scenario_.options.self = container.id;
    }
    if (dice_.Chance(2)) scenario_.target.config["BALENA_SUPERVISOR_OVERRIDE_LOCK"] = "1";
    if (dice_.Chance(2)) state.config["BALENA_SUPERVISOR_OVERRIDE_LOCK"] = "1";
    for (const AppStory& story : stories_) {
      if (!dice_.Chance(3) || AppHolds(state, story.uuid)) continue;
      state.spans.push_back(story.uuid);
      scenario_.natural = false;
    }
  }

  // Part of the way to the target, cut off; perhaps with yet another target afterwards.
  void GoOn() {
    for (int legs = dice_.Chance(70) ? 1 : 2; legs > 0; --legs) {
      Walk();
      for (const AppStory& story : stories_) Disturb(story);
      constexpr std::array kCuts = {Cut::kNone, Cut::kLockstep, Cut::kLockstep, Cut::kPower};
      Suffer(dice_.Of(kCuts), scenario_.observed);
      if (dice_.Chance(20)) Retarget();
      if (dice_.Chance(10)) Meddle(dice_.Of(stories_), scenario_, dice_);
      for (const AppStory& story : stories_) {
        if (dice_.Chance(15)) Live(story, scenario_, dice_);
      }
      DropLostSpans();
    }
  }

  void Walk() {
    ObservedState& state = scenario_.observed;
    const Plan plan = MakePlan(state, scenario_.target);
    Simulation simulation(plan, std::move(state), scenario_.target, ContentOf);
    for (std::size_t steps = dice_.Below(plan.steps.size() + 1); steps > 0; --steps) {
      std::vector<std::uint32_t> ready = simulation.Ready();
      std::erase_if(ready,
                    [&](std::uint32_t i) { return plan.steps[i].status == StepStatus::kHeld; });
      if (ready.empty()) break;
      simulation.Perform(dice_.Of(ready));
    }
    state = std::move(simulation).TakeState();
  }

  // What can come between in a cutover: it fails for good, or an app takes a lock.
  void Disturb(const AppStory& story) {
    ObservedState& state = scenario_.observed;
    const AppRecord* known = state.FindApp(story.uuid);
    if (known == nullptr || !known->cutover || known->cutover->empty()) return;
    if (dice_.Chance(20) && !known->committed.value_or("").empty()) {
      AppRecord record = *known;
      record.failed = {*record.cutover};
      state.AppFor(story.uuid) = std::move(record);
    } else if (dice_.Chance(25)) {
      TakeLock(story, state, dice_);
      DropLostSpans();
    }
  }

  void Retarget() {
    for (TargetApp& app : scenario_.target.apps) {
      if (!app.release || dice_.Chance(40)) continue;
      const auto story = std::find_if(stories_.begin(), stories_.end(),
                                      [&](const AppStory& s) { return s.uuid == app.uuid; });
      if (dice_.Chance(40)) {
        app.release = story->old;
      } else {
        const std::string commit = app.release->commit + "x";
        app.release = Evolve(*app.release, story->number, commit, dice_);
      }
    }
  }

  // An app that took a lock took ours away.
  void DropLostSpans() {
    std::erase_if(scenario_.observed.spans,
                  [&](const std::string& app) { return AppHolds(scenario_.observed, app); });
  }

  void ForceSome() {
    if (!dice_.Chance(8)) return;
    scenario_.options.force = true;
    for (const AppStory& story : stories_) {
      if (dice_.Chance(30)) scenario_.options.force_apps.push_back(story.uuid);
    }
  }

  Scenario scenario_;
  Dice dice_;
  std::vector<AppStory> stories_;
};

}  // namespace

Scenario MakeScenario(std::uint64_t seed) { return Author(seed).Write(); }

void Suffer(Cut cut, ObservedState& state) {
  if (cut == Cut::kNone) return;
  for (ObservedContainer& container : state.engine.containers) {
    container.settled = false;
    container.handed_over = false;
    container.start_failed = false;
  }
  state.images_answered.clear();
  if (cut == Cut::kLockstep) {
    std::erase_if(state.spans, [&](const std::string& app) {
      const AppRecord* record = state.FindApp(app);
      return record == nullptr || !record->cutover || AppHolds(state, app);
    });
    return;
  }
  state.spans.clear();
  state.locks.clear();
  for (ObservedContainer& container : state.engine.containers) {
    if (!container.owned || container.state == ContainerState::kRemoving) continue;
    if (ComesBack(container)) {
      container.started_at = state.NextStart();
      container.state = ContainerState::kRunning;
      container.health =
          container.spec && HasHealthCheck(*container.spec) ? Health::kStarting : Health::kNone;
    } else if (container.IsUp()) {
      container.state = ContainerState::kExited;
      container.exit_code = 137;
      container.health = Health::kNone;
    }
  }
}

ObservedState Known(const ObservedState& state) {
  ObservedState known = state;
  // Without a label, an engine names the service that is shared only while nothing newer is there.
  for (ObservedContainer& c : known.engine.containers) {
    if (!c.owned || !c.spec || c.labels.count(std::string(kLabelShares)) != 0) continue;
    for (const std::string& name : SharedServicesOf(*c.spec)) {
      const auto& all = state.engine.containers;
      const bool newer = std::any_of(all.begin(), all.end(), [&](const ObservedContainer& other) {
        return other.owned && other.app == c.app && other.service == name &&
               other.created_at > c.created_at;
      });
      if (newer) c.spec->Set(Field::kNetworkMode, Value("container:gone"));
    }
  }
  return known;
}

bool Shares(const ObservedState& state, const ObservedContainer& container) {
  const std::string label(kLabelShares);
  return container.labels.contains(label) ||
         std::any_of(state.engine.containers.begin(), state.engine.containers.end(),
                     [&](const ObservedContainer& other) {
                       const auto it = other.labels.find(label);
                       return it != other.labels.end() &&
                              it->second.find(container.id) != std::string::npos;
                     });
}

ObservedState Seen(const Scenario& scenario, const ObservedState& state) {
  ObservedState seen = Known(state);
  if (!scenario.listed) return seen;
  const std::vector<std::string> hashes = HashesOf(scenario.target);
  for (ObservedContainer& container : seen.engine.containers) {
    const bool known = std::binary_search(hashes.begin(), hashes.end(), container.config_hash);
    if (!known || !container.owned) continue;
    container.spec.reset();
    // Whether a failed one is started again depends on how often it was: that is looked into.
    if (container.state == ContainerState::kExited && container.exit_code != 0) continue;
    container.restart_policy.reset();
    // Who shares a namespace, or is shared, is looked into as well.
    if (Shares(seen, container)) continue;
    container.started_at.reset();
    container.restart_count = 0;
  }
  return seen;
}

Scenario Permuted(const Scenario& scenario, Dice& dice) {
  Scenario other = scenario;
  EngineState& engine = other.observed.engine;
  dice.Shuffle(engine.containers);
  dice.Shuffle(engine.images);
  dice.Shuffle(engine.networks);
  dice.Shuffle(engine.volumes);
  for (ObservedImage& image : engine.images) dice.Shuffle(image.references);
  for (ObservedContainer& container : engine.containers) {
    if (container.networks) dice.Shuffle(*container.networks);
  }
  dice.Shuffle(other.observed.locks);
  dice.Shuffle(other.observed.config_set);
  for (AppRecord& record : other.observed.apps) {
    dice.Shuffle(record.failed);
    dice.Shuffle(record.stopped);
    dice.Shuffle(record.purge);
    dice.Shuffle(record.retired);
    dice.Shuffle(record.restart);
  }
  dice.Shuffle(other.target.apps);
  dice.Shuffle(other.options.force_apps);
  return other;
}

}  // namespace lockstep::test
