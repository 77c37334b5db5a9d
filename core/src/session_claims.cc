// Whether what was reported as done is done.
#include <set>
#include <utility>

#include "lockstep/explain.h"
#include "lockstep/session.h"

namespace lockstep {

// A step that was reported as done and that a look still finds to be done counts as failed, so that
// nothing loops for ever. A start has its own count: its container may have ended again.
void Session::CheckClaims(MonoTime now) {
  if (!std::exchange(check_claims_, false)) return;
  for (const Step& step : plan_.steps) {
    if (claimed_.erase(step.id) == 0) continue;
    CountFailure(
        step,
        WithContext(MakeError(ErrorCode::kBadReply, "reported as done, but it had no effect",
                              "look at the engine's log"),
                    Explain(step)),
        now);
  }
  for (const StepId confirmed : claimed_) attempts_.erase(confirmed);
  claimed_.clear();
  believed_.clear();
  ForgetWhatIsNotPlanned();
}

// A step that was done and is to be done all the same: the device is another than it is believed to
// be, and only a look can tell. One that a plan was without meanwhile is to be done once more.
void Session::DoubtClaims() {
  if (claimed_.empty()) return;
  std::set<StepId> planned;
  for (const Step& step : plan_.steps) {
    if (!claimed_.contains(step.id)) continue;
    if (believed_.erase(step.id) != 0) {
      claimed_.erase(step.id);
      continue;
    }
    planned.insert(step.id);
    need_look_ = true;
    RunOf(step).wants_look = true;
  }
  for (const StepId id : claimed_) {
    if (!planned.contains(id)) believed_.insert(id);
  }
}

}  // namespace lockstep
