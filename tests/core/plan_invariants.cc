// What holds of a plan as it is made: its form, what it may touch and when.
#include "plan_invariants.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

#include "lockstep/step_request.h"
#include "plan_facts.h"
#include "plan_invariants_parts.h"

namespace lockstep::test {
namespace {

constexpr std::array<const char*, kProperties> kNames = {
    "I1",  "I2",  "I3",  "I4",  "I5",  "I6",   "I7",     "I9",     "I10",
    "I11", "I12", "I13", "I14", "I15", "form", "engine", "beside", "kept"};

constexpr std::array<std::string_view, 7> kServices = {"api", "bus", "cam", "db",
                                                       "job", "log", "web"};

bool IsPrepared(const Step& step) {
  return step.phase == Phase::kPrepare || step.kind == StepKind::kPullImage ||
         step.kind == StepKind::kCreateNetwork || step.kind == StepKind::kCreateVolume ||
         step.kind == StepKind::kCreateContainer;
}

}  // namespace

const char* PropertyName(Property property) { return kNames[static_cast<std::size_t>(property)]; }

std::string KindOf(const Finding& finding) {
  std::istringstream words(finding.what.substr(0, finding.what.find(';')));
  std::string kind = PropertyName(finding.property);
  for (std::string word; words >> word;) {
    const bool name = word.starts_with("app") || word.starts_with("/") || word.starts_with("[") ||
                      word.find_first_of("0123456789") != std::string::npos ||
                      std::find(kServices.begin(), kServices.end(), word) != kServices.end();
    kind += name ? " _" : " " + word;
  }
  return kind;
}

std::string StepText(const Step& step) {
  std::string text(StepKindName(step.kind));
  text += " " + step.app + "/" + step.service + " [" + step.subject + "]";
  return step.detail.empty() ? text : text + " (" + step.detail + ")";
}

PlanJudge::PlanJudge(const Target& target, const ObservedState& state, const PlanOptions& options,
                     const Plan& plan, Findings& findings)
    : target_(target),
      state_(state),
      options_(options),
      plan_(plan),
      order_(plan),
      looks_(LookAt(target, state, options)),
      findings_(findings) {}

void PlanJudge::Judge() {
  JudgeForm();
  JudgeStatuses();
  for (const auto& [app, look] : looks_) {
    JudgeScope(look);
    JudgeGate(look);
    JudgeUnchanged(look);
    JudgeRestarts(look);
    JudgeStarts(look);
    JudgeStops(look);
    JudgeSequence(look);
    JudgeSetAside(look);
    JudgeDeletedLocks(look);
    JudgeStrategies(look);
    JudgeWayBack(look);
  }
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) JudgeSubject(i);
  JudgeDevice();
}

// Settings are written where they differ; locks go when the lasting override is set, and then
// alone.
void PlanJudge::JudgeDevice() {
  const auto value = [](const std::map<std::string, std::string>& config, const std::string& key) {
    const auto it = config.find(key);
    return it == config.end() ? std::string() : it->second;
  };
  const std::string override_key = "BALENA_SUPERVISOR_OVERRIDE_LOCK";
  const bool sets = value(target_.config, override_key) == "1" &&
                    value(state_.config, override_key) != "1" && target_.whole_device;
  for (const Step& step : plan_.steps) {
    if (!step.app.empty()) continue;
    if (step.phase != Phase::kConfig || step.disruptive) {
      Add(Property::kForm, step, "of no app, and no configuration");
    } else if (step.kind == StepKind::kWriteConfig) {
      const bool differs =
          value(target_.config, step.subject) != value(state_.config, step.subject);
      if (!target_.whole_device || !differs) Add(Property::kI10, step, "which is so already");
    } else if (step.kind == StepKind::kDeleteLock) {
      const bool known =
          std::any_of(state_.locks.begin(), state_.locks.end(), [&](const LockHolder& holder) {
            return holder.path == step.subject && holder.held && !holder.ours;
          });
      if (!known || !sets) Add(Property::kI1, step, "which is no lock to be deleted");
    } else {
      Add(Property::kForm, step, "of no app");
    }
  }
}

bool PlanJudge::AnyBefore(std::size_t then, StepKind kind, const std::string& app) const {
  for (std::size_t i = 0; i < then; ++i) {
    const Step& step = plan_.steps[i];
    if (step.kind == kind && step.app == app && order_.Before(i, then)) return true;
  }
  return false;
}

bool PlanJudge::AnyBetween(std::size_t first, std::size_t then, StepKind kind) const {
  for (std::size_t i = first; i < then; ++i) {
    const Step& step = plan_.steps[i];
    if (step.kind == kind && step.app == plan_.steps[then].app &&
        step.service == plan_.steps[then].service && order_.Before(first, i) &&
        order_.Before(i, then)) {
      return true;
    }
  }
  return false;
}

const AppPlan* PlanJudge::PlanOf(const std::string& app) const {
  const auto it = std::find_if(plan_.apps.begin(), plan_.apps.end(),
                               [&](const AppPlan& a) { return a.app == app; });
  return it == plan_.apps.end() ? nullptr : &*it;
}

void PlanJudge::JudgeForm() {
  std::set<StepId> ids;
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const Step& step = plan_.steps[i];
    if (step.id.value == 0 || !ids.insert(step.id).second) {
      Add(Property::kForm, step, "its id is not its own");
    }
    if (!step.app.empty() && PlanOf(step.app) == nullptr) {
      Add(Property::kForm, step, "of an app that has no plan");
    }
    for (std::size_t k = 0; k < step.after.size(); ++k) {
      const std::uint32_t before = step.after[k];
      if (before >= i) {
        Add(Property::kForm, step, "comes after a step that is not earlier");
      } else if (plan_.steps[before].app != step.app) {
        Add(Property::kI15, step, "waits for a step of another app");
      }
      if (k > 0 && step.after[k - 1] >= before) Add(Property::kForm, step, "`after` is unsorted");
    }
    if (!step.disruptive && Interrupts(plan_, i, state_)) {
      Add(Property::kForm, step, "interrupts, and does not say so");
    }
  }
  for (std::size_t i = 1; i < plan_.apps.size(); ++i) {
    if (plan_.apps[i - 1].app >= plan_.apps[i].app) Add(Property::kForm, "apps are unsorted");
  }
}

void PlanJudge::JudgeStatuses() {
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const Step& step = plan_.steps[i];
    if (step.kind == StepKind::kWriteConfig || step.kind == StepKind::kReboot) continue;
    const auto look = looks_.find(step.app);
    if (look == looks_.end()) continue;
    if (look->second.paused) {
      JudgePaused(i);
      continue;
    }
    const bool locked = !look->second.holders.empty() && !look->second.forced;
    const auto waits_for_lock = [&](std::size_t k) {
      return plan_.steps[k].kind == StepKind::kTakeLocks && locked;
    };
    bool held = waits_for_lock(i);
    for (std::size_t k = 0; k < i && !held; ++k) held = order_.Before(k, i) && waits_for_lock(k);
    const StepStatus expected = held                 ? StepStatus::kHeld
                                : step.after.empty() ? StepStatus::kReady
                                                     : StepStatus::kWaiting;
    if (step.status != expected) {
      Add(Property::kForm, step,
          "is " + std::string(StepStatusName(step.status)) + ", not " +
              std::string(StepStatusName(expected)));
    }
  }
  std::set<PlanStatus> all;
  for (const AppPlan& app : plan_.apps) {
    JudgeAppStatus(app);
    all.insert(app.status);
  }
  PlanStatus whole = PlanStatus::kInSync;
  for (const PlanStatus status : {PlanStatus::kBlocked, PlanStatus::kReady, PlanStatus::kHeld}) {
    if (all.count(status) != 0) whole = status;
  }
  if (plan_.status != whole && plan_.config.empty()) {
    Add(Property::kForm, "the plan's status is " + std::string(PlanStatusName(plan_.status)));
  }
}

// While a person wants the app to be left as it runs, nothing that runs is touched.
void PlanJudge::JudgePaused(std::size_t i) {
  const Step& step = plan_.steps[i];
  bool behind = false;
  for (const std::uint32_t before : step.after) {
    behind = behind || plan_.steps[before].status == StepStatus::kHeld;
  }
  if (step.status == StepStatus::kHeld) return;
  if (behind) Add(Property::kForm, step, "is not held, and what comes before it is");
  const ObservedContainer* container = FindContainer(state_, step.subject);
  const bool touches = container != nullptr && container->IsUp();
  const bool awaits = step.kind == StepKind::kAwaitHealth;
  const bool prepares = step.phase == Phase::kPrepare && !touches;
  const bool starts = step.kind == StepKind::kStartContainer && !touches &&
                      !AnyBefore(i, StepKind::kTakeLocks, step.app);
  const bool for_start = !touches && (step.kind == StepKind::kUpdateContainer ||
                                      step.kind == StepKind::kConnectNetwork);
  const bool remembers = step.kind == StepKind::kCommitRelease;
  const bool makes = step.kind == StepKind::kCreateNetwork || step.kind == StepKind::kPullImage ||
                     step.kind == StepKind::kCreateContainer;
  if (prepares || starts || awaits || for_start || remembers || makes) return;
  Add(Property::kI1, step, "is not held, though the app is paused");
}

void PlanJudge::JudgeAppStatus(const AppPlan& app) {
  bool steps = false;
  bool held = false;
  for (const Step& step : plan_.steps) {
    steps = steps || step.app == app.app;
    held = held || (step.app == app.app && step.status == StepStatus::kHeld);
  }
  const bool blocked =
      std::any_of(app.gaps.begin(), app.gaps.end(), [](const Gap& gap) { return gap.blocks; });
  const PlanStatus expected = held      ? PlanStatus::kHeld
                              : steps   ? PlanStatus::kReady
                              : blocked ? PlanStatus::kBlocked
                                        : PlanStatus::kInSync;
  const bool way_out = steps && blocked && app.status == PlanStatus::kBlocked;
  if (app.status != expected && !way_out) {
    const Property property = expected == PlanStatus::kInSync || app.status == PlanStatus::kInSync
                                  ? Property::kI10
                                  : Property::kForm;
    Add(property, app.app + ": status " + std::string(PlanStatusName(app.status)) + ", not " +
                      std::string(PlanStatusName(expected)));
  }
  const auto look = looks_.find(app.app);
  if (look == looks_.end()) return Add(Property::kForm, app.app + ": an app of nowhere");
  const std::size_t pauses = look->second.record.paused ? 1 : 0;
  if (app.holders.size() != look->second.holders.size() + pauses &&
      !(look->second.target != nullptr && look->second.target->is_host)) {
    Add(Property::kForm, app.app + ": " + std::to_string(app.holders.size()) + " holders, not " +
                             std::to_string(look->second.holders.size()));
  }
}

// What the target does not speak of, or what cannot be read, is left alone.
void PlanJudge::JudgeScope(const AppLook& look) {
  const AppPlan* app = PlanOf(look.app);
  const bool nothing_runs =
      look.services.empty() &&
      std::none_of(state_.engine.networks.begin(), state_.engine.networks.end(),
                   [&](const ObservedNetwork& network) {
                     return network.owned && UuidOf(target_, network.app) == look.app;
                   });
  const bool asked = look.record.remove || (nothing_runs && !look.record.purge.empty());
  const bool spoken_of = look.target != nullptr || target_.whole_device || asked;
  if (app == nullptr && spoken_of) Add(Property::kForm, look.app + ": has no plan");
  if (app != nullptr && !spoken_of) Add(Property::kI13, look.app + ": the target is silent on it");
  bool blocks = false;
  if (look.target != nullptr) {
    blocks = look.target->is_host || std::any_of(look.target->gaps.begin(), look.target->gaps.end(),
                                                 [](const Gap& gap) { return gap.blocks; });
  }
  blocks = blocks || look.HasFailed();
  const bool cycle = look.release != nullptr && HasCycle(*look.release);
  if (cycle && !look.target->is_host) {
    const bool said =
        app != nullptr && std::any_of(app->gaps.begin(), app->gaps.end(), [](const Gap& gap) {
          return gap.code == "dependency-cycle" && gap.blocks && !gap.message.empty();
        });
    if (!said) Add(Property::kI14, look.app + ": a cycle, and no gap says so");
  }
  for (const Step& step : plan_.steps) {
    if (step.app != look.app || step.kind == StepKind::kReleaseLocks) continue;
    // Of a release that is not tried again nothing is kept.
    const bool cleans =
        step.kind == StepKind::kRemoveImage && look.HasFailed() && !look.record.cutover;
    if (!spoken_of || (blocks && !look.GoesBack() && !cleans)) {
      Add(Property::kI13, step, "though nothing may change there");
    }
    if (cycle) Add(Property::kI14, step, "though its dependencies form a cycle");
    if (step.kind == StepKind::kPurgeVolume &&
        std::count(look.record.purge.begin(), look.record.purge.end(), step.subject) == 0) {
      Add(Property::kI5, step, "though nobody asked for it");
    }
  }
}

// I1 to I3: what is interrupted, is so inside a span, when all is ready and nobody objects.
void PlanJudge::JudgeGate(const AppLook& look) {
  std::vector<std::size_t> takes;
  std::vector<std::size_t> releases;
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    if (plan_.steps[i].app != look.app) continue;
    if (plan_.steps[i].kind == StepKind::kTakeLocks) takes.push_back(i);
    if (plan_.steps[i].kind == StepKind::kReleaseLocks) releases.push_back(i);
  }
  if (takes.size() > 1 || releases.size() > 1) Add(Property::kI2, look.app + ": two spans");
  const bool span = look.has_span || !takes.empty();
  if (span && releases.empty() && PlanOf(look.app) != nullptr &&
      !(look.target != nullptr && look.target->is_host)) {
    Add(Property::kI2, look.app + ": locks are not given back");
  }
  if (!takes.empty()) JudgeTake(look, takes.front());
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const Step& step = plan_.steps[i];
    if (step.app != look.app || !Interrupts(plan_, i, state_)) continue;
    if (!look.holders.empty() && !look.forced && !look.has_span &&
        step.status != StepStatus::kHeld) {
      Add(Property::kI1, step, "is not held, though " + look.holders.front()->path + " is");
    }
    if (!look.has_span && (takes.empty() || !order_.Before(takes.front(), i))) {
      Add(Property::kI2, step, "not after take-locks");
    }
    if (releases.empty() || !order_.Before(i, releases.front())) {
      Add(Property::kI2, step, "not before release-locks");
    }
    JudgePrepared(look, i);
  }
}

void PlanJudge::JudgeTake(const AppLook& look, std::size_t take) {
  const Step& step = plan_.steps[take];
  if (look.has_span) Add(Property::kI2, step, "though they are held");
  const StepRequest request = BuildRequest(step, plan_, state_, target_, DeviceInfo{});
  const auto& locks = std::get<TakeLocksRequest>(request);
  std::multiset<std::string> taken;
  for (const auto* list : {&locks.services, &locks.forced}) {
    for (const ServiceRef& ref : *list) taken.insert(ref.service);
    if (!std::is_sorted(list->begin(), list->end())) Add(Property::kI2, step, "not in order");
  }
  if (!locks.forced.empty() && !look.forced) Add(Property::kI1, step, "by force");
  for (const auto& [name, service] : look.services) {
    // By force, a service that is not interrupted keeps its lock.
    const bool spared =
        look.forced && std::any_of(look.holders.begin(), look.holders.end(),
                                   [&name = name](const auto* h) { return h->service == name; });
    const bool interrupted =
        std::any_of(plan_.steps.begin(), plan_.steps.end(), [&, &name = name](const Step& s) {
          return s.app == look.app && s.service == name && Interrupts(s, state_);
        });
    const std::size_t times = taken.count(name);
    if (times > 1 || (times == 0 && (!spared || interrupted))) {
      Add(Property::kI2, step, "takes that of " + name + " " + std::to_string(times) + " times");
    }
  }
  for (const std::string& name : taken) {
    const auto& all = state_.engine.containers;
    const bool known = look.services.count(name) != 0 ||
                       std::any_of(all.begin(), all.end(), [&](const ObservedContainer& c) {
                         return c.owned && c.service == name;  // On its way out.
                       });
    if (!known) Add(Property::kI2, step, "takes that of " + name + ", which is no service");
  }
}

void PlanJudge::JudgePrepared(const AppLook& look, std::size_t stop) {
  // A service that is downloaded after it stopped, and what depends on one, may stop early.
  std::set<std::string> early;
  for (const auto& [name, service] : look.services) {
    if (service.target != nullptr && IsLate(service.target->strategy)) early.insert(name);
  }
  const std::set<std::string> late = early;
  for (std::size_t before = 0; before != early.size();) {
    before = early.size();
    for (const auto& [name, service] : look.services) {
      for (const std::string& on : AnyDependencies(service)) {
        if (early.count(on) != 0) early.insert(name);
      }
    }
  }
  const std::set<std::string> made_in_span = MadeInSpan(look, target_, state_);
  const bool stops_early = early.count(plan_.steps[stop].service) != 0;
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const Step& step = plan_.steps[i];
    if (step.app != look.app || !IsPrepared(step) || order_.Before(i, stop)) continue;
    if (step.phase != Phase::kPrepare) {
      const bool creates = step.kind == StepKind::kCreateContainer;
      const bool pulls = step.kind == StepKind::kPullImage;
      if (creates && made_in_span.count(step.service) != 0) continue;
      if (pulls && stops_early && late.count(step.service) != 0) continue;
      if (!creates && !pulls && IsMadeAnew(i)) continue;
    }
    Add(Property::kI3, plan_.steps[stop], "not after " + StepText(step));
  }
}

// The network or volume goes before it is made.
bool PlanJudge::IsMadeAnew(std::size_t create) const {
  const Step& step = plan_.steps[create];
  for (std::size_t i = 0; i < create; ++i) {
    const Step& other = plan_.steps[i];
    const bool goes =
        other.kind == StepKind::kRemoveNetwork || other.kind == StepKind::kPurgeVolume;
    if (goes && other.app == step.app && other.subject == step.subject &&
        order_.Before(i, create)) {
      return true;
    }
  }
  return step.detail == "back";
}

// I6: everything that a step acts on is there and ours.
void PlanJudge::JudgeSubject(std::size_t i) {
  const Step& step = plan_.steps[i];
  switch (step.kind) {
    case StepKind::kStopContainer:
    case StepKind::kStartContainer:
    case StepKind::kRenameContainer:
    case StepKind::kUpdateContainer:
    case StepKind::kConnectNetwork:
    case StepKind::kDisconnectNetwork:
    case StepKind::kAwaitHealth:
    case StepKind::kAwaitHandover:
    case StepKind::kRemoveContainer:
      return JudgeContainer(i);
    case StepKind::kRemoveNetwork: {
      const auto& networks = state_.engine.networks;
      const bool ours = std::any_of(networks.begin(), networks.end(), [&](const auto& n) {
        return n.owned && UuidOf(target_, n.app) == step.app && n.name == step.subject;
      });
      if (!ours) Add(Property::kI6, step, "not our network");
      return;
    }
    case StepKind::kRemoveImage:
      return JudgeImage(i);
    default:
      return;
  }
}

void PlanJudge::JudgeContainer(std::size_t i) {
  const Step& step = plan_.steps[i];
  if (const ObservedContainer* container = FindContainer(state_, step.subject)) {
    if (!container->owned) Add(Property::kI6, step, "not our container");
    if (UuidOf(target_, container->app) != step.app || container->service != step.service) {
      Add(Property::kI6, step, "a container of somebody else");
    }
    if (container->state == ContainerState::kRemoving) {
      Add(Property::kEngine, step, "a container that is being removed");
    }
    return;
  }
  for (std::size_t k = 0; k < i; ++k) {
    const Step& create = plan_.steps[k];
    if (create.kind == StepKind::kCreateContainer && create.app == step.app &&
        create.service == step.service && create.subject == step.subject && order_.Before(k, i)) {
      return;
    }
  }
  Add(Property::kI6, step, "neither a container nor one that is made before");
}

void PlanJudge::JudgeImage(std::size_t i) {
  const Step& step = plan_.steps[i];
  const auto look = looks_.find(step.app);
  bool ours = false;
  if (look != looks_.end()) {
    const auto& retired = look->second.record.retired;
    ours = std::count(retired.begin(), retired.end(), step.subject) != 0;
  }
  for (const ObservedContainer& c : state_.engine.containers) {
    if (c.image_id != step.subject) continue;
    ours = ours || (c.owned && UuidOf(target_, c.app) == step.app);
    bool gone = false;
    for (std::size_t k = 0; k < i && !gone; ++k) {
      gone = plan_.steps[k].kind == StepKind::kRemoveContainer && plan_.steps[k].subject == c.id &&
             order_.Before(k, i);
    }
    if (!gone) Add(Property::kI6, step, "container " + c.id + " runs on it");
  }
  if (!ours) Add(Property::kI6, step, "no container of the app ran on it");
  for (const TargetApp& app : target_.apps) {
    if (!app.release || looks_.at(app.uuid).HasFailed()) continue;
    for (const TargetService& service : app.release->services) {
      if (LocalImage(state_, service.spec.image) == step.subject) {
        Add(Property::kI6, step, "service " + service.name + " needs it");
      }
    }
  }
}

void CheckPlan(const Target& target, const ObservedState& observed, const PlanOptions& options,
               const Plan& plan, Findings& findings) {
  PlanJudge(target, observed, options, plan, findings).Judge();
}

}  // namespace lockstep::test
