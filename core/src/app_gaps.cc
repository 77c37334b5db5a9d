// Who holds an app, why it cannot be planned, and what a person should know of it.
#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "app_planner.h"
#include "claims.h"
#include "lockstep/feature_labels.h"

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

std::string HowItFailed(const AppFacts& facts) {
  const auto seen = facts.record.unhealthy.find(facts.to());
  if (seen == facts.record.unhealthy.end() || seen->second.empty()) {
    return " failed on this device";
  }
  std::string services;
  for (const std::string& service : seen->second) {
    services += (services.empty() ? "" : ", ") + service;
  }
  return " did not become healthy on this device (" + services + ")";
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

// A pause stands beside the locks, and no force runs over it.
void AppPlanner::FindPause() {
  if (!facts_.record.paused) return;
  plan_.paused = true;
  paused_ = !has_span_;
  if (paused_) forced_ = false;
  const std::string& id = facts_.app_id;
  plan_.holders.insert(plan_.holders.begin(),
                       PausedByPerson(facts_.app, id.empty() ? facts_.app : id));
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
  FindRebootGaps();
  if (facts_.record.remove && !removes_) {
    AddGap("removal-refused",
           "somebody asked for it to be removed, but the target names it; take it out of the "
           "target, or start it to take back what was asked",
           false);
  }
  if (facts_.HasFailed()) {
    AddGap("release-failed",
           "release " + facts_.to() + HowItFailed(facts_) +
               " and is not tried again; send another release, or ask for this one: `lockstep "
               "apply` it, or POST /v1/update with force",
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
  const auto hands_over = [](const Work& work) { return work.hand_over; };
  if (std::any_of(work_.begin(), work_.end(), hands_over)) FindHandOverConflicts();
  for (std::size_t i = 0; i < views_.size(); ++i) {
    if (work_[i].late_download && work_[i].removed_early) {
      AddGap("no-way-back",
             views_[i].name +
                 ": its container and image are deleted before the new image is here; if the "
                 "release does not become healthy, it stays",
             false);
    }
  }
}

// Starting such a service without the reboot could harm it; the release waits until it can be had.
void AppPlanner::FindRebootGaps() {
  for (const ServiceView& view : views_) {
    const bool starts = view.ShouldRun() && (view.future == nullptr || view.is_new);
    if (!starts || !HasFeature(view.target->spec.labels, kLabelRequiresReboot)) continue;
    AddGap("requires-reboot",
           view.name + ": its label " + std::string(kLabelRequiresReboot) +
               " asks for a reboot between its making and its start, and Lockstep does not reboot "
               "for a release; take the label away, or update the device by other means",
           true);
  }
}

// While both run, nobody else can have what the old one has either.
void AppPlanner::FindHandOverConflicts() {
  std::unordered_map<std::string, std::vector<std::size_t>> wanted;  // By claim.
  for (std::size_t i = 0; i < views_.size(); ++i) {
    if (!WillStart(views_[i])) continue;
    for (std::string& claim : ClaimsOf(views_[i].target->spec)) {
      wanted[std::move(claim)].push_back(i);
    }
  }
  for (std::size_t i = 0; i < views_.size(); ++i) {
    if (!work_[i].hand_over) continue;
    const ServiceSpec* old = facts_.SpecOf(*views_[i].present);
    if (old == nullptr) continue;
    std::set<std::size_t> next;
    for (const std::string& claim : ClaimsOf(*old)) {
      if (const auto it = wanted.find(claim); it != wanted.end()) {
        next.insert(it->second.begin(), it->second.end());
      }
    }
    for (const std::size_t n : next) {
      const std::string both = CommonClaim(*old, views_[n].target->spec);
      if (both.empty()) continue;  // Ports on different addresses of the host.
      AddGap("hand-over-conflict",
             views_[i].name + ": its old container and the new one of " + views_[n].name +
                 " cannot have " + both + " at once; choose another update strategy",
             true);
    }
  }
}

}  // namespace lockstep
