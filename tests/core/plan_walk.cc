#include "plan_walk.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lockstep/simulate.h"
#include "plan_dump.h"
#include "plan_facts.h"

namespace lockstep::test {
namespace {

// More than any way needs: a way that takes longer does not end.
constexpr int kRounds = 60;
constexpr int kRoundsAfterCut = 8;

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

  void Back(bool cut) {
    cut_back_ = cut;
    unhealthy_ = 30;
    cuts_ = 3;
    NoteWhatRuns();
    GoOn(kRounds);
    Unlock();
    GoOn(kRounds);
    Rest();
  }

  void AllCuts() {
    if (dice_.Chance(70)) Unlock();
    CutFromHere();
  }

 private:
  void CutFromHere() {
    const Plan plan = Make();
    const ObservedState& before = state_;
    Simulation simulation(plan, state_, scenario_.target, ContentOf);
    for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
      if (plan.steps[i].status == StepStatus::kHeld || !simulation.IsReady(i)) continue;
      Check(before, plan.steps[i], simulation.state());
      const bool surprise = IsSurprise(plan.steps[i], simulation.state());
      Note(plan.steps[i], simulation.state());
      simulation.Perform(i);
      if (surprise) return;
      std::size_t known = findings_.size();
      for (const Cut cut : {Cut::kLockstep, Cut::kPower}) {
        Walk rest(*this);
        rest.dice_ = Dice(dice_.Next());
        rest.options_ = scenario_.options;
        rest.known_policies_.clear();
        rest.cuts_ = 0;
        rest.unhealthy_ = 0;
        rest.state_ = simulation.state();
        if (cut == Cut::kPower) rest.power_cut_ = true;
        Suffer(cut, rest.state_);
        rest.CheckBeside();
        rest.whole_ = true;
        rest.Unlock();
        rest.GoOn(kRoundsAfterCut);
        rest.Rest();
        for (; known < findings_.size(); ++known) {
          findings_[known].what += std::string("; after the ") +
                                   (cut == Cut::kPower ? "power" : "process") +
                                   " was cut off behind step " + std::to_string(i);
        }
      }
    }
  }

  // Locks are given back, nobody is paused, and what the engine is removing goes.
  void Unlock() {
    for (AppRecord& record : state_.apps) record.paused = false;
    std::erase_if(state_.engine.containers, [](const ObservedContainer& container) {
      return container.owned && container.state == ContainerState::kRemoving;
    });
    std::erase_if(state_.locks, [](const LockHolder& holder) { return !holder.ours; });
    options_.force = false;
  }

  Plan Make() {
    ObservedState seen = Seen(scenario_, state_);
    for (ObservedContainer& container : seen.engine.containers) {
      if (known_policies_.count(container.id) == 0) continue;
      container.restart_policy = state_.FindContainer(container.id)->restart_policy;
    }
    Plan plan = MakePlan(seen, scenario_.target, options_);
    const std::size_t known = findings_.size();
    CheckPlan(scenario_.target, seen, options_, plan, findings_);
    Locate(known, state_);
    return plan;
  }

  // Says of new findings what the plan was made of.
  void Locate(std::size_t known, const ObservedState& made_of) {
    if (known == findings_.size()) return;
    Scenario here = scenario_;
    here.observed = made_of;
    here.options = options_;
    const std::string where = Describe(here);
    for (; known < findings_.size(); ++known) findings_[known].where = where;
  }

  void Check(const ObservedState& made_of, const Step& step, const ObservedState& now) {
    const std::size_t known = findings_.size();
    CheckStep(scenario_.target, options_, step, now, findings_);
    if (known < findings_.size()) Locate(known, made_of);
  }

  void GoOn(int rounds) {
    for (int round = 0; round < rounds; ++round) {
      const Plan plan = Make();
      if (!Perform(plan)) return;
      if (cuts_ > 0 && dice_.Chance(12)) {
        --cuts_;
        const Cut cut = dice_.Chance(60) ? Cut::kLockstep : Cut::kPower;
        power_cut_ |= cut == Cut::kPower;
        Suffer(cut, state_);
        known_policies_.clear();
        CheckBeside();
      }
      if (ran_.empty()) EndSomeJobs();
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
    const ObservedState before = state_;
    Simulation simulation(plan, std::move(state_), scenario_.target, ContentOf);
    std::size_t most = plan.steps.size();
    if (!whole_ && dice_.Chance(60)) most = 1 + (dice_.Chance(50) ? 0 : dice_.Below(4));
    std::size_t done = 0;
    for (; done < most; ++done) {
      std::vector<std::uint32_t> ready = simulation.Ready();
      std::erase_if(ready,
                    [&](std::uint32_t i) { return plan.steps[i].status == StepStatus::kHeld; });
      if (ready.empty()) break;
      const std::uint32_t next = dice_.Of(ready);
      if (plan.steps[next].kind == StepKind::kAwaitHealth && dice_.Chance(unhealthy_) &&
          IsWayBack(plan.steps[next].app, simulation.state())) {
        state_ = std::move(simulation).TakeState();
        GoBackFrom(plan.steps[next]);
        return true;
      }
      Check(before, plan.steps[next], simulation.state());
      const bool surprise = IsSurprise(plan.steps[next], simulation.state());
      Note(plan.steps[next], simulation.state());
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

  // What runs of the release that is committed, where no cutover is under way.
  void NoteWhatRuns() {
    if (!scenario_.natural) return;
    for (const auto& [app, look] : LookAt(scenario_.target, state_, {})) {
      if (look.record.cutover || !look.record.interrupted.empty()) continue;
      for (const auto& [name, service] : look.services) {
        for (const ObservedContainer* c : service.containers) {
          if (c->IsUp() && c->commit == look.record.committed) ran_[app].push_back(*c);
        }
      }
    }
  }

  // As a Session decides, which makes its plan anew after each step.
  bool IsWayBack(const std::string& app, const ObservedState& state) {
    const AppRecord* record = state.FindApp(app);
    const Plan plan = MakePlan(Seen(scenario_, state), scenario_.target, options_);
    const auto its = std::find_if(plan.apps.begin(), plan.apps.end(),
                                  [&](const AppPlan& a) { return a.app == app; });
    return record != nullptr && record->cutover && its->to == record->cutover &&
           its->no_way_back.empty();
  }

  void GoBackFrom(const Step& step) {
    AppRecord& record = state_.AppFor(step.app);
    record.failed.push_back(*record.cutover);
    record.unhealthy[*record.cutover] = {step.service};
    went_back_.insert(step.app);
    if (std::exchange(cut_back_, false)) {
      Walk rest(*this);
      rest.CutFromHere();
    }
  }

  // It runs what it ran, and nothing else.
  void CheckBack() {
    const auto looks = LookAt(scenario_.target, state_, {});
    for (const std::string& app : went_back_) {
      const AppLook& look = looks.at(app);
      const auto add = [&, name = &app](Property property, const std::string& what) {
        findings_.push_back({property, "went back: " + *name + ": " + what});
      };
      const AppRecord& record = look.record;
      if (record.cutover) add(Property::kI9, "the way back has not ended");
      if (!record.interrupted.empty() || !record.renamed.empty()) {
        add(Property::kI9, "what was done is still remembered");
      }
      if (look.has_span) add(Property::kI9, "its locks are still held");
      const auto ran = ran_.find(app);
      if (ran == ran_.end()) continue;
      for (const auto& [name, service] : look.services) {
        for (const ObservedContainer* c : service.containers) {
          const bool other = c->commit == look.to() && record.committed != look.to();
          if (other) add(Property::kI4, c->id + " is of the release that failed");
        }
      }
      const auto is_stopped = [&](const std::string& service) {  // By a person.
        return std::count(record.stopped.begin(), record.stopped.end(), service) != 0;
      };
      for (const ObservedContainer& before : ran->second) {
        const auto shared =
            before.spec ? SharedServicesOf(*before.spec) : std::vector<std::string>();
        const auto is_down = [&](const std::string& service) {  // Nothing can join it.
          const auto it = look.services.find(service);
          return it == look.services.end() ||
                 std::none_of(it->second.containers.begin(), it->second.containers.end(),
                              [](const ObservedContainer* c) { return c->IsUp(); });
        };
        const bool stays_down =
            is_stopped(before.service) || std::any_of(shared.begin(), shared.end(), is_down);
        if (stays_down) continue;
        const ObservedContainer* now = FindContainer(state_, before.id);
        if (now == nullptr) {
          add(Property::kKept, before.id + " ran before and is gone");
          continue;
        }
        const std::string policy = before.restart_policy.value_or("no");
        const bool comes_back = policy == "always" || policy == "unless-stopped";
        // A job that was waited for.
        const bool done = now->exit_code == 0 && interrupted_.count(now->id) == 0;
        if (!now->IsUp() && (comes_back || !(power_cut_ || done))) {
          add(Property::kI4, before.id + " ran before and is down");
        }
        if (now->name != before.name) add(Property::kI4, before.id + " is called " + now->name);
      }
    }
  }

  // What is stopped must run again or go, whatever Lockstep remembers.
  void Note(const Step& step, const ObservedState& before) {
    const ObservedContainer* container = FindContainer(before, step.subject);
    if (container == nullptr) return;
    if (step.kind == StepKind::kStopContainer && container->IsUp()) {
      interrupted_.insert(container->id);
    }
    if (step.kind == StepKind::kStartContainer || step.kind == StepKind::kRemoveContainer) {
      interrupted_.erase(container->id);
    }
    if (step.kind == StepKind::kUpdateContainer) known_policies_.insert(container->id);
  }

  void CheckInterrupted(const Plan& plan) {
    if (!scenario_.natural) return;
    const auto looks = LookAt(scenario_.target, state_, {});
    for (const AppPlan& app : plan.apps) {
      const auto at = looks.find(app.app);
      if (at == looks.end() || app.status != PlanStatus::kInSync) continue;
      const AppLook& look = at->second;
      for (const auto& [name, service] : look.services) {
        if (service.target == nullptr || look.release == nullptr ||
            !IsToRun(look.target, *service.target, look.record)) {
          continue;
        }
        for (const ObservedContainer* c : service.containers) {
          if (interrupted_.count(c->id) == 0 || c->IsUp()) continue;
          findings_.push_back({Property::kI9, "at rest: " + app.app + ": " + name +
                                                  " was stopped and is not started"});
        }
      }
    }
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
    const Plan plan = Make();
    const std::size_t known = findings_.size();
    CheckRest(scenario_.target, plan, Known(state_), scenario_.natural, findings_);
    CheckStrangers();
    CheckInterrupted(plan);
    CheckBack();
    Locate(known, state_);
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
  std::set<std::string> known_policies_;  // Of what was updated since Lockstep began.
  std::set<std::string> interrupted_;     // Stopped by steps, and not started since.
  std::map<std::string, std::vector<ObservedContainer>> ran_;  // By app, before it all.
  std::set<std::string> went_back_;                            // Apps.
  unsigned unhealthy_ = 0;  // Of a hundred waits: it does not become healthy.
  bool cut_back_ = false;
  bool power_cut_ = false;
  int cuts_ = 0;
  bool whole_ = false;  // Performs each plan to its end.
};

}  // namespace

void WalkAtRandom(const Scenario& scenario, std::uint64_t seed, Findings& findings) {
  Walk(scenario, seed, findings).Random();
}

void WalkBack(const Scenario& scenario, std::uint64_t seed, bool cut, Findings& findings) {
  Walk(scenario, seed, findings).Back(cut);
}

void CutEverywhere(const Scenario& scenario, Findings& findings) {
  Walk(scenario, scenario.seed, findings).AllCuts();
}

}  // namespace lockstep::test
