// The middle of an app's plan: what is down is started, the gate, stopping the old and starting the
// new, and giving the locks back.
#include <algorithm>
#include <utility>

#include "app_planner.h"

namespace lockstep {
namespace {

// "80/tcp" of a canonical port "ip:host:container/proto"; empty where no host port is asked for.
std::string HostPort(const Value& port) {
  const std::string* text = port.AsString();
  if (text == nullptr) return {};
  const auto container = text->rfind(':');
  if (container == std::string::npos || container == 0) return {};
  const auto host = text->rfind(':', container - 1);
  const auto begin = host == std::string::npos ? 0 : host + 1;
  const std::string number = text->substr(begin, container - begin);
  const auto proto = text->rfind('/');
  if (number.empty() || proto == std::string::npos) return {};
  return number + text->substr(proto);
}

std::vector<std::string> HostPortsOf(const ServiceSpec& spec) {
  std::vector<std::string> ports;
  const Value* field = spec.Find(Field::kPorts);
  if (field == nullptr || field->AsList() == nullptr) return ports;
  for (const Value& port : *field->AsList()) {
    if (std::string text = HostPort(port); !text.empty()) ports.push_back(std::move(text));
  }
  return ports;
}

}  // namespace

// One that was set aside gets its restart policy back before it is started.
void AppPlanner::Restore(const ServiceView& view, const ObservedContainer& container,
                         StepIndices& after) {
  if (container.state != ContainerState::kExited) return;
  const std::string policy = OriginalPolicy(container, context_.observed);
  if (container.restart_policy == policy) return;
  after = {steps_.Add(StepKind::kUpdateContainer, Phase::kCutover, view.name, container.id,
                      std::move(after), policy)};
}

// Starts what ran until now again: the service is down, and the new one is not to start yet.
void AppPlanner::StartPresent(std::size_t i, StepIndices after) {
  const ServiceView& view = views_[i];
  const ObservedContainer& old = *view.present;
  Restore(view, old, after);
  work_[i].restarts_present = true;
  span_starts_.push_back(
      steps_.Add(StepKind::kStartContainer, Phase::kCutover, view.name, old.id, std::move(after)));
}

// Services of the running release that are down start again without a lock. So do those that a
// cutover left down when an app took a lock in the middle of it (design, "Cut off in a cutover").
void AppPlanner::StartWhatIsDown() {
  const bool cut_off = CutoverBegun() && held_;
  const bool new_runs = std::any_of(views_.begin(), views_.end(), [&](const ServiceView& view) {
    return view.is_new && view.future->IsUp();
  });
  if (cut_off) {
    plan_.gaps.push_back(
        {"cutover-interrupted",
         "an app took a lock in the middle of the cutover: what runs goes on, what "
         "was down is started, and the rest waits for the lock",
         false});
  }
  for (std::size_t i = 0; i < views_.size(); ++i) {
    const ServiceView& view = views_[i];
    if (view.present == nullptr || view.stopped) continue;
    if (view.future != nullptr && view.future->IsUp()) continue;
    // Its successor was committed: what is left of it only waits to be removed.
    const bool committed = facts_.record.committed == facts_.to();
    if (committed &&
        (view.present->commit != facts_.to() || (view.future != nullptr && !NeedsStart(view)))) {
      continue;
    }
    if (!WantsStart(*view.present, OriginalPolicy(*view.present, context_.observed))) continue;
    const bool with_old =
        cut_off ? !new_runs || view.future == nullptr
                : !CutoverBegun() && !has_span_ &&
                      (view.target != nullptr || facts_.record.committed != facts_.to());
    if (with_old) StartPresent(i, {});
  }
  span_starts_.clear();  // No span waits for these.
}

void AppPlanner::TakeLocks() {
  if (!gated_) return;
  if (has_span_) {
    gate_ = prepared_;  // Nothing is interrupted before its successor is ready, in any span.
    return;
  }
  gate_ = {
      steps_.Add(StepKind::kTakeLocks, Phase::kCutover, "", "", prepared_, forced_ ? "force" : "")};
  if (forced_) DeleteLocks();
}

// The locks that force runs over: those of services that are interrupted.
void AppPlanner::DeleteLocks() {
  const StepIndices take = gate_;
  for (const LockHolder& holder : plan_.holders) {
    const auto view = std::find_if(views_.begin(), views_.end(),
                                   [&](const ServiceView& v) { return v.name == holder.service; });
    if (view == views_.end() || view->change == ServiceChange::kNone ||
        view->change == ServiceChange::kRename) {
      continue;
    }
    gate_.push_back(
        steps_.Add(StepKind::kDeleteLock, Phase::kCutover, holder.service, holder.path, take));
  }
}

void AppPlanner::StopOld() {
  if (!changed_) return;
  const DependencyGraph graph = StopGraph(views_);
  // Dependents before dependencies: who waits for whom is found from the far end.
  std::vector<StepIndices> dependents(views_.size());
  std::vector<bool> passed(views_.size(), false);
  for (auto it = graph.order.rbegin(); it != graph.order.rend(); ++it) {
    const std::size_t i = *it;
    const ServiceView& view = views_[i];
    std::sort(dependents[i].begin(), dependents[i].end());
    dependents[i].erase(std::unique(dependents[i].begin(), dependents[i].end()),
                        dependents[i].end());
    StepIndices after = gate_;
    Append(after, dependents[i]);
    const std::size_t stops_before = stopped_.size();
    if (view.present != nullptr) Stop(i, *view.present, after);
    for (const ObservedContainer* container : view.left_over) Stop(i, *container, after);
    if (view.future != nullptr && !view.ShouldRun()) Stop(i, *view.future, after);
    passed[i] = true;
    const StepIndices mine(stopped_.begin() + static_cast<std::ptrdiff_t>(stops_before),
                           stopped_.end());
    for (const DependencyEdge& edge : graph.edges[i]) {
      if (passed[edge.on]) continue;  // An edge of a cycle.
      Append(dependents[edge.on], mine.empty() ? dependents[i] : mine);
    }
  }
}

void AppPlanner::Stop(std::size_t i, const ObservedContainer& container, const StepIndices& after) {
  const ServiceView& view = views_[i];
  StepIndices down = after;
  if (container.IsUp()) {
    const StepIndex stop =
        steps_.Add(StepKind::kStopContainer, Phase::kCutover, view.name, container.id, after);
    steps_[stop].disruptive = true;
    steps_[stop].why = view.why;
    stopped_.push_back(stop);
    work_[i].before_start.push_back(stop);
    down = {stop};
    if (container.spec) {
      for (std::string& port : HostPortsOf(*container.spec)) freed_ports_[port].push_back(stop);
    }
  }
  if (&container != view.future && !work_[i].restarts_present) {
    SetAside(i, container, FillsIn(i) ? StepIndices{} : std::move(down));
  }
}

// Keeps the engine from reviving an old container beside its successor after a power cut.
void AppPlanner::SetAside(std::size_t i, const ObservedContainer& container, StepIndices after) {
  if (container.state == ContainerState::kCreated || container.state == ContainerState::kDead) {
    return;
  }
  const std::string policy =
      container.restart_policy.value_or(OriginalPolicy(container, context_.observed));
  if (policy == "no") return;
  work_[i].before_start.push_back(steps_.Add(StepKind::kUpdateContainer, Phase::kCutover,
                                             views_[i].name, container.id, std::move(after), "no"));
}

// False where the dependency is met as things are: no step of this plan is to be waited for.
bool AppPlanner::WaitsFor(const DependencyEdge& edge) const {
  const ServiceView& on = views_[edge.on];
  if (edge.condition == DependencyCondition::kStarted) return false;
  if (on.future == nullptr || NeedsStart(on)) return true;
  // One whose time ran out counts as settled: a release goes on without it, and says so.
  if (on.future->settled) return false;
  if (edge.condition == DependencyCondition::kCompletedSuccessfully) {
    return on.future->state != ContainerState::kExited || on.future->exit_code != 0;
  }
  return on.future->health != Health::kHealthy;
}

void AppPlanner::StartNew() {
  for (const std::size_t i : start_graph_.order) {
    Work& work = work_[i];
    for (const DependencyEdge& edge : start_graph_.edges[i]) {
      work.late = work.late || work_[edge.on].late || WaitsFor(edge);
    }
    if (!NeedsStart(views_[i])) {
      // Whoever depends on this one waits for what this one would have waited for.
      for (const DependencyEdge& edge : start_graph_.edges[i]) {
        Append(work.started, work_[edge.on].started);
      }
      std::sort(work.started.begin(), work.started.end());
      work.started.erase(std::unique(work.started.begin(), work.started.end()), work.started.end());
    } else if (!work.late) {
      Start(i);
    }
  }
}

// The starts, and the waits for health, of what view `i` depends on. One that needs no lock does
// not wait for one that does: what it depends on runs in its old container until then.
StepIndices AppPlanner::StartsBefore(std::size_t i, bool gated) {
  StepIndices after;
  for (const DependencyEdge& edge : start_graph_.edges[i]) {
    for (const StepIndex start : work_[edge.on].started) {
      if (gated || gated_starts_.count(start) == 0) after.push_back(start);
    }
    if (WaitsFor(edge) && (gated || !StartIsGated(views_[edge.on]))) {
      after.push_back(Await(edge.on, edge.condition));
    }
  }
  return after;
}

// Cut off in the middle, and the new containers are what the app goes on with for now.
bool AppPlanner::FillsIn(std::size_t i) const {
  const ServiceView& view = views_[i];
  return CutoverBegun() && held_ && !work_[i].restarts_present && view.future != nullptr &&
         view.present != nullptr && !view.present->IsUp();
}

void AppPlanner::Start(std::size_t i) {
  const ServiceView& view = views_[i];
  Work& work = work_[i];
  const bool gated = StartIsGated(view) && !FillsIn(i);
  StepIndices after = StartsBefore(i, gated);
  if (gated) Append(after, gate_);
  Append(after, work.before_start);
  if (view.future != nullptr) Restore(view, *view.future, after);
  if (work.create) after.push_back(*work.create);
  for (const std::string& port : HostPortsOf(view.target->spec)) {
    if (const auto it = freed_ports_.find(port); it != freed_ports_.end() && gated) {
      Append(after, it->second);
    }
  }
  const StepIndex start = steps_.Add(StepKind::kStartContainer, Phase::kCutover, view.name,
                                     StartSubject(view), std::move(after));
  if (view.change == ServiceChange::kStart) steps_[start].why = view.why;
  work.started = {start};
  if (gated) gated_starts_.insert(start);
  const bool of_release = gated || (changed_ && (view.is_new || view.future == nullptr));
  if (work.late) {
    if (gated) Append(steps_[start].after, released_);
    late_starts_.push_back(start);
  } else if (of_release) {
    span_starts_.push_back(start);
  }
}

StepIndex AppPlanner::Await(std::size_t i, DependencyCondition condition) {
  Work& work = work_[i];
  const bool completed = condition == DependencyCondition::kCompletedSuccessfully;
  std::optional<StepIndex>& await = completed ? work.completed : work.settled;
  if (!await) {
    await = steps_.Add(StepKind::kAwaitHealth, Phase::kSettle, views_[i].name,
                       StartSubject(views_[i]), work.started, completed ? "completed" : "");
  }
  return *await;
}

void AppPlanner::ReleaseLocks() {
  if (gate_.empty() && !has_span_) return;
  StepIndices after = gate_;
  Append(after, stopped_);
  for (const Work& work : work_) Append(after, work.before_start);
  Append(after, span_starts_);
  released_ = {steps_.Add(StepKind::kReleaseLocks, Phase::kCutover, "", "", std::move(after))};
}

void AppPlanner::StartLate() {
  for (const std::size_t i : start_graph_.order) {
    if (work_[i].late && NeedsStart(views_[i])) Start(i);
  }
}

}  // namespace lockstep
