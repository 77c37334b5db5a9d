// Enumerators and the words for them in files and on screens, one table each.
#include <array>
#include <string_view>
#include <utility>

#include "lockstep/change.h"
#include "lockstep/event.h"
#include "lockstep/lock.h"
#include "lockstep/observed_state.h"
#include "lockstep/plan.h"
#include "lockstep/service_spec.h"

namespace lockstep {
namespace {

template <typename E, std::size_t n>
using Names = std::array<std::pair<E, std::string_view>, n>;

template <typename E, std::size_t n>
std::string_view NameIn(const Names<E, n>& names, E value) {
  for (const auto& [key, name] : names) {
    if (key == value) return name;
  }
  return "unknown";
}

template <typename E, std::size_t n>
std::optional<E> ValueIn(const Names<E, n>& names, std::string_view wanted) {
  for (const auto& [key, name] : names) {
    if (name == wanted) return key;
  }
  return std::nullopt;
}

constexpr Names<Strategy, 4> kStrategies = {{
    {Strategy::kDownloadThenKill, "download-then-kill"},
    {Strategy::kKillThenDownload, "kill-then-download"},
    {Strategy::kDeleteThenDownload, "delete-then-download"},
    {Strategy::kHandOver, "hand-over"},
}};

constexpr Names<LockKind, 5> kLockKinds = {{
    {LockKind::kExclusiveFile, "exclusive-file"},
    {LockKind::kFlock, "flock"},
    {LockKind::kDirectory, "directory"},
    {LockKind::kSymlink, "symlink"},
    {LockKind::kOther, "other"},
}};

constexpr Names<ContainerState, 7> kContainerStates = {{
    {ContainerState::kCreated, "created"},
    {ContainerState::kRunning, "running"},
    {ContainerState::kPaused, "paused"},
    {ContainerState::kRestarting, "restarting"},
    {ContainerState::kExited, "exited"},
    {ContainerState::kDead, "dead"},
    {ContainerState::kRemoving, "removing"},
}};

constexpr Names<Health, 4> kHealths = {{
    {Health::kNone, "none"},
    {Health::kStarting, "starting"},
    {Health::kHealthy, "healthy"},
    {Health::kUnhealthy, "unhealthy"},
}};

constexpr Names<ReasonCode, 18> kReasonCodes = {{
    {ReasonCode::kFieldChanged, "field-changed"},
    {ReasonCode::kImageChanged, "image-changed"},
    {ReasonCode::kNotInTarget, "not-in-target"},
    {ReasonCode::kMissing, "missing"},
    {ReasonCode::kNotRunning, "not-running"},
    {ReasonCode::kNetworkChanged, "network-changed"},
    {ReasonCode::kVolumeChanged, "volume-changed"},
    {ReasonCode::kDependencyRestarts, "dependency-restarts"},
    {ReasonCode::kReleaseChanged, "release-changed"},
    {ReasonCode::kUnhealthy, "unhealthy"},
    {ReasonCode::kShouldNotRun, "should-not-run"},
    {ReasonCode::kLeftOver, "left-over"},
    {ReasonCode::kReleaseFailed, "release-failed"},
    {ReasonCode::kPaused, "paused"},
    {ReasonCode::kRestarting, "restarting"},
    {ReasonCode::kNameChanged, "name-changed"},
    {ReasonCode::kAsked, "asked"},
    {ReasonCode::kLost, "lost"},
}};

constexpr Names<StepKind, 23> kStepKinds = {{
    {StepKind::kCheckImage, "check-image"},
    {StepKind::kPullImage, "pull-image"},
    {StepKind::kCreateNetwork, "create-network"},
    {StepKind::kCreateVolume, "create-volume"},
    {StepKind::kCreateContainer, "create-container"},
    {StepKind::kTakeLocks, "take-locks"},
    {StepKind::kStopContainer, "stop-container"},
    {StepKind::kStartContainer, "start-container"},
    {StepKind::kRenameContainer, "rename-container"},
    {StepKind::kUpdateContainer, "update-container"},
    {StepKind::kConnectNetwork, "connect-network"},
    {StepKind::kDisconnectNetwork, "disconnect-network"},
    {StepKind::kAwaitHealth, "await-health"},
    {StepKind::kAwaitHandover, "await-handover"},
    {StepKind::kReleaseLocks, "release-locks"},
    {StepKind::kCommitRelease, "commit-release"},
    {StepKind::kRemoveContainer, "remove-container"},
    {StepKind::kRemoveImage, "remove-image"},
    {StepKind::kRemoveNetwork, "remove-network"},
    {StepKind::kPurgeVolume, "purge-volume"},
    {StepKind::kWriteConfig, "write-config"},
    {StepKind::kDeleteLock, "delete-lock"},
    {StepKind::kReboot, "reboot"},
}};

constexpr Names<Phase, 5> kPhases = {{
    {Phase::kPrepare, "prepare"},
    {Phase::kCutover, "cutover"},
    {Phase::kSettle, "settle"},
    {Phase::kCleanup, "cleanup"},
    {Phase::kConfig, "config"},
}};

constexpr Names<StepStatus, 4> kStepStatuses = {{
    {StepStatus::kReady, "ready"},
    {StepStatus::kWaiting, "waiting"},
    {StepStatus::kHeld, "held"},
    {StepStatus::kDeferred, "deferred"},
}};

constexpr Names<ServiceChange, 9> kServiceChanges = {{
    {ServiceChange::kNone, "none"},
    {ServiceChange::kCreate, "create"},
    {ServiceChange::kRecreate, "recreate"},
    {ServiceChange::kRename, "rename"},
    {ServiceChange::kStart, "start"},
    {ServiceChange::kStop, "stop"},
    {ServiceChange::kRemove, "remove"},
    {ServiceChange::kRestart, "restart"},
    {ServiceChange::kReconnect, "reconnect"},
}};

constexpr Names<PlanStatus, 4> kPlanStatuses = {{
    {PlanStatus::kInSync, "in-sync"},
    {PlanStatus::kReady, "ready"},
    {PlanStatus::kHeld, "held"},
    {PlanStatus::kBlocked, "blocked"},
}};

constexpr Names<ConfigAction, 4> kConfigActions = {{
    {ConfigAction::kApply, "apply"},
    {ConfigAction::kDefer, "defer"},
    {ConfigAction::kNone, "none"},
    {ConfigAction::kRefuse, "refuse"},
}};

constexpr Names<EventKind, 10> kEventKinds = {{
    {EventKind::kPlan, "plan"},
    {EventKind::kStepStarted, "step-started"},
    {EventKind::kProgress, "progress"},
    {EventKind::kStepDone, "step-done"},
    {EventKind::kStepFailed, "step-failed"},
    {EventKind::kHeld, "held"},
    {EventKind::kReleased, "released"},
    {EventKind::kCommitted, "committed"},
    {EventKind::kRolledBack, "rolled-back"},
    {EventKind::kDone, "done"},
}};

}  // namespace

std::string_view StrategyName(Strategy strategy) { return NameIn(kStrategies, strategy); }
std::optional<Strategy> StrategyFromName(std::string_view name) {
  return ValueIn(kStrategies, name);
}
std::string_view LockKindName(LockKind kind) { return NameIn(kLockKinds, kind); }
LockKind LockKindFromName(std::string_view name) {
  return ValueIn(kLockKinds, name).value_or(LockKind::kOther);
}
std::string_view ContainerStateName(ContainerState state) {
  return NameIn(kContainerStates, state);
}
std::optional<ContainerState> ContainerStateFromName(std::string_view name) {
  return ValueIn(kContainerStates, name);
}
std::string_view HealthName(Health health) { return NameIn(kHealths, health); }
std::optional<Health> HealthFromName(std::string_view name) { return ValueIn(kHealths, name); }
std::string_view ReasonCodeName(ReasonCode code) { return NameIn(kReasonCodes, code); }
std::string_view StepKindName(StepKind kind) { return NameIn(kStepKinds, kind); }
std::string_view PhaseName(Phase phase) { return NameIn(kPhases, phase); }
std::string_view StepStatusName(StepStatus status) { return NameIn(kStepStatuses, status); }
std::string_view ServiceChangeName(ServiceChange change) { return NameIn(kServiceChanges, change); }
std::string_view PlanStatusName(PlanStatus status) { return NameIn(kPlanStatuses, status); }
std::string_view ConfigActionName(ConfigAction action) { return NameIn(kConfigActions, action); }
std::string_view EventKindName(EventKind kind) { return NameIn(kEventKinds, kind); }

}  // namespace lockstep
