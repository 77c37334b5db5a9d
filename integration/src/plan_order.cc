#include "plan_order.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace lockstep {
namespace {

enum class Object { kNone, kService, kImage, kSubject };

struct GroupWords {
  StepKind kind;
  std::string_view one;
  std::string_view many;
  Object object;
};

constexpr std::array kGroupWords = {
    GroupWords{StepKind::kCheckImage, "ask the registry for", "ask the registry for",
               Object::kImage},
    GroupWords{StepKind::kPullImage, "download", "download", Object::kImage},
    GroupWords{StepKind::kCreateNetwork, "create network", "create networks", Object::kSubject},
    GroupWords{StepKind::kCreateVolume, "create volume", "create volumes", Object::kSubject},
    GroupWords{StepKind::kCreateContainer, "create", "create", Object::kService},
    GroupWords{StepKind::kTakeLocks, "take the update locks", "take the update locks",
               Object::kNone},
    GroupWords{StepKind::kStopContainer, "stop", "stop", Object::kService},
    GroupWords{StepKind::kStartContainer, "start", "start", Object::kService},
    GroupWords{StepKind::kRenameContainer, "rename", "rename", Object::kService},
    GroupWords{StepKind::kUpdateContainer, "set the restart policy of", "set the restart policy of",
               Object::kService},
    GroupWords{StepKind::kConnectNetwork, "connect", "connect", Object::kService},
    GroupWords{StepKind::kDisconnectNetwork, "disconnect", "disconnect", Object::kService},
    GroupWords{StepKind::kAwaitHealth,
               "wait until settled:", "wait until settled:", Object::kService},
    GroupWords{StepKind::kAwaitHandover, "wait for the hand-over of", "wait for the hand-over of",
               Object::kService},
    GroupWords{StepKind::kReleaseLocks, "give the update locks back", "give the update locks back",
               Object::kNone},
    GroupWords{StepKind::kCommitRelease, "commit release", "commit releases", Object::kSubject},
    GroupWords{StepKind::kRemoveContainer, "remove the old container of",
               "remove the old containers of", Object::kService},
    GroupWords{StepKind::kRemoveImage, "remove image", "remove images", Object::kSubject},
    GroupWords{StepKind::kRemoveNetwork, "remove network", "remove networks", Object::kSubject},
    GroupWords{StepKind::kPurgeVolume, "purge volume", "purge volumes", Object::kSubject},
    GroupWords{StepKind::kWriteConfig, "write", "write", Object::kSubject},
    GroupWords{StepKind::kDeleteLock, "delete the update lock of", "delete the update locks of",
               Object::kService},
    GroupWords{StepKind::kReboot, "reboot", "reboot", Object::kNone},
};

static_assert(CoversStepKinds(kGroupWords));

// What `detail` says of a step, of those kinds where that is more than what makes it distinct.
bool DetailMatters(StepKind kind) {
  return kind == StepKind::kUpdateContainer || kind == StepKind::kConnectNetwork ||
         kind == StepKind::kDisconnectNetwork || kind == StepKind::kAwaitHealth ||
         kind == StepKind::kTakeLocks;
}

std::string NameOf(const Step& step, Object object, const PlanNames& names) {
  if (object == Object::kService && !step.service.empty()) return Printable(step.service);
  if (object == Object::kImage) return names.Download(step);
  const std::string_view subject = step.subject;
  constexpr std::string_view kDigest = "sha256:";
  return names.Short(step.kind == StepKind::kRemoveImage && subject.starts_with(kDigest)
                         ? subject.substr(kDigest.size())
                         : subject);
}

std::string ListServices(std::vector<std::string> services) {
  constexpr std::size_t kMostNames = 5;
  services.erase(std::unique(services.begin(), services.end()), services.end());
  return ListNames(services, kMostNames);
}

// Long lists of names that were all said already, and what to say instead.
struct Everyone {
  std::vector<std::string> all;      // The services of an app, by name.
  std::vector<std::string> changed;  // Those that are made anew.

  explicit Everyone(const AppPlan* app) {
    if (app == nullptr) return;
    for (const ServicePlan& service : app->services) {
      all.push_back(Printable(service.service));
      if (service.change == ServiceChange::kCreate || service.change == ServiceChange::kRecreate) {
        changed.push_back(all.back());
      }
    }
    std::sort(all.begin(), all.end());
    std::sort(changed.begin(), changed.end());
  }

  std::string Names(const std::vector<std::string>& names) const {
    constexpr std::size_t kFew = 8;
    constexpr std::size_t kMost = 40;
    const std::string count = std::to_string(names.size());
    if (names.size() > kFew && names == all) return "all " + count + " services";
    if (names.size() > kFew && names == changed) return "all " + count + " services made anew";
    return ListNames(names, kMost);
  }
};

bool TakesForReboot(StepKind kind, Phase phase) {
  return kind == StepKind::kTakeLocks && phase == Phase::kConfig;
}

bool WaitsForLocks(const Step& step) {
  return step.status == StepStatus::kHeld || step.status == StepStatus::kDeferred;
}

// Where the waiting for locks begins: what comes behind waits for this one.
std::string GateNote(const StepGroup& group, const Plan& plan, const Waits& waits) {
  bool gate = false;
  bool paused = false;
  std::vector<std::string> services;
  for (const std::uint32_t step : group.steps) {
    const auto behind = [](const WaitReason& wait) { return wait.code == WaitCode::kGateHeld; };
    gate = gate || (WaitsForLocks(plan.steps[step]) &&
                    std::none_of(waits[step].begin(), waits[step].end(), behind));
    for (const WaitReason& wait : waits[step]) {
      if (wait.holder == nullptr) continue;
      services.push_back(Printable(WhoHolds(*wait.holder)));
      paused = paused || wait.holder->IsPause();
    }
  }
  if (!gate) return {};
  if (paused && services.size() == 1) return "waits here: " + services.front();
  return services.empty() ? "waits here" : "waits here: held by " + ListServices(services);
}

std::string ForceNote(const AppPlan& app) {
  std::vector<std::string> services;
  for (const LockHolder& holder : app.holders) {
    if (holder.held && !holder.ours) services.push_back(Printable(WhoHolds(holder)));
  }
  return services.empty() ? "" : "runs over the lock of " + ListServices(services);
}

std::string NoteOf(const StepGroup& group, const Plan& plan, const Waits& waits,
                   const AppPlan* app) {
  if (const std::string note = GateNote(group, plan, waits); !note.empty()) return note;
  const bool forced = group.kind == StepKind::kTakeLocks && group.detail == "force";
  if (forced && app != nullptr) return ForceNote(*app);
  return group.disruptive ? "interrupts" : "";
}

// "download web:2, db:2", "stop web, worker", "take the update locks"
std::string DescribeGroup(const StepGroup& group, const Plan& plan, const PlanNames& names,
                          const Everyone& everyone) {
  const GroupWords& words = StepKindRow(kGroupWords, group.kind);
  const std::string detail = Printable(group.detail);
  std::string verb(group.steps.size() == 1 ? words.one : words.many);
  std::string end;
  switch (group.kind) {
    case StepKind::kAwaitHealth:
      if (detail == "completed") verb = "wait until done:";
      break;
    case StepKind::kUpdateContainer:
      verb = detail == "no" ? "turn off the automatic restart of" : "set the automatic restart of";
      if (detail != "no") end = " to " + detail;
      break;
    case StepKind::kConnectNetwork:
      end = " to network " + detail;
      break;
    case StepKind::kCommitRelease:
      if (detail == kForgetApp) return "forget the app";
      break;
    case StepKind::kDisconnectNetwork:
      if (!detail.empty()) end = " from network " + detail;
      break;
    default:
      break;
  }
  std::vector<std::string> objects;
  if (TakesForReboot(group.kind, group.phase)) {
    for (const std::uint32_t step : group.steps) {
      objects.push_back(names.App(plan.steps[step].app));
    }
    return verb + " of " + everyone.Names(objects);
  }
  if (words.object == Object::kNone) return verb;
  for (const std::uint32_t step : group.steps) {
    objects.push_back(NameOf(plan.steps[step], words.object, names));
  }
  std::sort(objects.begin(), objects.end());
  return verb + ' ' + everyone.Names(objects) + end;
}

const AppPlan* AppOf(const Plan& plan, const std::vector<std::uint32_t>& steps) {
  if (steps.empty()) return nullptr;
  if (plan.steps[steps.front()].phase == Phase::kConfig) return nullptr;  // Of the device.
  return plan.FindApp(plan.steps[steps.front()].app);
}

}  // namespace

StepsByApp SortSteps(const Plan& plan) {
  StepsByApp apps;
  for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    apps[step.phase == Phase::kConfig ? std::string_view() : step.app].push_back(i);
  }
  return apps;
}

std::vector<StepGroup> GroupSteps(const Plan& plan, const std::vector<std::uint32_t>& steps) {
  using Key = std::tuple<StepKind, Phase, bool, std::string_view>;
  std::vector<StepGroup> groups;
  std::map<Key, std::vector<std::size_t>> alike;  // Groups of one kind, in their order.
  // The first group that a follower of a step may be in.
  std::unordered_map<std::uint32_t, std::size_t> below;
  for (const std::uint32_t i : steps) {
    const Step& step = plan.steps[i];
    std::size_t least = 0;
    for (const std::uint32_t before : step.after) {
      if (const auto at = below.find(before); at != below.end())
        least = std::max(least, at->second);
    }
    const std::string_view detail = DetailMatters(step.kind) ? step.detail : std::string_view();
    const Key key{step.kind, step.phase, step.disruptive, detail};
    std::vector<std::size_t>& known = alike[key];
    auto at = std::lower_bound(known.begin(), known.end(), least);
    if (at == known.end()) {
      at = known.insert(at, groups.size());
      groups.push_back({step.kind, step.phase, std::string(detail), step.disruptive, {}});
    }
    groups[*at].steps.push_back(i);
    // Those of all apps are one thing to a person, though they are taken one after another.
    below[i] = TakesForReboot(step.kind, step.phase) ? *at : *at + 1;
  }
  return groups;
}

void WriteOrder(const Plan& plan, const std::vector<std::uint32_t>& steps, const Waits& waits,
                const PlanNames& names, Page& page) {
  const auto groups = GroupSteps(plan, steps);
  const AppPlan* app = AppOf(plan, steps);
  const Everyone everyone(app);
  const int digits = static_cast<int>(std::to_string(groups.size()).size());
  const int room = page.room() - digits - 2;
  std::vector<std::string> texts;
  std::vector<std::string> notes;
  int widest = 0;  // Of those with a note that fits beside.
  for (const StepGroup& group : groups) {
    texts.push_back(DescribeGroup(group, plan, names, everyone));
    notes.push_back(NoteOf(group, plan, waits, app));
    const int width = DisplayWidth(texts.back());
    const bool fits = width + 2 + DisplayWidth(notes.back()) <= room;
    if (!notes.back().empty() && fits) widest = std::max(widest, width);
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    std::string number = std::to_string(i + 1) + ". ";
    number.insert(0, static_cast<std::size_t>(digits + 2) - number.size(), ' ');
    const std::string_view phase = PhaseName(groups[i].phase);
    std::string before = texts[i];
    if (!notes[i].empty()) before = PadRight(std::move(before), widest) + "  ";
    if (DisplayWidth(before + notes[i]) > room) {
      page.Entry(phase, texts[i] + (notes[i].empty() ? "" : "; " + notes[i]), number);
    } else {
      const bool warns = !groups[i].disruptive;
      page.Row(phase, number + before + (warns ? page.style().Yellow(notes[i]) : notes[i]));
    }
  }
}

}  // namespace lockstep
