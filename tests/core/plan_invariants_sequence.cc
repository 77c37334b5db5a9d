// What holds of a plan as it is made: what comes when in a cutover, by strategy, and on the way
// back.
#include <algorithm>

#include "lockstep/identity.h"
#include "plan_invariants_parts.h"

namespace lockstep::test {

// What comes when: stops and starts in the span, names after the starts, the commit at the end.
void PlanJudge::JudgeSequence(const AppLook& look) {
  std::vector<std::size_t> starts;
  std::vector<std::size_t> awaits;
  std::size_t release = plan_.steps.size();
  bool hands_over = false;
  for (const auto& [name, service] : look.services) {
    hands_over = hands_over ||
                 (service.target != nullptr && service.target->strategy == Strategy::kHandOver);
  }
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const Step& step = plan_.steps[i];
    if (step.app != look.app) continue;
    if (step.kind == StepKind::kStartContainer) starts.push_back(i);
    if (step.kind == StepKind::kAwaitHealth) awaits.push_back(i);
    if (step.kind == StepKind::kReleaseLocks) release = i;
    const bool commit = step.kind == StepKind::kCommitRelease;
    const bool rename = step.kind == StepKind::kRenameContainer && step.phase == Phase::kCutover;
    for (const std::size_t start : starts) {
      const bool gated = AnyBefore(start, StepKind::kTakeLocks, look.app);
      if (rename && gated && !order_.Before(start, i)) {
        Add(Property::kForm, step, "before " + StepText(plan_.steps[start]));
      }
      if (commit && !order_.Before(start, i)) {
        Add(Property::kI4, step, "before " + StepText(plan_.steps[start]));
      }
    }
    for (const std::size_t await : awaits) {
      if (commit && !order_.Before(await, i)) {
        Add(Property::kI4, step, "before " + StepText(plan_.steps[await]));
      }
    }
  }
  if (release == plan_.steps.size() || hands_over) return;
  for (const std::size_t start : starts) {
    const bool late = std::any_of(awaits.begin(), awaits.end(),
                                  [&](std::size_t await) { return order_.Before(await, start); });
    const bool gated = AnyBefore(start, StepKind::kTakeLocks, look.app);
    if (gated && late == order_.Before(start, release)) {
      Add(Property::kForm, plan_.steps[start], late ? "holds up the locks" : "after the locks");
    }
  }
  for (const std::size_t await : awaits) {
    if (order_.Before(await, release)) {
      Add(Property::kForm, plan_.steps[await], "holds up the locks");
    }
  }
}

// Before the successor starts, the engine is told not to start the old one again.
void PlanJudge::JudgeSetAside(const AppLook& look) {
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const Step& start = plan_.steps[i];
    if (start.app != look.app || start.kind != StepKind::kStartContainer) continue;
    const TargetService* service = FindTargetService(look.target, start.service);
    if (service != nullptr && service->strategy == Strategy::kHandOver) continue;
    for (const ObservedContainer* old : look.services.at(start.service).containers) {
      if (old->id == start.subject || !old->restart_policy || old->restart_policy == "no") continue;
      if (old->state == ContainerState::kCreated || old->state == ContainerState::kDead) continue;
      // An engine remembers what was stopped by hand, but for `always`.
      if (!old->IsUp() && old->restart_policy != "always") continue;
      bool aside = false;
      for (std::size_t k = 0; k < i && !aside; ++k) {
        const Step& step = plan_.steps[k];
        const bool set = step.kind == StepKind::kUpdateContainer && step.detail == "no";
        aside = (set || step.kind == StepKind::kRemoveContainer) && step.subject == old->id &&
                order_.Before(k, i);
      }
      if (!aside) Add(Property::kBeside, start, old->id + " could come back beside it");
    }
  }
}

// By force only locks go that are held, and of services that are interrupted.
void PlanJudge::JudgeDeletedLocks(const AppLook& look) {
  for (const Step& step : plan_.steps) {
    if (step.app != look.app || step.kind != StepKind::kDeleteLock) continue;
    const bool known = std::any_of(look.holders.begin(), look.holders.end(), [&](const auto* h) {
      return h->path == step.subject && h->service == step.service;
    });
    if (!known || !look.forced) Add(Property::kI1, step, "which is no lock to be run over");
  }
}

// Killed, then downloaded; handed over, then stopped.
void PlanJudge::JudgeStrategies(const AppLook& look) {
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const Step& pull = plan_.steps[i];
    if (pull.app != look.app || pull.kind != StepKind::kPullImage ||
        pull.phase == Phase::kPrepare) {
      continue;
    }
    for (std::size_t k = 0; k < plan_.steps.size(); ++k) {
      const Step& stop = plan_.steps[k];
      if (stop.app != look.app || stop.service != pull.service) continue;
      if (stop.kind == StepKind::kStopContainer && !order_.Before(k, i)) {
        Add(Property::kForm, pull, "before the kill");
      }
    }
  }
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const Step& start = plan_.steps[i];
    if (start.app != look.app || start.detail != "hand-over") continue;
    for (std::size_t k = i; k < plan_.steps.size(); ++k) {
      const Step& stop = plan_.steps[k];
      if (stop.app == look.app && stop.service == start.service &&
          stop.kind == StepKind::kStopContainer && !AnyBetween(i, k, StepKind::kAwaitHandover)) {
        Add(Property::kForm, stop, "before the hand-over");
      }
    }
  }
}

// A release that failed goes, and what ran before runs again: all of it.
void PlanJudge::JudgeWayBack(const AppLook& look) {
  const auto back = std::find_if(plan_.steps.begin(), plan_.steps.end(), [&](const Step& step) {
    return step.app == look.app && step.kind == StepKind::kCommitRelease && step.detail == "back";
  });
  // Of one release, what is new cannot be told from what ran before.
  if (back == plan_.steps.end() || look.record.committed == look.to()) return;
  const auto commit = static_cast<std::size_t>(back - plan_.steps.begin());
  const auto has = [&](StepKind kind, const ObservedContainer& c) {
    for (std::size_t i = 0; i < commit; ++i) {
      const Step& step = plan_.steps[i];
      if (step.kind == kind && step.subject == c.id && order_.Before(i, commit)) return true;
    }
    return false;
  };
  const auto runs_then = [&](const ServiceLook& service) {
    return std::any_of(service.containers.begin(), service.containers.end(),
                       [&](const ObservedContainer* c) {
                         return (c->IsUp() && !has(StepKind::kStopContainer, *c)) ||
                                has(StepKind::kStartContainer, *c);
                       });
  };
  // Nor can it start where what it shares does not run.
  const auto could_start = [&](const ObservedContainer& c) {
    const auto shared = c.spec ? SharedServicesOf(*c.spec) : std::vector<std::string>{};
    const auto ids = SharedContainersOf(c.labels);
    const auto there = [&](const auto& id) {
      const ObservedContainer* its = FindContainer(state_, id);
      return its != nullptr && its->state != ContainerState::kRemoving;
    };
    const TargetService* service = FindTargetService(look.target, c.service);
    if (service != nullptr && !IsToRun(look.target, *service, look.record)) return false;
    return CouldStart(look, c) && std::all_of(ids.begin(), ids.end(), there) &&
           std::all_of(shared.begin(), shared.end(),
                       [&](const auto& s) { return runs_then(look.services.at(s)); });
  };
  for (const auto& [name, service] : look.services) {
    const auto& stopped = look.record.stopped;
    if (std::count(stopped.begin(), stopped.end(), name) != 0) continue;
    const ObservedContainer* down = nullptr;
    for (const ObservedContainer* c : service.containers) {
      const auto& ids = look.record.interrupted;
      const bool interrupted = std::find(ids.begin(), ids.end(), c->id) != ids.end();
      if (c->commit == look.record.committed && interrupted && !c->start_failed &&
          could_start(*c) && c->state == ContainerState::kExited) {
        down = c;
      }
    }
    if (down != nullptr && !runs_then(service)) {
      Add(Property::kI4, *back, down->id + " ran before and stays down");
    }
  }
}

}  // namespace lockstep::test
