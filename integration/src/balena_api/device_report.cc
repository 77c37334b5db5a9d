#include "balena_api/device_report.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

// balena's words for what a service does.
constexpr std::string_view kRunning = "Running";
constexpr std::string_view kDownloading = "Downloading";
constexpr std::string_view kDownloaded = "Downloaded";
constexpr std::string_view kInstalling = "Installing";
constexpr std::string_view kInstalled = "Installed";
constexpr std::string_view kStarting = "Starting";
constexpr std::string_view kStopping = "Stopping";
constexpr std::string_view kHandingOver = "Handing over";
constexpr std::string_view kAwaitingHandover = "Awaiting handover";

std::string_view WordFor(ContainerState state) {
  switch (state) {
    case ContainerState::kCreated:
      return kInstalled;
    case ContainerState::kRunning:
      return kRunning;
    case ContainerState::kDead:
      return "Dead";
    default:
      return ContainerStateName(state);
  }
}

int Percent(const PullProgress& progress) {
  if (progress.total_bytes <= 0) return 0;
  const double part =
      static_cast<double>(progress.current_bytes) / static_cast<double>(progress.total_bytes);
  return std::clamp(static_cast<int>(part * 100), 0, 100);
}

// Of two containers of one service and release, the one that counts.
bool CountsMore(const ObservedContainer& a, const ObservedContainer& b) {
  if (a.IsUp() != b.IsUp()) return a.IsUp();
  return a.created_at > b.created_at;
}

class AppReporter {
 public:
  AppReporter(const TargetApp& app, const Plan& plan, const ObservedState& state,
              const UpdateActivity& activity)
      : app_(app),
        plan_(plan),
        state_(state),
        activity_(activity),
        app_plan_(plan.FindApp(app.uuid)) {
    for (const ObservedContainer& container : state.engine.containers) {
      if (!container.owned || container.app != app.uuid) continue;
      if (container.service.empty() || container.commit.empty()) continue;
      const ObservedContainer*& known = containers_[{container.commit, container.service}];
      if (known == nullptr || CountsMore(container, *known)) known = &container;
    }
    in_span_ = state.HasSpan(app.uuid);
    waiting_ = !in_span_ && HasStep(StepKind::kTakeLocks, {});
  }

  ReportedApp Report() const {
    ReportedApp report;
    report.release_uuid = Committed();
    if (app_.release) {
      report.target = app_.release->commit;
      report.releases[app_.release->commit] = TargetRelease();
    }
    for (const auto& [key, container] : containers_) {
      const auto& [commit, service] = key;
      if (commit == report.target || !Counts(*container)) continue;
      ReleaseReport& release = report.releases[commit];
      release.update_status = "done";
      release.services[service] = {ImageOf(*container),
                                   std::string(OldStatus(*container, report.target))};
    }
    return report;
  }

 private:
  std::optional<std::string> Committed() const {
    if (app_plan_ != nullptr) return app_plan_->from;
    const AppRecord* record = state_.FindApp(app_.uuid);
    return record == nullptr ? std::nullopt : record->committed;
  }

  const ObservedContainer* Find(const std::string& commit, const std::string& service) const {
    const auto found = containers_.find({commit, service});
    return found == containers_.end() ? nullptr : found->second;
  }

  // Of a release that is not the target: what is still of use.
  bool Counts(const ObservedContainer& container) const {
    if (container.IsUp()) return true;
    if (container.commit != Committed()) return false;
    const auto* next = app_.release ? Find(app_.release->commit, container.service) : nullptr;
    return next == nullptr || !next->IsUp();
  }

  std::string ImageOf(const ObservedContainer& container) const {
    const auto release = activity_.images.find(container.commit);
    if (release == activity_.images.end()) return container.image;
    const auto service = release->second.find(container.service);
    return service == release->second.end() ? container.image : service->second;
  }

  // A step of this app that is still to be done; `subject` empty: any.
  bool HasStep(StepKind kind, std::string_view subject) const {
    return std::any_of(plan_.steps.begin(), plan_.steps.end(), [&](const Step& step) {
      return step.kind == kind && step.app == app_.uuid &&
             (subject.empty() || step.subject == subject);
    });
  }

  bool IsBeing(StepKind kind, const ObservedContainer& container) const {
    return std::any_of(plan_.steps.begin(), plan_.steps.end(), [&](const Step& step) {
      return step.kind == kind && activity_.running.contains(step.id) &&
             (step.subject == container.id || step.subject == container.name);
    });
  }

  std::string_view StatusOf(const ObservedContainer& container) const {
    if (IsBeing(StepKind::kStopContainer, container)) return kStopping;
    if (IsBeing(StepKind::kStartContainer, container)) return kStarting;
    // It is made beforehand, and waits with all the others.
    if (container.state == ContainerState::kCreated && waiting_) return kDownloaded;
    return WordFor(container.state);
  }

  std::string_view OldStatus(const ObservedContainer& container,
                             const std::optional<std::string>& target) const {
    const std::string_view status = StatusOf(container);
    const auto* next = target ? Find(*target, container.service) : nullptr;
    const bool both = status == kRunning && next != nullptr && next->IsUp();
    return both ? kHandingOver : status;
  }

  bool AnotherRuns(const std::string& service) const {
    return std::any_of(containers_.begin(), containers_.end(), [&](const auto& entry) {
      return entry.first.second == service && entry.first.first != app_.release->commit &&
             entry.second->state == ContainerState::kRunning;
    });
  }

  ServiceReport Service(const TargetService& service) const {
    ServiceReport report{service.spec.image, std::string(kDownloaded)};
    const auto* container = Find(app_.release->commit, service.name);
    const auto download = activity_.downloads.find(service.spec.image);
    if (container != nullptr) {
      report.status = StatusOf(*container);
      if (report.status == kRunning && AnotherRuns(service.name)) report.status = kAwaitingHandover;
    } else if (download != activity_.downloads.end()) {
      report.status = kDownloading;
      report.download_progress = Percent(download->second);
    } else if (HasStep(StepKind::kPullImage, service.spec.image)) {
      report.status = kDownloading;
      report.download_progress = 0;
    } else if (in_span_) {
      report.status = kInstalling;
    }
    return report;
  }

  ReleaseReport TargetRelease() const {
    ReleaseReport release;
    const bool blocked = app_plan_ != nullptr && app_plan_->status == PlanStatus::kBlocked;
    for (const TargetService& service : app_.release->services) {
      // Of a target that is not gone for, only what is there already.
      if (blocked && Find(app_.release->commit, service.name) == nullptr) continue;
      release.services[service.name] = Service(service);
    }
    release.update_status = blocked ? BlockedStatus() : UpdateStatus(release.services);
    return release;
  }

  std::string_view BlockedStatus() const {
    const auto& gaps = app_plan_->gaps;
    const bool failed = std::any_of(gaps.begin(), gaps.end(),
                                    [](const Gap& gap) { return gap.code == "release-failed"; });
    return failed ? "aborted" : "rejected";
  }

  // The first that any service is at.
  std::string_view UpdateStatus(const std::map<std::string, ServiceReport>& services) const {
    const auto any = [&](std::initializer_list<std::string_view> words) {
      return std::any_of(services.begin(), services.end(), [&](const auto& service) {
        return std::find(words.begin(), words.end(), service.second.status) != words.end();
      });
    };
    if (any({kDownloading})) return "downloading";
    if (any({kDownloaded})) return "downloaded";
    if (any({kInstalling, kInstalled, kStarting, kAwaitingHandover})) return "applying changes";
    return Committed() == app_.release->commit ? "done" : "applying changes";  // It has to settle.
  }

  const TargetApp& app_;
  const Plan& plan_;
  const ObservedState& state_;
  const UpdateActivity& activity_;
  const AppPlan* app_plan_;  // Null where nothing is planned for it.
  bool in_span_ = false;     // It is being cut over.
  bool waiting_ = false;     // It is still to be cut over.
  std::map<std::pair<std::string, std::string>, const ObservedContainer*> containers_;
};

}  // namespace

void RememberImages(const Target& target, const ObservedState& state, UpdateActivity& activity) {
  std::set<std::string> left;
  for (const ObservedContainer& container : state.engine.containers) left.insert(container.commit);
  std::erase_if(activity.images, [&](const auto& entry) { return !left.contains(entry.first); });
  for (const TargetApp& app : target.apps) {
    if (!app.release) continue;
    auto& images = activity.images[app.release->commit];
    for (const TargetService& service : app.release->services) {
      images[service.name] = service.spec.image;
    }
  }
}

DeviceReport ReportOf(const Plan& plan, const ObservedState& state, const Target& target,
                      const UpdateActivity& activity) {
  DeviceReport report;
  for (const TargetApp& app : target.apps) {
    if (app.is_host || app.id.empty()) continue;
    report.apps[app.uuid] = AppReporter(app, plan, state, activity).Report();
  }
  return report;
}

}  // namespace lockstep
