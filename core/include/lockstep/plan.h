// Plan: everything that would be done to reach a target, step by step, with reasons. A value.
#ifndef LOCKSTEP_PLAN_H_
#define LOCKSTEP_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/change.h"
#include "lockstep/lock.h"
#include "lockstep/target.h"

namespace lockstep {

enum class StepKind {
  kCheckImage,  // The registry answers for an image that is downloaded after its service stopped.
  kPullImage,
  kCreateNetwork,
  kCreateVolume,
  kCreateContainer,
  kTakeLocks,
  kStopContainer,
  kStartContainer,
  kRenameContainer,
  kUpdateContainer,  // Changes the restart policy.
  kConnectNetwork,
  kDisconnectNetwork,
  kAwaitHealth,
  kAwaitHandover,
  kReleaseLocks,
  kCommitRelease,
  kRemoveContainer,
  kRemoveImage,
  kRemoveNetwork,
  kPurgeVolume,
  kWriteConfig,
  kDeleteLock,
  kReboot,
};
inline constexpr std::size_t kStepKindCount = static_cast<std::size_t>(StepKind::kReboot) + 1;

// True where a table has one row (with a member `kind`) for each kind of step, in their order. For
// static_assert: then a new kind cannot be forgotten, and StepKindRow finds its row.
template <typename Table>
constexpr bool CoversStepKinds(const Table& table) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].kind) != i) return false;
  }
  return table.size() == kStepKindCount;
}
template <typename Table>
constexpr const auto& StepKindRow(const Table& table, StepKind kind) {
  return table[static_cast<std::size_t>(kind)];
}

enum class Phase { kPrepare, kCutover, kSettle, kCleanup, kConfig };
enum class StepStatus { kReady, kWaiting, kHeld, kDeferred };
enum class ServiceChange {
  kNone,
  kCreate,
  kRecreate,
  kRename,
  kStart,
  kStop,
  kRemove,
  kRestart,
  kReconnect,  // Runs on, attached again to a network that it lost.
};
inline constexpr std::size_t kServiceChangeCount =
    static_cast<std::size_t>(ServiceChange::kReconnect) + 1;
enum class PlanStatus { kInSync, kReady, kHeld, kBlocked };  // Of an app, and of the whole.
enum class ConfigAction { kApply, kDefer, kNone, kRefuse };

std::string_view StepKindName(StepKind kind);
std::string_view PhaseName(Phase phase);
std::string_view StepStatusName(StepStatus status);
std::string_view ServiceChangeName(ServiceChange change);
std::string_view PlanStatusName(PlanStatus status);
std::string_view ConfigActionName(ConfigAction action);

// Made from a step's content: the same step has the same id in the next plan.
struct StepId {
  std::uint64_t value = 0;
  std::string ToString() const;  // "s1:<16 hex>"
  friend auto operator<=>(const StepId&, const StepId&) = default;
};

struct Step {
  StepId id;
  StepKind kind{};
  Phase phase{};
  StepStatus status{};
  bool disruptive = false;  // Can interrupt a running service (design, section 2).
  std::string app;
  std::string service;  // Empty for a step of the whole app.
  // Image reference, container id (before it exists: the name it will get), network, volume, key.
  std::string subject;
  // What is to be said besides the subject: the name a rename gives, the policy an update sets, the
  // network of a connect.
  std::string detail;
  std::vector<std::uint32_t> after;  // Direct predecessors: indices into Plan::steps, all smaller.
  std::vector<Reason> why;
};

// True for the end of an app that was removed: nothing is remembered of it after that.
inline constexpr std::string_view kForgetApp = "forget";
inline bool ForgetsApp(const Step& step) {
  return step.kind == StepKind::kCommitRelease && step.detail == kForgetApp;
}

struct ServicePlan {
  std::string service;
  ServiceChange change = ServiceChange::kNone;
  Strategy strategy = Strategy::kDownloadThenKill;
  std::vector<Reason> why;
};

struct AppPlan {
  std::string app;
  std::string name;
  PlanStatus status = PlanStatus::kInSync;
  std::optional<std::string> from;  // The committed release.
  std::optional<std::string> to;
  std::vector<ServicePlan> services;  // Sorted by name.
  std::vector<LockHolder> holders;    // Every one, of services in current or target.
  std::vector<Gap> gaps;
  // False once an old container is gone, or on its way out, that going back would need.
  bool way_back = true;
  // Why, in words, the app could not go back once this release runs; empty where it could.
  std::string no_way_back = {};
  bool paused = false;  // By a person: the pause is among the holders.
};

struct ConfigPlan {
  std::string key;
  std::optional<std::string> from;
  std::optional<std::string> to;
  bool needs_reboot = false;
  ConfigAction action = ConfigAction::kNone;
  std::string message;       // Why it is refused, or not in force yet.
  std::string backend = {};  // Whose it is; empty: a setting of Lockstep itself, or nobody's.
};

struct Plan {
  std::string fingerprint;  // "p1:<16 hex>" over target, changes, step ids and `after`.
  PlanStatus status = PlanStatus::kInSync;
  WallTime made_for{};             // When the state it was made for was taken: ages count from it.
  std::vector<AppPlan> apps;       // Sorted by app.
  std::vector<ConfigPlan> config;  // Sorted by key.
  std::string configuration;       // RebootRecord::configuration for the target.
  std::vector<Step> steps;         // A valid order of execution.

  const AppPlan* FindApp(std::string_view app) const;  // Null: it does not plan for that.
};

// The step that reboots the device: the last one. Null where it is not to be rebooted.
const Step* RebootOf(const Plan& plan);

}  // namespace lockstep

#endif  // LOCKSTEP_PLAN_H_
