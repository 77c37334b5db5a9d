// What happens while a target is applied, for people and programs that watch.
#ifndef LOCKSTEP_EVENT_H_
#define LOCKSTEP_EVENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/error.h"
#include "lockstep/findings.h"
#include "lockstep/lock.h"
#include "lockstep/plan.h"
#include "lockstep/pull_progress.h"

namespace lockstep {

enum class EventKind {
  kPlan,  // A first plan, or one with other changes than the last: `plan`.
  kStepStarted,
  kProgress,  // Bytes of a pull.
  kStepDone,
  kStepFailed,  // `error`; the step may be tried again. With `findings` it is not.
  kHeld,        // An app waits for locks: `holders`.
  kReleased,    // Every lock of a held app is gone, and Lockstep has taken them.
  kCommitted,   // The app settled on its release.
  kRolledBack,  // The app went back to the release it came from.
  kDone,        // Nothing is left to do, or to wait for.
};
std::string_view EventKindName(EventKind kind);  // "step-started", ...

struct Event {
  std::uint64_t seq = 0;  // From 1, without gaps.
  WallTime time{};
  EventKind kind = EventKind::kPlan;
  std::string app;
  std::string service;
  std::optional<StepId> step;
  StepKind step_kind{};  // With `step`.
  std::string subject;   // With `step`.
  // kProgress
  std::int64_t current_bytes = 0;
  std::int64_t total_bytes = 0;
  double bytes_per_second = 0;        // 0: not known.
  std::vector<LayerProgress> layers;  // As PullProgress has them.
  std::optional<Error> error;
  Findings findings;  // kStepFailed: what was found out about the container; often empty.
  // kHeld: who holds. kStepDone of take-locks: the app locks that force removed.
  std::vector<LockHolder> holders;
  const Plan* plan = nullptr;  // With kPlan; lives for the call only.
};

// Thread-safety: called from several threads, one call at a time, in the order of `seq`.
// Must not block: it stands in the way of the update.
class EventObserver {
 public:
  virtual ~EventObserver() = default;
  virtual void OnEvent(const Event& event) = 0;
};

}  // namespace lockstep

#endif  // LOCKSTEP_EVENT_H_
