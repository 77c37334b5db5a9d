// Two plans side by side: of the same input, of the same in another order, and of one that differs
// in what must not matter.
#include <algorithm>
#include <utility>

#include "plan_walk.h"

namespace lockstep::test {
namespace {

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
    for (const std::uint32_t before : step.after) {
      const Step& other = plan.steps[before];
      if (images || other.kind != StepKind::kRemoveImage) ids.push_back(other.id);
    }
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
    const bool both = s != nullptr && t != nullptr;
    // Whether one is ready or waiting may depend on the removal of an image, too.
    if (both && (images ? SameStep(*s, *t) : s->id == t->id) && x.after[i] == y.after[i]) continue;
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
    if (step.app.empty()) continue;  // Judged by what differs.
    if (!IsAtRest(scenario.target, Known(scenario.observed), step.app)) continue;
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

}  // namespace lockstep::test
