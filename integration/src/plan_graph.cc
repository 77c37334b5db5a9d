#include "plan_graph.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "plan_graph_rows.h"
#include "plan_order.h"
#include "text.h"

namespace lockstep {
namespace {

using Indices = std::vector<std::uint32_t>;

enum class Note { kNone, kImage, kSubject, kDetail };

struct NodeWords {
  StepKind kind;
  std::string_view label;
  Note note;
};

constexpr std::array kNodeWords = {
    NodeWords{StepKind::kCheckImage, "ask the registry", Note::kImage},
    NodeWords{StepKind::kPullImage, "download", Note::kImage},
    NodeWords{StepKind::kCreateNetwork, "create network", Note::kSubject},
    NodeWords{StepKind::kCreateVolume, "create volume", Note::kSubject},
    NodeWords{StepKind::kCreateContainer, "create", Note::kNone},
    NodeWords{StepKind::kTakeLocks, "take the update locks", Note::kNone},
    NodeWords{StepKind::kStopContainer, "stop", Note::kNone},
    NodeWords{StepKind::kStartContainer, "start", Note::kNone},
    NodeWords{StepKind::kRenameContainer, "rename", Note::kNone},
    NodeWords{StepKind::kUpdateContainer, "restart policy", Note::kDetail},
    NodeWords{StepKind::kConnectNetwork, "connect", Note::kDetail},
    NodeWords{StepKind::kDisconnectNetwork, "disconnect", Note::kDetail},
    NodeWords{StepKind::kAwaitHealth, "settle", Note::kNone},
    NodeWords{StepKind::kAwaitHandover, "hand over", Note::kNone},
    NodeWords{StepKind::kReleaseLocks, "give the update locks back", Note::kNone},
    NodeWords{StepKind::kCommitRelease, "commit release", Note::kSubject},
    NodeWords{StepKind::kRemoveContainer, "remove old", Note::kNone},
    NodeWords{StepKind::kRemoveImage, "remove image", Note::kSubject},
    NodeWords{StepKind::kRemoveNetwork, "remove network", Note::kSubject},
    NodeWords{StepKind::kPurgeVolume, "purge volume", Note::kSubject},
    NodeWords{StepKind::kWriteConfig, "write", Note::kSubject},
    NodeWords{StepKind::kDeleteLock, "delete lock", Note::kNone},
    NodeWords{StepKind::kReboot, "reboot", Note::kNone},
};
static_assert(CoversStepKinds(kNodeWords));

bool IsBar(StepKind kind) {
  return kind == StepKind::kTakeLocks || kind == StepKind::kReleaseLocks ||
         kind == StepKind::kCommitRelease;
}

void Describe(const Step& step, const PlanNames& names, GraphNode& node) {
  const NodeWords& words = StepKindRow(kNodeWords, step.kind);
  node.label = words.label;
  constexpr std::string_view kDigest = "sha256:";
  switch (words.note) {
    case Note::kNone:
      break;
    case Note::kImage:
      node.note = names.Image(step.subject);
      break;
    case Note::kSubject:
      node.note = names.Short(step.subject);
      break;
    case Note::kDetail:
      node.note = Printable(step.detail);
      break;
  }
  if (ForgetsApp(step)) {
    node.label = "forget the app";
  } else if (step.kind == StepKind::kCommitRelease) {
    node.label += ' ' + std::exchange(node.note, {});
  }
  if (node.note.starts_with(kDigest)) node.note.erase(0, kDigest.size());
  if (step.kind == StepKind::kAwaitHealth && step.detail == "completed") node.label = "finish";
}

std::string About(const Plan& plan, const Step& step, const std::vector<WaitReason>& waits,
                  ShowValues values) {
  constexpr std::size_t kMostReasons = 12;
  std::string text = Printable(Explain(step));
  const auto add = [&](std::string_view line) { text += '\n' + Printable(line); };
  if (!step.subject.empty() && text.find(step.subject) == std::string::npos) add(step.subject);
  add(std::string(PhaseName(step.phase)) + ", " + std::string(StepStatusName(step.status)) +
      (step.disruptive ? ", interrupts the service" : ""));
  std::size_t told = 0;
  for (const Reason& reason : step.why) {
    if (++told <= kMostReasons) add("because: " + Explain(reason, values));
  }
  for (const WaitReason& wait : waits) {
    if (++told <= kMostReasons) add(Explain(wait, plan));
  }
  if (told > kMostReasons) add("and " + std::to_string(told - kMostReasons) + " more");
  return text;
}

std::string TitleOf(const AppPlan& app, const PlanNames& names) {
  const auto name = [&](const std::optional<std::string>& commit) {
    return commit ? Fit(names.Short(*commit), 24) : std::string("nothing");
  };
  std::string text =
      names.App(app.app) + ": " + std::string(PlanStatusName(app.status)) + ", release ";
  return text + (app.from == app.to ? name(app.to) : name(app.from) + " -> " + name(app.to));
}

std::string NoteOf(const AppPlan& app, WallTime now) {
  constexpr std::size_t kMost = 4;
  std::vector<std::string> words;
  for (const Gap& gap : app.gaps) {
    if (gap.blocks) words.push_back(Printable(gap.code) + ": " + Printable(gap.message));
  }
  if (!words.empty()) return "blocked by " + ListNames(words, 1);
  for (const LockHolder& holder : app.holders) {
    if (!holder.held || holder.ours) continue;
    words.push_back(Printable(WhoHolds(holder)) +
                    (holder.since ? " for " + ExplainAge(now - *holder.since) : ""));
  }
  if (words.empty()) return {};
  return (app.status == PlanStatus::kHeld ? "held by " : "locked by ") + ListNames(words, kMost);
}

std::string HeldBy(const std::vector<WaitReason>& waits) {
  constexpr std::size_t kMost = 4;
  std::vector<std::string> services;
  for (const WaitReason& wait : waits) {
    if (wait.holder != nullptr) services.push_back(Printable(WhoHolds(*wait.holder)));
  }
  services.erase(std::unique(services.begin(), services.end()), services.end());
  return services.empty() ? "" : "held by " + ListNames(services, kMost);
}

// Puts the parts of one plan in their places.
class Layout {
 public:
  Layout(const Plan& plan, ShowValues values)
      : plan_(plan), names_(plan), before_(DirectPredecessors(plan)) {
    graph_.nodes.resize(plan.steps.size());
    const auto waits = ExplainWaits(plan);
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
      const Step& step = plan.steps[i];
      GraphNode& node = graph_.nodes[i];
      node.bar = IsBar(step.kind);
      Describe(step, names_, node);
      const bool held = step.status == StepStatus::kHeld || step.status == StepStatus::kDeferred;
      if (held && step.kind == StepKind::kTakeLocks) node.note = HeldBy(waits[i]);
      node.about = About(plan, step, waits[i], values);
    }
  }

  PlanGraph Make() {
    graph_.title =
        std::string(PlanStatusName(plan_.status)) + ", " + Plural(plan_.steps.size(), "step");
    graph_.fingerprint = Printable(plan_.fingerprint);
    StepsByApp steps = SortSteps(plan_);
    for (const AppPlan& app : plan_.apps) {
      const auto found = steps.find(app.app);
      if (found == steps.end()) continue;
      Add(GroupOf(app), &app, found->second);
      steps.erase(found);
    }
    for (const auto& [name, indices] : steps) {
      GraphGroup group;
      group.title = name.empty() ? "device" : Printable(name);
      Add(std::move(group), nullptr, indices);
    }
    for (const AppPlan& app : plan_.apps) {
      if (app.status == PlanStatus::kBlocked) Add(GroupOf(app), &app, {});
    }
    for (std::uint32_t to = 0; to < before_.size(); ++to) {
      for (const std::uint32_t from : before_[to]) graph_.edges.push_back({from, to});
    }
    return std::move(graph_);
  }

 private:
  GraphGroup GroupOf(const AppPlan& app) const {
    GraphGroup group;
    group.title = TitleOf(app, names_);
    group.note = NoteOf(app, plan_.made_for);
    group.status = app.status;
    return group;
  }

  void Add(GraphGroup group, const AppPlan* app, const Indices& steps) {
    group.span = AssignRows(plan_, steps, before_, graph_.nodes);
    group.first_column = static_cast<std::uint32_t>(graph_.columns.size());
    AssignColumns(app, steps);
    group.columns = static_cast<std::uint32_t>(graph_.columns.size()) - group.first_column;
    for (const std::uint32_t i : steps) {
      GraphNode& node = graph_.nodes[i];
      node.group = static_cast<std::uint32_t>(graph_.groups.size());
      if (node.bar) node.column = group.first_column;
    }
    group.rows = SpreadRows(steps, before_, graph_.nodes, group.span);
    graph_.rows = std::max(graph_.rows, group.rows);
    graph_.groups.push_back(std::move(group));
  }

  // The service that a step is drawn with; empty where that is none.
  const std::string& ServiceOf(std::uint32_t i) const {
    const Step& step = plan_.steps[i];
    if (!step.service.empty() || step.kind != StepKind::kRemoveImage) return step.service;
    // An image that one service ran is that service's.
    static const std::string kNone;
    const std::string* only = nullptr;
    for (const std::uint32_t each : before_[i]) {
      const std::string& service = plan_.steps[each].service;
      if (only != nullptr && service != *only) return kNone;
      only = &service;
    }
    return only == nullptr ? kNone : *only;
  }

  void AssignColumns(const AppPlan* app, const Indices& steps) {
    const bool shared = std::any_of(steps.begin(), steps.end(), [&](std::uint32_t i) {
      return ServiceOf(i).empty() && !graph_.nodes[i].bar;
    });
    const std::vector<std::string> order = OrderServices(steps);
    std::map<std::string_view, std::uint32_t> columns;
    if (shared || order.empty()) {
      columns.emplace("", static_cast<std::uint32_t>(graph_.columns.size()));
      graph_.columns.emplace_back();
    }
    std::map<std::string_view, ServiceChange> changes;
    if (app != nullptr) {
      for (const ServicePlan& each : app->services) changes.emplace(each.service, each.change);
    }
    for (const std::string& service : order) {
      columns.emplace(service, static_cast<std::uint32_t>(graph_.columns.size()));
      const auto change = changes.find(service);
      graph_.columns.push_back(
          {Printable(service), change == changes.end() || change->second == ServiceChange::kNone
                                   ? std::string()
                                   : std::string(ServiceChangeName(change->second))});
    }
    for (const std::uint32_t i : steps) {
      if (const auto at = columns.find(ServiceOf(i)); at != columns.end()) {
        graph_.nodes[i].column = at->second;
      }
    }
  }

  // A service, then those that start after it: so most edges are short.
  std::vector<std::string> OrderServices(const Indices& steps) const {
    std::map<std::string, std::set<std::string>> dependents;
    std::set<std::string> dependent;
    for (const std::uint32_t to : steps) {
      const std::string& service = ServiceOf(to);
      if (service.empty()) continue;
      dependents[service];
      if (plan_.steps[to].kind != StepKind::kStartContainer) continue;
      for (const std::uint32_t from : before_[to]) {
        const Step& other = plan_.steps[from];
        if (other.app != plan_.steps[to].app || other.service.empty() || other.service == service) {
          continue;
        }
        dependents[other.service].insert(service);
        dependent.insert(service);
      }
    }
    std::vector<std::string> order;
    std::set<std::string> placed;
    std::vector<std::string> stack;
    const auto place = [&](const std::string& first) {
      stack.push_back(first);
      while (!stack.empty()) {
        const std::string service = std::move(stack.back());
        stack.pop_back();
        if (!placed.insert(service).second) continue;
        order.push_back(service);
        const std::set<std::string>& next = dependents[service];
        stack.insert(stack.end(), next.rbegin(), next.rend());
      }
    };
    std::vector<std::string> all;
    for (const auto& [service, next] : dependents) all.push_back(service);
    for (const std::string& service : all) {
      if (!dependent.contains(service)) place(service);
    }
    for (const std::string& service : all) place(service);
    return order;
  }

  const Plan& plan_;
  const PlanNames names_;
  const std::vector<Indices> before_;
  PlanGraph graph_;
};

}  // namespace

PlanGraph LayOut(const Plan& plan, ShowValues values) { return Layout(plan, values).Make(); }

}  // namespace lockstep
