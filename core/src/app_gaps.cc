// Who holds an app, why it cannot be planned, and what a person should know of it.
#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "app_planner.h"
#include "claims.h"

namespace lockstep {
namespace {

// How balena's own supervisor is called where a target has it as an app.
constexpr std::array<std::string_view, 4> kSupervisorServices = {
    "balena-supervisor", "balena_supervisor", "resin-supervisor", "resin_supervisor"};

bool WouldStop(const ServiceView& view, const std::string& container) {
  const auto is_it = [&](const ObservedContainer* c) { return c != nullptr && c->id == container; };
  return is_it(view.present) || std::any_of(view.left_over.begin(), view.left_over.end(), is_it) ||
         (is_it(view.future) && (Restarts(view) || !view.ShouldRun()));
}

}  // namespace

void AppPlanner::FindHolders() {
  for (const LockHolder& holder : context_.observed.locks) {
    if (holder.ours || !holder.held || holder.app != facts_.app) continue;
    if (FindView(views_, holder.service)) plan_.holders.push_back(holder);
  }
  std::sort(plan_.holders.begin(), plan_.holders.end(),
            [](const LockHolder& a, const LockHolder& b) {
              return std::tie(a.service, a.path) < std::tie(b.service, b.path);
            });
}

void AppPlanner::AddGap(std::string code, std::string message, bool blocks) {
  plan_.gaps.push_back({std::move(code), std::move(message), blocks});
}

bool AppPlanner::Blocked() const {
  return std::any_of(plan_.gaps.begin(), plan_.gaps.end(),
                     [](const Gap& gap) { return gap.blocks; });
}

void AppPlanner::FindGaps() {
  if (facts_.target != nullptr) plan_.gaps = facts_.target->gaps;
  const bool known = std::any_of(plan_.gaps.begin(), plan_.gaps.end(),
                                 [](const Gap& gap) { return gap.code == "unknown-dependency"; });
  if (!start_graph_.cycle.empty()) {
    std::string path;
    for (const std::size_t i : start_graph_.cycle) {
      path += (path.empty() ? "" : " -> ") + views_[i].name;
    }
    AddGap("dependency-cycle", path, true);
  }
  for (const std::string& edge : start_graph_.unknown) {
    if (!known) AddGap("unknown-dependency", edge, true);
  }
  FindContainerGaps();
  FindStrategyGaps();
  const std::vector<std::string>& failed = facts_.record.failed;
  if (facts_.release() != nullptr &&
      std::find(failed.begin(), failed.end(), facts_.to()) != failed.end()) {
    AddGap("release-failed",
           "release " + facts_.to() +
               " failed on this device and is not tried again until the target changes or "
               "somebody asks",
           true);
  }
}

void AppPlanner::FindContainerGaps() {
  for (const ServiceView& view : views_) {
    if (std::find(kSupervisorServices.begin(), kSupervisorServices.end(), view.name) !=
        kSupervisorServices.end()) {
      AddGap("supervisor-app", view.name + ": balena's supervisor is not for Lockstep to update",
             true);
    }
  }
  for (const ObservedContainer* container : facts_.containers) {
    if (container->lock_dir_elsewhere) {
      AddGap("lock-directory-elsewhere",
             container->service + ": its locks are in " + container->lock_dir.value_or("") +
                 ", and not where --locks-root says",
             true);
    } else if (container->lock_dir && container->lock_dir->empty()) {
      AddGap("no-lock-directory",
             container->service + ": its container has no lock directory and cannot take a lock",
             false);
    }
  }
  for (const ServiceView& view : views_) {
    if (!WouldStop(view, context_.options.self)) continue;
    AddGap("self", view.name + ": Lockstep runs in this container, and never stops it", true);
  }
}

void AppPlanner::FindStrategyGaps() {
  for (std::size_t i = 0; i < views_.size(); ++i) {
    const ServiceView& view = views_[i];
    const Work& work = work_[i];
    if (work.hand_over) FindHandOverConflict(i);
    if (work.late_download && work.removed_early) {
      AddGap("no-way-back",
             view.name + ": its container and image are deleted before the new image is here",
             false);
    }
  }
}

// While both run, nobody else can have what the old one has either.
void AppPlanner::FindHandOverConflict(std::size_t i) {
  const ServiceView& view = views_[i];
  const ServiceSpec* old = facts_.SpecOf(*view.present);
  if (old == nullptr) return;
  for (const ServiceView& next : views_) {
    if (!WillStart(next)) continue;
    const std::string both = CommonClaim(*old, next.target->spec);
    if (both.empty()) continue;
    AddGap("hand-over-conflict",
           view.name + ": its old container and the new one of " + next.name + " cannot have " +
               both + " at once; choose another update strategy",
           true);
  }
}

}  // namespace lockstep
