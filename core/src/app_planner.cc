#include "app_planner.h"

#include <algorithm>
#include <utility>

#include "content_hash.h"

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
  views_ = ViewServices(facts_, context_.images);
  work_.resize(views_.size());
  start_graph_ = StartGraph(views_);
  has_span_ = context_.observed.HasSpan(facts_.app);
  forced_ =
      context_.options.force && (context_.options.force_apps.empty() ||
                                 std::count(context_.options.force_apps.begin(),
                                            context_.options.force_apps.end(), facts_.app) != 0);
  FindHolders();
  FindGaps();
  if (GoesBack()) {
    GoBack();
  } else if (!Blocked()) {
    gated_ = std::any_of(views_.begin(), views_.end(),
                         [&](const ServiceView& view) { return Touches(view); });
    changed_ = gated_ || CutoverBegun();
    held_ = gated_ && !has_span_ && !forced_ && !plan_.holders.empty();
    Prepare();
    StartWhatIsDown();
    TakeLocks();
    StopOld();
    StartNew();
    ReleaseLocks();
    StartLate();
    Rename();
    Settle();
    CleanUp();
  } else {
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

void AppPlanner::FindHolders() {
  for (const LockHolder& holder : context_.observed.locks) {
    if (holder.ours || !holder.held || holder.app != facts_.app) continue;
    const bool gates = std::any_of(views_.begin(), views_.end(), [&](const ServiceView& view) {
      return view.name == holder.service;
    });
    if (gates) plan_.holders.push_back(holder);
  }
}

void AppPlanner::FindGaps() {
  if (facts_.target != nullptr) plan_.gaps = facts_.target->gaps;
  const auto add = [&](std::string code, std::string message) {
    const bool known = std::any_of(plan_.gaps.begin(), plan_.gaps.end(),
                                   [&](const Gap& gap) { return gap.code == code; });
    if (!known) plan_.gaps.push_back({std::move(code), std::move(message), true});
  };
  if (!start_graph_.cycle.empty()) {
    std::string path;
    for (const std::size_t i : start_graph_.cycle) {
      path += (path.empty() ? "" : " -> ") + views_[i].name;
    }
    add("dependency-cycle", path);
  }
  for (const std::string& edge : start_graph_.unknown) add("unknown-dependency", edge);
  for (const ServiceView& view : views_) {
    if (view.target == nullptr || view.target->strategy == Strategy::kDownloadThenKill) continue;
    add("unsupported-strategy", view.name + ": the update strategy " +
                                    std::string(StrategyName(view.target->strategy)) +
                                    " is not supported yet");
  }
  const std::vector<std::string>& failed = facts_.record.failed;
  if (facts_.release() != nullptr &&
      std::find(failed.begin(), failed.end(), facts_.to()) != failed.end()) {
    add("release-failed", "release " + facts_.to() +
                              " failed on this device and is not tried again until the target "
                              "changes or somebody asks");
  }
}

bool AppPlanner::Blocked() const {
  return std::any_of(plan_.gaps.begin(), plan_.gaps.end(),
                     [](const Gap& gap) { return gap.blocks; });
}

bool AppPlanner::CutoverBegun() const { return facts_.record.cutover == facts_.to(); }

bool AppPlanner::GoesBack() const {
  const std::vector<std::string>& failed = facts_.record.failed;
  return facts_.release() != nullptr && plan_.from && CutoverBegun() &&
         start_graph_.cycle.empty() &&
         std::find(failed.begin(), failed.end(), facts_.to()) != failed.end();
}

// True where the change of this service waits for the locks of the app (design, "What is gated").
bool AppPlanner::Touches(const ServiceView& view) const {
  const auto up = [](const ObservedContainer* container) {
    return container != nullptr && container->IsUp();
  };
  if (up(view.present) || std::any_of(view.left_over.begin(), view.left_over.end(), up))
    return true;
  if (up(view.future) && !view.ShouldRun()) return true;
  // Nothing is left to interrupt: what was begun under the locks goes forward without them.
  if (CutoverBegun()) return false;
  const bool new_release = facts_.record.committed != facts_.to();
  if (view.target == nullptr) return new_release;
  if (view.future == nullptr) return new_release || view.present != nullptr;
  return view.is_new && view.ShouldRun() && NeedsStart(view);
}

bool AppPlanner::NeedsStart(const ServiceView& view) const {
  if (!view.ShouldRun()) return false;
  return view.future == nullptr || WantsStart(*view.future, RestartPolicyOf(view.target->spec));
}

// A stopped or missing service of the running release starts without a lock (I11).
bool AppPlanner::StartIsGated(const ServiceView& view) const {
  if (!gated_) return false;
  if (view.is_new || view.present != nullptr) return true;
  return view.future == nullptr && facts_.record.committed != facts_.to();
}

std::string_view AppPlanner::StartSubject(const ServiceView& view) const {
  if (view.future != nullptr) return view.future->id;
  const auto i = static_cast<std::size_t>(&view - views_.data());
  return names_to_create_[i];
}

void AppPlanner::Prepare() {
  names_to_create_.resize(views_.size());
  if (facts_.release() == nullptr) return;
  const TargetRelease& release = *facts_.release();
  const auto has = [](const auto& list, const std::string& name) {
    return std::any_of(list.begin(), list.end(), [&](const auto* x) { return x->name == name; });
  };
  for (const auto& [name, config] : release.networks) {
    if (has(facts_.networks, name)) continue;
    networks_[name] = steps_.Add(StepKind::kCreateNetwork, Phase::kPrepare, "", name, {});
    prepared_.push_back(networks_[name]);
  }
  for (const auto& [name, config] : release.volumes) {
    if (has(facts_.volumes, name)) continue;
    volumes_[name] = steps_.Add(StepKind::kCreateVolume, Phase::kPrepare, "", name, {});
    prepared_.push_back(volumes_[name]);
  }
  for (const ObservedVolume* volume : facts_.volumes) {
    const auto wanted = release.volumes.find(volume->name);
    if (wanted == release.volumes.end() || volume->config.is_null() ||
        volume->config == wanted->second) {
      continue;
    }
    plan_.gaps.push_back({"volume-changed",
                          volume->name + ": the definition of an existing volume is not changed, "
                                         "so that its data is kept",
                          false});
  }
  for (std::size_t i = 0; i < views_.size(); ++i) PrepareContainer(i);
}

StepIndices AppPlanner::PrepareResources(const ServiceView& view) {
  StepIndices after;
  if (!view.image_here) {
    const std::string image = NormalizedReference(view.target->spec.image);
    auto pull = pulls_.find(image);
    if (pull == pulls_.end()) {
      const StepIndex index =
          steps_.Add(StepKind::kPullImage, Phase::kPrepare, view.name, view.target->spec.image, {});
      prepared_.push_back(index);
      pull = pulls_.emplace(image, index).first;
    }
    after.push_back(pull->second);
  }
  for (const std::string& name : NetworksOf(view.target->spec)) {
    if (const auto it = networks_.find(name); it != networks_.end()) after.push_back(it->second);
  }
  for (const std::string& name : VolumesOf(view.target->spec)) {
    if (const auto it = volumes_.find(name); it != volumes_.end()) after.push_back(it->second);
  }
  return after;
}

void AppPlanner::PrepareContainer(std::size_t i) {
  ServiceView& view = views_[i];
  if (view.target == nullptr) return;
  if (view.future == nullptr) {
    names_to_create_[i] = NameToCreate(view);
    const StepIndex create =
        steps_.Add(StepKind::kCreateContainer, Phase::kPrepare, view.name, names_to_create_[i],
                   PrepareResources(view), ConfigHash(view.target->spec));
    steps_[create].why = view.why;
    work_[i].create = create;
    prepared_.push_back(create);
    return;
  }
  // Made but not attached to all its networks: the maker was cut off.
  if (view.future->state != ContainerState::kCreated || !view.future->networks) return;
  for (const std::string& name : NetworksOf(view.target->spec)) {
    const auto& have = *view.future->networks;
    if (std::find(have.begin(), have.end(), name) != have.end()) continue;
    StepIndices after;
    if (const auto it = networks_.find(name); it != networks_.end()) after.push_back(it->second);
    const StepIndex connect = steps_.Add(StepKind::kConnectNetwork, Phase::kPrepare, view.name,
                                         view.future->id, std::move(after), name);
    work_[i].before_start.push_back(connect);
    prepared_.push_back(connect);
  }
}

std::string AppPlanner::NameToCreate(const ServiceView& view) const {
  std::string name = FinalName(*facts_.release(), *view.target);
  if (context_.names.find(name) == context_.names.end()) return name;
  const std::string beside =
      name + "." + Hex16(ContentHash().Add(ConfigHash(view.target->spec)).Finish()).substr(0, 8);
  return beside;
}

void AppPlanner::SetStatuses() {
  for (std::size_t i = first_step_; i < all_steps_.size(); ++i) {
    Step& step = all_steps_[i];
    std::sort(step.after.begin(), step.after.end());
    step.after.erase(std::unique(step.after.begin(), step.after.end()), step.after.end());
    const bool behind_gate =
        held_ && (step.kind == StepKind::kTakeLocks ||
                  std::any_of(step.after.begin(), step.after.end(), [&](StepIndex before) {
                    return all_steps_[before].status == StepStatus::kHeld;
                  }));
    step.status = behind_gate          ? StepStatus::kHeld
                  : step.after.empty() ? StepStatus::kReady
                                       : StepStatus::kWaiting;
  }
  if (all_steps_.size() == first_step_) {
    plan_.status = Blocked() ? PlanStatus::kBlocked : PlanStatus::kInSync;
  } else {
    plan_.status = held_ ? PlanStatus::kHeld : PlanStatus::kReady;
  }
}

}  // namespace lockstep
