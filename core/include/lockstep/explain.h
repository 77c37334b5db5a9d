// A plan in plain words, for people: what differs, what a step does, and why one waits.
//
// What came from a target, an engine or a lock directory is in the words as it is: whoever shows
// them makes control characters harmless first.
#ifndef LOCKSTEP_EXPLAIN_H_
#define LOCKSTEP_EXPLAIN_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/change.h"
#include "lockstep/findings.h"
#include "lockstep/lock.h"
#include "lockstep/plan.h"

namespace lockstep {

enum class ShowValues { kNo, kYes };  // kNo hides what may be secret.

// One thing that differs, taken apart for views that align or shorten it.
struct Difference {
  std::string field;                // "user", "healthcheck.interval", "environment.A"
  std::optional<std::string> from;  // None: it was not there.
  std::optional<std::string> to;    // None: it goes.
  bool hidden = false;              // May be secret: the texts in `from` and `to` are empty.
  friend bool operator==(const Difference&, const Difference&) = default;
};

// What differs by a reason, maps member by member. Empty where the reason is of no field.
std::vector<Difference> Differences(const Reason& reason, ShowValues values = ShowValues::kNo);

// "user changes from root to nobody"
std::string Explain(const Reason& reason, ShowValues values = ShowValues::kNo);
// "stop web", "download registry/x:1", ...
std::string Explain(const Step& step);
// "it exited with 3, its engine started it again 8 times", without what it printed; empty where
// nothing more is known.
std::string Explain(const Findings& findings);
// "12 s", "3 min", "2 h 5 min"; a negative one is "0 s".
std::string ExplainAge(std::chrono::milliseconds age);

// For each step the steps that it comes right after: Step::after in rising order, without those
// that another of them comes after anyway. The work is bounded: in a plan that is very tangled a
// few that could be left out may stay.
std::vector<std::vector<std::uint32_t>> DirectPredecessors(const Plan& plan);

enum class WaitCode {
  kLockHeld,   // An app holds `holder`, and this is the step that takes, or minds, the locks.
  kGateHeld,   // `step` waits for locks that apps hold, and this one comes after it.
  kAfterStep,  // `step` is to be done first.
};
std::string_view WaitCodeName(WaitCode code);  // "lock-held", "gate-held", "after-step"

// Who holds an app up, in a word: the service that has the lock, or "paused by a person".
std::string WhoHolds(const LockHolder& holder);

// Why a step does not run now.
struct WaitReason {
  WaitCode code{};
  std::uint32_t step = 0;              // Index into Plan::steps; not with kLockHeld.
  const LockHolder* holder = nullptr;  // Into the plan; with kLockHeld alone.
};

// For each step of the plan why it waits: first the locks, then what comes before it. Empty for a
// step that could run now. The plan must outlive the answer.
std::vector<std::vector<WaitReason>> ExplainWaits(const Plan& plan);

// "waits for the update lock of db", "comes after: stop web"
std::string Explain(const WaitReason& reason, const Plan& plan);

}  // namespace lockstep

#endif  // LOCKSTEP_EXPLAIN_H_
