// Session: the state machine that carries a device to its target. It has no I/O, no thread and no
// clock: facts go in with the time they are known at, actions come out.
#ifndef LOCKSTEP_SESSION_H_
#define LOCKSTEP_SESSION_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "lockstep/app_report.h"
#include "lockstep/clock.h"
#include "lockstep/event.h"
#include "lockstep/observed_state.h"
#include "lockstep/plan.h"
#include "lockstep/planner.h"
#include "lockstep/requests.h"
#include "lockstep/result.h"
#include "lockstep/runtime_backend.h"
#include "lockstep/session_action.h"
#include "lockstep/session_options.h"
#include "lockstep/step_request.h"
#include "lockstep/target.h"

namespace lockstep {

// Not thread-safe: one thread feeds it. Every input must be followed by Next().
class Session {
 public:
  Session(Target target, SessionOptions options);

  // Facts. `now` never goes back.
  void OnObserved(ObservedState observed, MonoTime now);
  // Tried again after a back-off: a few times where the engine may answer soon; without end in a
  // cutover, while an app waits for locks, and with keep_going.
  void OnLookFailed(Error error, MonoTime now);
  void OnStepDone(StepId step, StepResult result, MonoTime now);
  void OnStepFailed(StepId step, Error error, MonoTime now);
  void OnExamined(const std::string& container, const Findings& findings);  // Empty: nothing.
  void OnEngineEvent(const EngineEvent& event, MonoTime now);
  void OnEngineGap();
  void OnLocksChanged();
  // Finish or safely leave what is under way, then end: a cutover that has begun goes on until its
  // locks are given back, everything else is cancelled.
  void Interrupt();
  void TimeOut();  // As Interrupt(), for a deadline.

  // Another target, fitted to the device. Each app goes over to it at once, but for one whose locks
  // are held for its cutover or for a reboot: that one goes on to where it was going first.
  void SetTarget(Target target);
  // What is waited for after a failure is tried at once; see UpdateRequest.
  void OnUpdateRequest(const UpdateRequest& request);
  void OnAppRequest(const AppRequest& request);

  // What is to be done now. Call again after each fact, and at WakeAt().
  std::vector<Action> Next(MonoTime now);
  // When time alone changes something; none: only a fact can.
  std::optional<MonoTime> WakeAt() const { return wake_at_; }

  // True when nothing is left to do, to wait for or under way.
  bool Finished() const { return finished_; }
  // True while only a fact can give it something to do, and no app is held.
  bool AtRest() const { return resting_; }
  // True once the machine has accepted to reboot: the locks are to stay where they are.
  bool Rebooting() const { return goes_down_by_.has_value(); }
  // What became of each app, and last of the device ("") where there is something to say of it.
  // Meaningful once finished.
  std::vector<AppReport> Reports() const;
  // Why not even a first look could be taken; none where one was.
  const std::optional<Error>& look_error() const { return look_error_; }
  const Plan& plan() const { return plan_; }
  const std::shared_ptr<const Target>& target() const { return target_; }
  std::set<StepId> running() const;
  const ObservedState& observed() const { return observed_; }

 private:
  using Request = std::variant<UpdateRequest, AppRequest>;
  struct Running {
    Step step;
    StepRequest request;
    bool heard = false;  // Its container ended while it was being started.
    // Its app's record when it began, where it changes that.
    std::optional<AppRecord> before = {};
  };
  struct Attempts {
    // In a row; of a start: that it was to be started again counts as well. So of a create.
    int failed = 0;
    int before = 0;  // The same, of earlier processes: they cost time, and none of the budget.
    MonoTime not_before{};
    bool given_up = false;
    std::string app = {};
  };
  struct AppRun {
    std::optional<Error> failed;  // The first step that was given up.
    std::optional<StepId> failed_step;
    std::optional<MonoTime> again_at;  // When what failed is tried again.
    int failures = 0;                  // In a row, of the whole app.
    std::optional<Error> last_error;   // Until it is known to have been mended.
    bool wants_look = false;           // After an error: nothing more before a look.
    bool wants_gate_look = false;
    bool locks_changed = false;        // While an attempt to take them was under way.
    bool cutting = false;              // A disruptive step or a start was begun in the span.
    std::vector<LockHolder> reported;  // The holders that were reported last.
    std::vector<std::string> unhealthy;
    std::map<std::string, Findings> findings;
    std::optional<std::string> back_to;  // The release that it went back to.
    std::optional<Gap> stays;            // Why it did not go back.
  };
  struct Up {        // A container that has to settle.
    MonoTime since;  // Without a restart.
    MonoTime first;  // What its time-out counts from.
  };
  enum class Verdict { kWait, kSettled, kUnhealthy };

  void Identify();
  AppRecord& Record(const std::string& app);
  void Save(const AppRecord& record, std::vector<Action>& actions);
  void RetireUnlessUsed(const std::string& app, const std::string& image);
  void LoseSpan(const std::string& app, std::vector<LockHolder> holders);
  void LoseSpans(const Step& step, std::vector<LockHolder> holders);
  void CancelWhatMayWait(std::vector<Action>& actions);
  void StartLook(MonoTime now, std::vector<Action>& actions);
  void Dispatch(MonoTime now, std::vector<Action>& actions);
  void DispatchPulls(const std::vector<const Step*>& pulls, MonoTime now,
                     std::vector<Action>& actions);
  void DispatchStops(const std::vector<const Step*>& stops, MonoTime now,
                     std::vector<Action>& actions);
  void LeaveSpans(MonoTime now, std::vector<Action>& actions);
  bool Allowed(const Step& step, const AppRun& run) const;
  bool ReadyAt(const Step& step, MonoTime now);
  // session_retries.cc
  void BackOffFrom(const Step& step, Attempts& attempts, MonoTime now) const;
  void Recall(const Step& step, MonoTime now);
  void Remember(const Step& step, MonoTime now);
  void Forget(const std::string& app, StepId step);
  void ForgetWhatIsNotPlanned();
  void Run(const Step& step, std::vector<Action>& actions);
  void RememberInterrupted(const Step& step, std::vector<Action>& actions);
  void Await(const Step& step, MonoTime now, std::vector<Action>& actions);
  Verdict Judge(const Step& step, const ObservedContainer& container, MonoTime now);
  bool AnyWaits() const;    // For locks.
  bool AnyWasHeld() const;  // And has not got its locks since.
  void WatchHeldLocks(std::vector<Action>& actions);
  void ReportHeld(std::vector<Action>& actions);
  void ReportPlan(std::vector<Action>& actions);
  void CountFailure(const Step& step, Error error, MonoTime now);
  // session_failures.cc
  void ReportUnhealthy(const Step& step, const ObservedContainer& container, MonoTime now);
  void ReportFailure(const Step& step, Error error);
  void FinishExaminations();
  void DoubtClaims();
  void CheckClaims(MonoTime now);
  void GiveUp(const Step& step, Error error);
  bool GoesBack(const std::string& app) const;
  bool MayGoBack(const Step& step) const;
  bool Waits(const AppPlan& app) const;
  // session_rollback.cc
  bool WantsRollback(const std::string& app) const;
  bool RollBack(const Step& step);
  void StayUnhealthy(const AppPlan& app);
  void NoteWentBack(const Step& commit);
  void RememberRenamed(const Step& step, std::vector<Action>& actions);
  // session_keep_going.cc
  void TakeUpTarget();
  bool IsPutOff(const std::string& app) const;
  void BeginAnew(const std::string& app);
  void CancelWhatIsNotPlanned(std::vector<Action>& actions);
  void DropIdleForce();
  void TryAgain(MonoTime now);
  void LookSoon(MonoTime now);
  void ForgetStarts(const std::string& container);
  void Rest(std::vector<Action>& actions);
  PlanOptions OptionsNow() const;
  void PutRequest(Request request);
  void TakeUpRequests(std::vector<Action>& actions);
  void TakeUp(const UpdateRequest& request, std::vector<Action>& actions);
  void TakeUp(const AppRequest& request, std::vector<Action>& actions);
  void ForgetRestarts();
  // session_device.cc
  AppRun& RunOf(const Step& step);
  void MakeNextPlan();
  void GiveUpOfDevice(const Step& step, Error error);
  void OnRebootAnswered(const Step& step, const StepResult& result, MonoTime now);
  bool GoesDown(MonoTime now, std::vector<Action>& actions);
  bool DeviceAllowed(const Step& step);
  bool DeviceWaits() const;
  std::vector<LockHolder> DeviceHolders() const;
  void ReportDeviceHeld(std::vector<Action>& actions);
  std::optional<AppReport> ReportOfDevice() const;
  int CountRunning(std::string_view app) const;
  int CountDown(std::string_view app) const;
  std::vector<std::string> SeenContainers() const;
  void CarryOver(ObservedState& next) const;
  void BeginLook(MonoTime now, std::vector<Action>& actions);
  void StartAskedLook(MonoTime now);
  void CheckFinished(MonoTime now, std::vector<Action>& actions);
  void Wake(MonoTime at);

  std::shared_ptr<const Target> target_;
  std::shared_ptr<const Target> wanted_;  // Where not every app has gone over to it.
  SessionOptions options_;
  ObservedState observed_;
  MonoTime observed_at_{};
  Plan plan_;
  std::map<StepId, Running> running_;
  std::map<StepId, Attempts> attempts_;
  std::map<std::string, AppRun, std::less<>> runs_;
  std::map<std::string, Up, std::less<>> up_;          // By container id.
  std::map<std::string, StepId, std::less<>> starts_;  // By container, the last one.
  std::set<std::string, std::less<>> forced_;          // Apps, until each has passed its gate.
  std::vector<Request> requests_;                      // In order, and of equal ones the last.
  std::set<StepId> awaiting_;
  std::set<StepId> cancelled_;
  std::set<StepId> doubted_;   // Waits whose time ran out, to be confirmed by a look.
  std::set<StepId> claimed_;   // Reported as done, and not confirmed by a look yet.
  std::set<StepId> believed_;  // Of these: a plan was made since that did not have them any more.
  std::map<std::string, Event, std::less<>> examined_;  // Held back, by container id.
  struct Done {
    Running what;
    StepResult result;
  };
  // While a look was under way, in order: what was done, and what was remembered. The look may be
  // older than either: they are put on top of its result.
  std::vector<std::variant<Done, AppRecord>> since_look_;
  std::vector<Action> pending_;  // Given out by the next Next().
  std::vector<ServiceRef> watched_locks_;
  std::string reported_plan_;
  std::optional<MonoTime> wake_at_;
  MonoTime look_not_before_{};
  std::optional<MonoTime> look_at_;  // Unless another look comes before.
  bool asked_look_ = false;          // By a request, that has not been given one.
  std::optional<MonoTime> look_begun_at_;
  int look_failures_ = 0;
  std::optional<Error> look_error_;
  bool has_state_ = false;
  bool need_look_ = true;
  bool looking_ = false;
  bool changed_since_look_ = false;
  bool check_claims_ = false;
  bool plan_is_old_ = false;       // A step was given up: the way may be another one.
  bool locks_unknown_ = false;     // They changed since the last look.
  bool device_gave_up_ = false;    // No more steps towards a reboot in this run.
  std::optional<Step> rebooting_;  // The step that the machine goes down for.
  std::optional<MonoTime> goes_down_by_;
  bool waits_for_event_ = false;
  bool interrupted_ = false;
  bool timed_out_ = false;
  bool finished_ = false;
  bool resting_ = false;
  bool worked_ = true;  // Since it rested last.
  int idle_looks_ = 0;  // In a row, that found nothing to do.
};

}  // namespace lockstep

#endif  // LOCKSTEP_SESSION_H_
