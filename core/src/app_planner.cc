#include "app_planner.h"

#include <algorithm>
#include <utility>

namespace lockstep {

AppPlanner::AppPlanner(const PlanContext& context, const AppFacts& facts, std::vector<Step>& steps)
    : context_(context),
      facts_(facts),
      all_steps_(steps),
      first_step_(steps.size()),
      steps_(steps, facts.app) {}

AppPlan AppPlanner::Make() {
  plan_.app = facts_.app;
  plan_.name = facts_.target != nullptr ? facts_.target->name : facts_.app;
  if (!facts_.record.committed.value_or("").empty()) plan_.from = facts_.record.committed;
  if (facts_.release() != nullptr) plan_.to = facts_.to();
  views_ = ViewServices(facts_, context_.images, start_graph_);
  const bool any_old = std::any_of(views_.begin(), views_.end(),
                                   [](const ServiceView& v) { return v.present != nullptr; });
  if (any_old) {
    old_graph_ = StopGraph(facts_, views_, [](const ServiceView& view) {
      const auto up = [](const ObservedContainer* c) { return c != nullptr && c->IsUp(); };
      return up(view.future) && !up(view.present) ? nullptr : view.present;
    });
  }
  work_.resize(views_.size());
  has_span_ = context_.observed.HasSpan(facts_.app);
  const std::vector<std::string>& forced = context_.options.force_apps;
  const std::vector<std::string>& spent = context_.options.force_spent;
  forced_ = context_.override_locks ||
            (context_.options.force &&
             (forced.empty() || std::count(forced.begin(), forced.end(), facts_.app) != 0) &&
             std::count(spent.begin(), spent.end(), facts_.app) == 0);
  removes_ = facts_.record.remove && facts_.target == nullptr;
  ReserveSteps();
  FindHolders();
  FindPause();
  FindGaps();
  ApplyPullPolicies();
  ChooseWays();
  FindStrategyGaps();
  FindWayBack();
  if (facts_.HasFailed()) FindTiedBack();
  if (GoesBack()) {
    GoBack();
  } else if (!Blocked()) {
    gated_ = std::any_of(views_.begin(), views_.end(),
                         [&](const ServiceView& view) { return Touches(view); });
    changed_ = gated_ || CutoverBegun();
    held_ = gated_ && !has_span_ && !forced_ && !plan_.holders.empty();
    Prepare();
    StartWhatIsDown();
    for (const std::size_t i : start_graph_.order) work_[i].start_gated = StartIsGated(i);
    TakeLocks();
    StopOld();
    RemakeNetworks();
    PurgeVolumes();
    CreateLate();
    StartNew();
    HandOver();
    ReleaseLocks();
    StartLate();
    Rename();
    Settle();
    CleanUp();
  } else {
    // Nothing is kept for a release that is not tried again.
    if (facts_.HasFailed() && !facts_.record.cutover) RemoveImages();
    ReleaseLocks();
  }
  SetStatuses();
  for (ServiceView& view : views_) {
    plan_.services.push_back(
        {view.name, view.change,
         view.target != nullptr ? view.target->strategy : Strategy::kDownloadThenKill,
         std::move(view.why)});
  }
  return std::move(plan_);
}

// A list that doubles needs three times the room of its steps for a moment.
void AppPlanner::ReserveSteps() {
  constexpr std::size_t kStepsOfService = 7;  // Where it is made anew, as most are that change.
  const auto changed = std::count_if(views_.begin(), views_.end(), [](const ServiceView& view) {
    return view.change != ServiceChange::kNone;
  });
  const std::size_t steps = kStepsOfService * static_cast<std::size_t>(changed);
  if (steps > all_steps_.capacity())
    all_steps_.reserve(all_steps_.size() + steps + steps / 32 + 16);
}

bool AppPlanner::CutoverBegun() const { return facts_.record.cutover == facts_.to(); }

bool AppPlanner::GoesBack() const {
  return facts_.HasFailed() && plan_.from && plan_.way_back && CutoverBegun() &&
         start_graph_.cycle.empty() && !StopsItself();
}

// True where a container of the service that runs is stopped.
bool AppPlanner::IsInterrupted(const ServiceView& view) const {
  const auto up = [](const ObservedContainer* container) {
    return container != nullptr && container->IsUp();
  };
  return up(view.present) || std::any_of(view.left_over.begin(), view.left_over.end(), up) ||
         (up(view.future) && (!view.ShouldRun() || view.tied));
}

// True where the change of this service waits for the locks of the app (design, "What is gated").
bool AppPlanner::Touches(const ServiceView& view) const {
  if (IsInterrupted(view)) return true;
  // Nothing is left to interrupt: what was begun under the locks goes forward without them.
  if (CutoverBegun()) return false;
  const bool new_release = facts_.record.committed != facts_.to();
  if (view.target == nullptr) return new_release;
  if (view.future == nullptr) return new_release || view.present != nullptr;
  return view.is_new && view.ShouldRun() && NeedsStart(view);
}

// A stopped or missing service of the running release starts without a lock (I11).
bool AppPlanner::StartIsGated(std::size_t i) const {
  const ServiceView& view = views_[i];
  if (!gated_) return false;
  // It cannot run before what it shares; held, it may join what is there.
  for (const DependencyEdge& edge : start_graph_.edges[i]) {
    const ServiceView& on = views_[edge.on];
    const bool there = held_ && on.future != nullptr && on.future->IsUp();
    if (edge.shared && WillStart(on) && work_[edge.on].start_gated && !there) return true;
  }
  if (FillsIn(i)) return false;
  const bool replaces = view.present != nullptr && (view.present->IsUp() || view.future == nullptr);
  if (view.is_new || replaces || Restarts(view)) return true;
  // Made inside the span.
  if (work_[i].late_create) return true;
  const auto was_interrupted = [&](const ObservedContainer* container) {
    return container != nullptr && WasInterrupted(facts_, *container);
  };
  const bool stopped = was_interrupted(view.future) || was_interrupted(view.present);
  const bool ran = view.future != nullptr && view.future->state != ContainerState::kCreated;
  // What was stopped in this span, or did not run before it, starts in its turn.
  if (has_span_ && (view.tied || stopped || !ran)) return true;
  // What it is attached to is remade inside the span; held, it starts on what is there.
  if (!held_ && view.tied && IsOnRemade(view)) return true;
  return view.future == nullptr && facts_.record.committed != facts_.to();
}

// Cut off in the middle, and the new containers are what the app goes on with for now.
bool AppPlanner::FillsIn(std::size_t i) const {
  const ServiceView& view = views_[i];
  const auto down = [](const ObservedContainer* c) { return c != nullptr && !c->IsUp(); };
  return CutoverBegun() && held_ && !work_[i].old_start && down(view.future) && down(view.present);
}

bool AppPlanner::IsOnRemade(const ServiceView& view) const {
  const auto networks = NetworksOf(view.target->spec);
  return std::any_of(networks.begin(), networks.end(),
                     [&](const std::string& network) { return IsRemade(facts_, network); });
}

std::size_t AppPlanner::IndexOf(const ServiceView& view) const {
  return static_cast<std::size_t>(&view - views_.data());
}

std::string_view AppPlanner::StartSubject(const ServiceView& view) const {
  return view.future != nullptr ? view.future->id
                                : all_steps_[*work_[IndexOf(view)].create].subject;
}

// What runs is left as it is, and so is what is left of what ran; but what is down may start.
bool AppPlanner::WaitsForResume(StepIndex i) const {
  const Step& step = all_steps_[i];
  const auto acts_on_what_runs = [&] {
    return std::any_of(
        facts_.containers.begin(), facts_.containers.end(),
        [&](const ObservedContainer* c) { return c->id == step.subject && c->IsUp(); });
  };
  switch (step.kind) {
    case StepKind::kStopContainer:
    case StepKind::kTakeLocks:
    case StepKind::kAwaitHandover:
    case StepKind::kDeleteLock:
    case StepKind::kRemoveContainer:
    case StepKind::kRemoveNetwork:
    case StepKind::kPurgeVolume:
      return true;
    case StepKind::kRemoveImage:
    case StepKind::kRenameContainer:
      return step.phase != Phase::kPrepare;
    case StepKind::kStartContainer:
      return gated_starts_.count(i) != 0;
    case StepKind::kUpdateContainer:
    case StepKind::kConnectNetwork:
    case StepKind::kDisconnectNetwork:
      return acts_on_what_runs();
    default:
      return false;
  }
}

void AppPlanner::SetStatuses() {
  bool any_held = false;
  for (std::size_t i = first_step_; i < all_steps_.size(); ++i) {
    Step& step = all_steps_[i];
    SortUnique(step.after);
    const bool gate = held_ && step.kind == StepKind::kTakeLocks;
    const bool held = gate || (paused_ && WaitsForResume(static_cast<StepIndex>(i))) ||
                      std::any_of(step.after.begin(), step.after.end(), [&](StepIndex before) {
                        return all_steps_[before].status == StepStatus::kHeld;
                      });
    any_held |= held;
    step.status = held                 ? StepStatus::kHeld
                  : step.after.empty() ? StepStatus::kReady
                                       : StepStatus::kWaiting;
  }
  if (all_steps_.size() == first_step_) {
    plan_.status = Blocked() ? PlanStatus::kBlocked : PlanStatus::kInSync;
  } else {
    plan_.status = any_held ? PlanStatus::kHeld : PlanStatus::kReady;
  }
}

}  // namespace lockstep
