// Performs the effect of one step by calling the ports.
#ifndef LOCKSTEP_STEP_RUNNER_H_
#define LOCKSTEP_STEP_RUNNER_H_

#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "lockstep/orchestrator.h"
#include "lockstep/step_request.h"

namespace lockstep {

// Thread-safe: steps run side by side.
class StepRunner {
 public:
  explicit StepRunner(Ports ports) : ports_(ports) {}

  // Blocks. `progress` is told of a pull's bytes.
  Result<StepResult> Run(const Step& step, const StepRequest& request, ProgressSink& progress,
                         std::stop_token stop);

  // What the locks of an app are held for.
  enum class For { kCutover, kReboot };

  // Takes over the locks of `app` that an earlier process left. Returns whether they are all ours
  // now.
  Result<bool> Adopt(const std::string& app, const std::vector<ServiceRef>& services, For purpose);

  // The machine reboots: the locks stay where they are, and are void then.
  void Abandon();

  // The apps whose locks are held, sorted.
  std::vector<std::string> Spans(For purpose);

 private:
  struct Span {
    For purpose = For::kCutover;  // Constant.
    std::mutex mutex;
    std::vector<LockSet> locks;
    std::vector<LockHolder> lost_to;  // Not empty: an app took one, and the rest was given back.
  };

  Result<std::vector<LockHolder>> Reassert(const std::string& app);
  Result<std::vector<LockHolder>> ReassertAll(const std::vector<std::string>& apps);
  std::shared_ptr<Span> FindSpan(const std::string& app) const;
  void Keep(const std::string& app, std::vector<LockSet> locks, For purpose);
  Result<void> Drop(const std::string& app);

  struct Performer;

  Ports ports_;
  mutable std::mutex mutex_;                            // Of `spans_`.
  std::map<std::string, std::shared_ptr<Span>> spans_;  // Lost ones too, until they are dropped.
};

}  // namespace lockstep

#endif  // LOCKSTEP_STEP_RUNNER_H_
