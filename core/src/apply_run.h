// One Apply or Run: a Session, the threads that perform its actions, and the queue of facts between
// them.
#ifndef LOCKSTEP_APPLY_RUN_H_
#define LOCKSTEP_APPLY_RUN_H_

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "lockstep/orchestrator.h"
#include "lockstep/session.h"
#include "step_runner.h"
#include "worker_pool.h"

namespace lockstep {

class ApplyRun {
 public:
  ApplyRun(Orchestrator& orchestrator, Ports ports, Target target, const ApplyOptions& options,
           EventObserver& observer);
  Result<ApplyReport> Run(std::stop_token interrupt);
  // As Orchestrator::Run says.
  bool KeepGoing(RunControl& control, std::stop_token interrupt);

 private:
  struct Looked {
    Result<ObservedState> state;
  };
  struct StepEnded {
    StepId step;
    Result<StepResult> result;
  };
  struct Examined {
    std::string container;
    Findings findings;
  };
  struct EngineGap {};
  struct LocksChanged {};
  struct Interrupted {};
  struct Asked {};  // RunControl has something.
  using Fact = std::variant<Looked, StepEnded, Examined, EngineEvent, EngineGap, LocksChanged,
                            Interrupted, Asked>;
  class EngineSink;
  class LocksSink;
  class PullSink;

  Result<ObservedState> Look(const Target& target, std::stop_token stop,
                             std::vector<std::string> seen = {});
  // The first look, and what it says is to be put right before anything else.
  Result<ObservedState> Begin(std::stop_token stop);
  Result<void> AskAgain(ObservedState& observed);
  Result<void> AdoptSpans(ObservedState& observed);
  void AdoptForReboot(const ObservedState& observed);
  void Adopt(const ObservedState& observed, const std::string& app, StepRunner::For purpose);
  void NoteSpans(ObservedState& observed);
  void WarnOfNearMisses();
  void RecoverConfig();
  Result<void> FinishReboot(ObservedState& observed);

  void Loop(std::stop_token interrupt);
  void WaitForFacts();
  std::optional<ObservedState> BeginWhenPossible(const std::stop_token& interrupt);
  void TakeRequests();
  void GoOn();
  void AnswerViewers();
  std::shared_ptr<const RunView> View();
  WorkerPool& Workers();
  void Rest();
  void Tell(Fact fact);
  void Take(Fact& fact);

  void Perform(Action& action);
  void PerformLook(LookAction& action);
  void DropLook();
  void PerformExamination(const std::string& container);
  void PerformStep(RunStepAction& action);
  void WatchEngine();
  void WatchLocks(std::vector<ServiceRef> services);
  void Note(StepId pull, const PullProgress& progress);
  void Emit(Event event);
  // Says what goes wrong beside the steps; the run goes on.
  void Warn(const ServiceRef& of, Error error);

  Orchestrator& orchestrator_;
  Ports ports_;
  const ApplyOptions& options_;
  EventObserver& observer_;
  Session session_;
  StepRunner runner_;
  std::optional<MonoTime> deadline_;
  RunControl* control_ = nullptr;        // Of a Run.
  std::shared_ptr<const RunView> view_;  // Null where it is old.
  std::vector<RunControl::Viewer> viewers_;
  bool moved_ = true;  // Something has happened that the Session has not been asked about.

  std::mutex mutex_;  // Of `facts_`.
  std::condition_variable_any arrived_;
  std::vector<Fact> facts_;

  std::mutex emit_mutex_;
  std::uint64_t last_seq_ = 0;

  std::mutex pulls_mutex_;
  std::map<StepId, PullProgress> pulls_;

  std::map<StepId, std::stop_source> stops_;  // Of running steps; the loop's own.
  std::stop_source look_stop_;
  std::stop_source examine_stop_;
  // Threads last, so that they end before what they use.
  std::optional<WorkerPool> workers_;
  std::map<StepId, std::jthread> waiting_;  // Steps that wait for an app; each ends with its step.
  std::jthread engine_watch_;
  std::vector<std::jthread> lock_watches_;  // The last one is current; the others are ending.
};

}  // namespace lockstep

#endif  // LOCKSTEP_APPLY_RUN_H_
