// RunControl: what an embedder tells a Run that is under way, and asks of it.
#ifndef LOCKSTEP_RUN_CONTROL_H_
#define LOCKSTEP_RUN_CONTROL_H_

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "lockstep/observed_state.h"
#include "lockstep/plan.h"
#include "lockstep/pull_progress.h"
#include "lockstep/requests.h"
#include "lockstep/result.h"
#include "lockstep/session.h"
#include "lockstep/target.h"

namespace lockstep {

// A Run at one instant.
struct RunView {
  std::shared_ptr<const Target> target;  // Never null.
  ObservedState observed;
  Plan plan;
  std::vector<AppReport> apps;           // As Session::Reports says.
  std::set<StepId> running;              // Steps under way.
  std::map<StepId, PullProgress> pulls;  // Of those, how far downloads are.
  std::optional<Error> look_error;       // Why the device could not be looked at last.
  bool at_rest = false;
};

// Outlives the Run that it is given to, and is given to one at a time.
// Thread-safety: every method may be called from any thread, and returns at once.
class RunControl {
 public:
  using Viewer = std::function<void(std::shared_ptr<const RunView>)>;

  RunControl() = default;
  RunControl(const RunControl&) = delete;
  RunControl& operator=(const RunControl&) = delete;

  // The device is to go there: see Session::SetTarget. The first one begins the run. Of several
  // that it has not taken up yet only the newest counts.
  void SetTarget(Target target);

  // kUnavailable until the device has been looked at for a first target.
  Result<void> Update(UpdateRequest request);
  Result<void> Ask(AppRequest request);

  // Calls `viewer` soon, from the thread of the Run, which it must not keep: with null where the
  // device has not been looked at yet. Who asks at the same time is given the same view.
  void View(Viewer viewer);

 private:
  friend class ApplyRun;
  friend class Orchestrator;
  using Request = std::variant<UpdateRequest, AppRequest>;
  struct Asked {
    std::optional<Target> target;
    std::vector<Request> requests;
    std::vector<Viewer> viewers;
  };

  // Of the Run. `wake` is called, from any thread, when Take() has something to give.
  void Attach(std::function<void()> wake);
  void Open();  // The first look was taken.
  void Detach();
  Asked Take();
  Result<void> Put(Request request);

  std::mutex mutex_;
  Asked asked_;
  std::function<void()> wake_;
  bool open_ = false;
};

}  // namespace lockstep

#endif  // LOCKSTEP_RUN_CONTROL_H_
