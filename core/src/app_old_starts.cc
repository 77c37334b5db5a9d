// What ran until now and is down: it is started again, without a lock, while the new waits for one
// (design, I11 and "Cut off in a cutover").
#include <algorithm>
#include <utility>

#include "app_planner.h"
#include "claims.h"

namespace lockstep {

// One that was set aside gets its restart policy back before it is started.
void AppPlanner::Restore(const ServiceView& view, const ObservedContainer& container,
                         StepIndices& after) {
  if (container.state != ContainerState::kExited) return;
  const std::string policy = OriginalPolicy(container, context_.observed);
  if (container.restart_policy == policy && set_aside_.count(&container) == 0) return;
  after = {steps_.Add(StepKind::kUpdateContainer, Phase::kCutover, view.name, container.id,
                      std::move(after), policy)};
}

// Starts what ran until now again: the service is down, and the new one is not to start yet.
void AppPlanner::StartAgain(std::size_t i, const ObservedContainer& old, StepIndices after) {
  const ServiceView& view = views_[i];
  for (const ObservedContainer* other : AllOf(view)) {
    if (other == &old || other->IsUp()) continue;
    if (const auto aside = SetAside(i, *other, {})) after.push_back(*aside);
  }
  if (const ServiceSpec* spec = facts_.SpecOf(old)) {
    Append(after, Connect(view, old, *spec, Phase::kCutover, {}));
  }
  Restore(view, old, after);
  work_[i].old_start = steps_.Add(StepKind::kStartContainer, Phase::kCutover, view.name, old.id,
                                  std::move(after), "old");
  span_starts_.push_back(*work_[i].old_start);
}

// Whether an engine could start what ran before: its networks are there, and what it shares runs.
bool AppPlanner::CouldStart(const ObservedContainer& container) {
  const ServiceSpec* spec = facts_.SpecOf(container);
  if (spec == nullptr) return true;
  const auto networks = NetworksOf(*spec);
  const bool attachable = std::all_of(networks.begin(), networks.end(), [&](const auto& network) {
    return facts_.FindNetwork(network) != nullptr || networks_made_.count(network) != 0;
  });
  if (!attachable || TakesFromOthers(container, *spec)) return false;
  const auto ids = SharedContainersOf(container.labels);
  const auto services = SharedServicesOf(*spec);
  return std::all_of(services.begin(), services.end(), [&](const std::string& service) {
    const auto on = FindView(views_, service);
    if (!on) return false;
    const Work& work = work_[*on];
    const auto joined = [&](const std::string& id) {
      return ids.empty() || std::find(ids.begin(), ids.end(), id) != ids.end();
    };
    if (work.old_start) return joined(all_steps_[*work.old_start].subject);
    const ServiceView& its = views_[*on];
    const bool alone = its.present == nullptr && work.stops.empty();
    const ObservedContainer* old = alone ? its.future : its.present;
    return old != nullptr && old->IsUp() && joined(old->id);
  });
}

// Whether another container that runs, and goes on for now, has a port or an address of it.
bool AppPlanner::TakesFromOthers(const ObservedContainer& container, const ServiceSpec& spec) {
  const auto wanted = ClaimsOf(spec);
  if (wanted.empty()) return false;
  if (!claimed_) {
    claimed_.emplace();
    for (const ServiceView& view : views_) {
      for (const ObservedContainer* other : AllOf(view)) {
        if (!other->IsUp() || (going_back_ && StopsBack(view, other))) continue;
        const ServiceSpec* its = facts_.SpecOf(*other);
        if (its == nullptr) continue;
        for (std::string& claim : ClaimsOf(*its)) claimed_->emplace(std::move(claim), other);
      }
    }
  }
  return std::any_of(wanted.begin(), wanted.end(), [&](const std::string& claim) {
    const auto it = claimed_->find(claim);
    return it != claimed_->end() && it->second != &container &&
           !CommonClaim(spec, *facts_.SpecOf(*it->second)).empty();
  });
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
  for (const std::size_t i : stop_graph().order) {
    const ServiceView& view = views_[i];
    if (view.present == nullptr || view.stopped) continue;
    if (view.future != nullptr && view.future->IsUp()) continue;
    if (view.future != nullptr && !view.is_new && NeedsStart(view)) continue;  // That one starts.
    if (!view.ShouldRun() && view.target != nullptr && view.present->commit == facts_.to())
      continue;
    // Its successor was committed: what is left of it only waits to be removed.
    const bool committed = facts_.record.committed == facts_.to();
    if (committed &&
        (view.present->commit != facts_.to() || (view.future != nullptr && !NeedsStart(view)))) {
      continue;
    }
    if (view.present->start_failed ||
        !WantsStart(facts_, *view.present, OriginalPolicy(*view.present, context_.observed))) {
      continue;
    }
    // What takes its place can start at once.
    if (!gated_ || (!held_ && prepared_.empty())) continue;
    if (!CouldStart(*view.present)) continue;
    const ServiceSpec* spec = facts_.SpecOf(*view.present);
    const bool shares = spec != nullptr && !SharedServicesOf(*spec).empty();
    const bool with_old =
        cut_off ? !new_runs || (view.future == nullptr && !shares)
                : !CutoverBegun() && !has_span_ &&
                      (view.target != nullptr || facts_.record.committed != facts_.to());
    if (!with_old) continue;
    StepIndices after;
    for (const DependencyEdge& edge : stop_graph().edges[i]) {
      if (work_[edge.on].old_start) after.push_back(*work_[edge.on].old_start);
    }
    StartAgain(i, *view.present, std::move(after));
  }
  // The gate waits for these, so that all that runs then is known and stopped; no span does.
  Append(prepared_, span_starts_);
  span_starts_.clear();
}

}  // namespace lockstep
