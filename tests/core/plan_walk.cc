#include "plan_walk.h"

#include <algorithm>
#include <utility>

#include "lockstep/simulate.h"

namespace lockstep::test {
namespace {

// More than any way needs: a way that takes longer does not end.
constexpr int kRounds = 60;
constexpr int kRoundsAfterCut = 8;

bool SameStep(const Step& a, const Step& b) {
  return a.id == b.id && a.kind == b.kind && a.phase == b.phase && a.status == b.status &&
         a.disruptive == b.disruptive && a.app == b.app && a.service == b.service &&
         a.subject == b.subject && a.detail == b.detail && a.why == b.why;
}

bool SameService(const ServicePlan& a, const ServicePlan& b) {
  return a.service == b.service && a.change == b.change && a.strategy == b.strategy &&
         a.why == b.why;
}

bool SameApp(const AppPlan& a, const AppPlan& b) {
  return a.app == b.app && a.name == b.name && a.status == b.status && a.from == b.from &&
         a.to == b.to && a.holders == b.holders && a.gaps == b.gaps &&
         std::equal(a.services.begin(), a.services.end(), b.services.begin(), b.services.end(),
                    SameService);
}

bool SameConfig(const ConfigPlan& a, const ConfigPlan& b) {
  return a.key == b.key && a.from == b.from && a.to == b.to && a.needs_reboot == b.needs_reboot &&
         a.action == b.action && a.message == b.message;
}

bool SamePlan(const Plan& a, const Plan& b) {
  const auto same_step = [](const Step& x, const Step& y) {
    return SameStep(x, y) && x.after == y.after;
  };
  return a.fingerprint == b.fingerprint && a.status == b.status && a.made_for == b.made_for &&
         std::equal(a.apps.begin(), a.apps.end(), b.apps.begin(), b.apps.end(), SameApp) &&
         std::equal(a.config.begin(), a.config.end(), b.config.begin(), b.config.end(),
                    SameConfig) &&
         std::equal(a.steps.begin(), a.steps.end(), b.steps.begin(), b.steps.end(), same_step);
}

// The steps of `app` alone, with `after` by ids.
struct AppSteps {
  std::vector<const Step*> steps;
  std::vector<std::vector<StepId>> after;
};

AppSteps StepsOf(const Plan& plan, const std::string& app, bool images) {
  AppSteps result;
  for (const Step& step : plan.steps) {
    if (step.app != app || (!images && step.kind == StepKind::kRemoveImage)) continue;
    result.steps.push_back(&step);
    auto& ids = result.after.emplace_back();
    for (const std::uint32_t before : step.after) ids.push_back(plan.steps[before].id);
  }
  return result;
}

// What is in one of two plans of `app` and not in the other; empty: they are the same.
std::string DifferenceFor(const std::string& app, const Plan& a, const Plan& b, bool images) {
  const AppSteps x = StepsOf(a, app, images);
  const AppSteps y = StepsOf(b, app, images);
  const auto find = [&](const Plan& plan) {
    return std::find_if(plan.apps.begin(), plan.apps.end(),
                        [&](const AppPlan& p) { return p.app == app; });
  };
  const auto p = find(a);
  const auto q = find(b);
  if ((p == a.apps.end()) != (q == b.apps.end())) return "none";
  for (std::size_t i = 0; i < std::max(x.steps.size(), y.steps.size()); ++i) {
    const Step* s = i < x.steps.size() ? x.steps[i] : nullptr;
    const Step* t = i < y.steps.size() ? y.steps[i] : nullptr;
    if (s != nullptr && t != nullptr && SameStep(*s, *t) && x.after[i] == y.after[i]) continue;
    const auto text = [](const Step* step) {
      return step == nullptr ? std::string("nothing")
                             : std::string(StepKindName(step->kind)) + " [" + step->subject + "]";
    };
    return text(t) + " for " + text(s);
  }
  if (p == a.apps.end() || !images || SameApp(*p, *q)) return {};
  return "another summary";
}

LockHolder LockOf(const std::string& app, const std::string& service) {
  LockHolder holder;
  holder.app = app;
  holder.app_dir = app;
  holder.service = service;
  holder.path = "/locks/" + app + "/" + service + "/new.lock";
  return holder;
}

// Whatever becomes of one app, the plans of the others are the same.
void CompareApps(const Scenario& scenario, Findings& findings) {
  Scenario changed = scenario;
  changed.listed = false;  // What is not looked into depends on all apps of the target.
  const Plan plan = MakePlan(changed.observed, changed.target, changed.options);
  if (plan.apps.size() < 2) return;
  Dice dice(scenario.seed);
  const AppPlan& other = dice.Of(plan.apps);
  bool images = true;
  const std::string what = [&] {
    ObservedState& state = changed.observed;
    const auto target = std::find_if(changed.target.apps.begin(), changed.target.apps.end(),
                                     [&](const TargetApp& app) { return app.uuid == other.app; });
    switch (dice.Below(4)) {
      case 0:
        for (const ServicePlan& service : other.services) {
          state.locks.push_back(LockOf(other.app, service.service));
        }
        return "holds locks";
      case 1:
        std::erase_if(state.locks, [&](const LockHolder& l) { return l.app == other.app; });
        return "holds no locks";
      case 2:
        if (target == changed.target.apps.end()) return "stays as it is";
        target->gaps.push_back({"invalid-value", "for a test", true});
        return "is blocked";
      default:
        if (target == changed.target.apps.end()) return "stays as it is";
        const std::string id = target->id;
        changed.target.apps.erase(target);
        std::erase_if(state.engine.containers, [&](const ObservedContainer& c) {
          return c.owned && (c.app == other.app || (!id.empty() && c.app == id));
        });
        std::erase_if(state.apps, [&](const AppRecord& r) { return r.app == other.app; });
        images = false;  // Those it shared with others are free now.
        return "is gone";
    }
  }();
  const Plan after = MakePlan(changed.observed, changed.target, changed.options);
  for (const AppPlan& app : plan.apps) {
    if (app.app == other.app) continue;
    const std::string difference = DifferenceFor(app.app, plan, after, images);
    if (difference.empty()) continue;
    findings.push_back({Property::kI15, app.app + " has another plan when " + other.app + " " +
                                            what + ": " + difference});
  }
}

class Walk {
 public:
  Walk(const Scenario& scenario, std::uint64_t seed, Findings& findings)
      : scenario_(scenario),
        state_(scenario.observed),
        options_(scenario.options),
        dice_(seed),
        findings_(findings) {}

  void Random() {
    cuts_ = 3;
    GoOn(kRounds);
    Unlock();
    GoOn(kRounds);
    Rest();
  }

  void AllCuts() {
    if (dice_.Chance(70)) Unlock();
    const Plan plan = Make();
    Simulation simulation(plan, state_, scenario_.target, ContentOf);
    for (std::uint32_t i = 0; i < plan.steps.size() && findings_.empty(); ++i) {
      if (plan.steps[i].status == StepStatus::kHeld || !simulation.IsReady(i)) continue;
      CheckStep(scenario_.target, options_, plan.steps[i], simulation.state(), findings_);
      const bool surprise = IsSurprise(plan.steps[i], simulation.state());
      simulation.Perform(i);
      if (surprise) return;
      for (const Cut cut : {Cut::kLockstep, Cut::kPower}) {
        Walk rest(scenario_, dice_.Next(), findings_);
        rest.state_ = simulation.state();
        Suffer(cut, rest.state_);
        rest.CheckBeside();
        rest.whole_ = true;
        rest.Unlock();
        rest.GoOn(kRoundsAfterCut);
        rest.Rest();
        if (findings_.empty()) continue;
        findings_.back().what += std::string("; after the ") +
                                 (cut == Cut::kPower ? "power" : "process") +
                                 " was cut off behind step " + std::to_string(i);
        return;
      }
    }
  }

 private:
  void Unlock() {
    std::erase_if(state_.locks, [](const LockHolder& holder) { return !holder.ours; });
    options_ = {};
  }

  Plan Make() {
    const ObservedState seen = Seen(scenario_, state_);
    Plan plan = MakePlan(seen, scenario_.target, options_);
    CheckPlan(scenario_.target, seen, options_, plan, findings_);
    return plan;
  }

  void GoOn(int rounds) {
    for (int round = 0; round < rounds; ++round) {
      const Plan plan = Make();
      if (!findings_.empty() || !Perform(plan)) return;
      if (cuts_ > 0 && dice_.Chance(12)) {
        --cuts_;
        Suffer(dice_.Chance(60) ? Cut::kLockstep : Cut::kPower, state_);
        CheckBeside();
      }
      EndSomeJobs();
    }
    const Plan plan = Make();
    std::string left;
    for (const Step& step : plan.steps) {
      if (step.status == StepStatus::kHeld) continue;
      left += " " + std::string(StepKindName(step.kind)) + " " + step.service + " [" +
              step.subject + "]";
    }
    if (!left.empty()) findings_.push_back({Property::kI9, "does not end; still to do:" + left});
  }

  // Some of the plan, in any order that it allows; false where nothing of it can be done now.
  bool Perform(const Plan& plan) {
    Simulation simulation(plan, std::move(state_), scenario_.target, ContentOf);
    std::size_t most = plan.steps.size();
    if (!whole_ && dice_.Chance(60)) most = 1 + (dice_.Chance(50) ? 0 : dice_.Below(4));
    std::size_t done = 0;
    for (; done < most && findings_.empty(); ++done) {
      std::vector<std::uint32_t> ready = simulation.Ready();
      std::erase_if(ready,
                    [&](std::uint32_t i) { return plan.steps[i].status == StepStatus::kHeld; });
      if (ready.empty()) break;
      const std::uint32_t next = dice_.Of(ready);
      CheckStep(scenario_.target, options_, plan.steps[next], simulation.state(), findings_);
      const bool surprise = IsSurprise(plan.steps[next], simulation.state());
      simulation.Perform(next);
      if (surprise) most = 0;
    }
    state_ = std::move(simulation).TakeState();
    return done > 0;
  }

  // A pull of what turns out to be here by another name: no plan can know, the next one does.
  static bool IsSurprise(const Step& step, const ObservedState& state) {
    if (step.kind != StepKind::kPullImage) return false;
    const std::string content = ContentOf(step.subject);
    const auto& images = state.engine.images;
    return std::any_of(images.begin(), images.end(),
                       [&](const auto& i) { return i.id == content; });
  }

  void EndSomeJobs() {
    for (ObservedContainer& container : state_.engine.containers) {
      if (!container.owned || container.state != ContainerState::kRunning || !container.spec) {
        continue;
      }
      const std::string policy = RestartPolicyOf(*container.spec);
      if (policy == "always" || policy == "unless-stopped" || !dice_.Chance(10)) continue;
      container.state = ContainerState::kExited;
      container.exit_code = 0;
      container.health = Health::kNone;
    }
  }

  // What the engine brings back by itself is never two of one service.
  void CheckBeside() {
    if (!scenario_.natural) return;
    for (const ObservedContainer& a : state_.engine.containers) {
      for (const ObservedContainer& b : state_.engine.containers) {
        if (a.id < b.id && a.owned && b.owned && a.app == b.app && a.service == b.service &&
            a.IsUp() && b.IsUp() && !HandsOver(a)) {
          findings_.push_back({Property::kBeside, a.id + " and " + b.id + " came back both"});
        }
      }
    }
  }

  bool HandsOver(const ObservedContainer& container) const {
    for (const TargetApp& app : scenario_.target.apps) {
      if (app.uuid != container.app || !app.release) continue;
      for (const TargetService& service : app.release->services) {
        if (service.name == container.service) return service.strategy == Strategy::kHandOver;
      }
    }
    return false;
  }

  void Rest() {
    if (!findings_.empty()) return;
    const Plan plan = Make();
    CheckRest(scenario_.target, plan, state_, scenario_.natural, findings_);
    CheckStrangers();
  }

  void CheckStrangers() {
    for (const ObservedContainer& before : scenario_.observed.engine.containers) {
      if (before.owned) continue;
      const ObservedContainer* after = state_.FindContainer(before.id);
      if (after == nullptr || after->name != before.name || after->state != before.state ||
          after->restart_policy != before.restart_policy || after->networks != before.networks) {
        findings_.push_back({Property::kI6, "stranger " + before.id + " was touched"});
      }
    }
    const auto& networks = state_.engine.networks;
    for (const ObservedNetwork& before : scenario_.observed.engine.networks) {
      if (before.owned) continue;
      const auto same = [&](const ObservedNetwork& n) { return n.id == before.id; };
      if (std::none_of(networks.begin(), networks.end(), same)) {
        findings_.push_back({Property::kI6, "network " + before.name + " of a stranger went"});
      }
    }
    const auto& volumes = state_.engine.volumes;
    for (const ObservedVolume& before : scenario_.observed.engine.volumes) {
      const AppRecord* record = scenario_.observed.FindApp(before.app);
      if (record != nullptr &&
          std::count(record->purge.begin(), record->purge.end(), before.name)) {
        continue;
      }
      const auto same = [&](const ObservedVolume& v) {
        return v.app == before.app && v.name == before.name && v.config == before.config;
      };
      if (std::none_of(volumes.begin(), volumes.end(), same)) {
        findings_.push_back({Property::kI5, "volume " + before.name + " went"});
      }
    }
  }

  const Scenario& scenario_;
  ObservedState state_;
  PlanOptions options_;
  Dice dice_;
  Findings& findings_;
  int cuts_ = 0;
  bool whole_ = false;  // Performs each plan to its end.
};

}  // namespace

void LookAtPlan(const Scenario& scenario, Findings& findings) {
  const ObservedState seen = Seen(scenario, scenario.observed);
  const Plan plan = MakePlan(seen, scenario.target, scenario.options);
  CheckPlan(scenario.target, seen, scenario.options, plan, findings);
  Dice dice(scenario.seed);
  const Scenario other = Permuted(scenario, dice);
  const Plan same = MakePlan(Seen(other, other.observed), other.target, other.options);
  if (!SamePlan(plan, same))
    findings.push_back({Property::kI12, "another order gives another plan"});
  const Plan again = MakePlan(seen, scenario.target, scenario.options);
  if (!SamePlan(plan, again)) findings.push_back({Property::kI12, "twice gives two plans"});
  for (const Step& step : plan.steps) {
    if (!IsAtRest(scenario.target, scenario.observed, step.app)) continue;
    findings.push_back({Property::kI10, std::string(StepKindName(step.kind)) + " " + step.subject +
                                            ", though nothing is left to do for " + step.app});
  }
  if (scenario.target.apps.size() > 1) CompareApps(scenario, findings);
  if (!seen.locks.empty()) {
    ObservedState unlocked = seen;
    unlocked.locks.clear();
    const Plan free = MakePlan(unlocked, scenario.target, scenario.options);
    const bool same_steps =
        std::equal(plan.steps.begin(), plan.steps.end(), free.steps.begin(), free.steps.end(),
                   [](const Step& a, const Step& b) { return a.id == b.id && a.after == b.after; });
    if (same_steps != (plan.fingerprint == free.fingerprint)) {
      findings.push_back({Property::kI12, "the fingerprint speaks of locks, or not of steps"});
    }
  }
}

void WalkAtRandom(const Scenario& scenario, std::uint64_t seed, Findings& findings) {
  Walk(scenario, seed, findings).Random();
}

void CutEverywhere(const Scenario& scenario, Findings& findings) {
  Walk(scenario, scenario.seed, findings).AllCuts();
}

}  // namespace lockstep::test
