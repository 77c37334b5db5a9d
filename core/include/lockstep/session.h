// Session: the state machine that carries a device to its target. It has no I/O, no thread and no
// clock: facts go in with the time they are known at, actions come out.
#ifndef LOCKSTEP_SESSION_H_
#define LOCKSTEP_SESSION_H_

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "lockstep/clock.h"
#include "lockstep/event.h"
#include "lockstep/observed_state.h"
#include "lockstep/plan.h"
#include "lockstep/planner.h"
#include "lockstep/result.h"
#include "lockstep/runtime_backend.h"
#include "lockstep/step_request.h"
#include "lockstep/target.h"

namespace lockstep {

struct SessionOptions {
  PlanOptions plan;
  DeviceInfo device;         // What containers are told. The Session's target is fitted to it.
  int parallel_pulls = 3;    // At once, over all apps.
  int parallel_cutover = 2;  // Services of an app that are stopped or started at once.
  int max_attempts = 3;      // Of one step, with back-off between them, before its app fails.
  std::chrono::milliseconds back_off{1000};  // Before the second attempt; doubles each time.
  std::chrono::milliseconds settle{10'000};  // Up this long without a restart: settled.
  std::chrono::milliseconds settle_timeout{60'000};  // Or a health check's own budget, if longer.
  bool wait_when_held = true;                        // False: an app that is held ends as held.
  // A machine that accepted to reboot, and still runs after this, has not.
  std::chrono::milliseconds reboot_timeout{5 * 60'000};
};

// What became of an app, or of the whole run. Ordered: the worst one names the whole.
enum class ApplyOutcome { kInSync, kUnhealthy, kHeld, kBlocked, kInterrupted, kTimedOut, kFailed };

struct AppReport {
  std::string app;
  std::string name;
  ApplyOutcome outcome = ApplyOutcome::kInSync;
  std::optional<Error> error;          // kFailed
  std::vector<LockHolder> holders;     // kHeld
  std::vector<Gap> gaps;               // kBlocked
  std::vector<std::string> unhealthy;  // kUnhealthy: services
};

// Actions. Each is performed once; the Session does not wait for one before it gives others.
struct LookAction {};  // Take a full look; answer with OnObserved or OnLookFailed.
struct RunStepAction {
  Step step;
  StepRequest request;
};  // Answer with OnStepDone or OnStepFailed.
struct CancelStepAction {
  StepId step;
};  // It still answers.
struct WatchLocksAction {
  std::vector<ServiceRef> services;  // Replaces what was watched; empty: watch nothing.
};
struct ReportAction {
  Event event;  // `seq` and `time` are the shell's to fill in; `plan` points into the Session.
};
struct SaveRecordAction {
  AppRecord record;  // Make it durable before the next look.
};
using Action = std::variant<LookAction, RunStepAction, CancelStepAction, WatchLocksAction,
                            SaveRecordAction, ReportAction>;

// Not thread-safe: one thread feeds it. Every input must be followed by Next().
class Session {
 public:
  Session(Target target, SessionOptions options);

  // Facts. `now` never goes back.
  void OnObserved(ObservedState observed, MonoTime now);
  void OnLookFailed(Error error, MonoTime now);
  void OnStepDone(StepId step, StepResult result, MonoTime now);
  void OnStepFailed(StepId step, Error error, MonoTime now);
  void OnEngineEvent(const EngineEvent& event, MonoTime now);
  void OnEngineGap();
  void OnLocksChanged();
  // Finish or safely leave what is under way, then end: a cutover that has begun goes on until its
  // locks are given back, everything else is cancelled.
  void Interrupt();
  void TimeOut();  // As Interrupt(), for a deadline.

  // What is to be done now. Call again after each fact, and at WakeAt().
  std::vector<Action> Next(MonoTime now);
  // When time alone changes something; none: only a fact can.
  std::optional<MonoTime> WakeAt() const { return wake_at_; }

  // True when nothing is left to do, to wait for or under way.
  bool Finished() const { return finished_; }
  // True once the machine has accepted to reboot: the locks are to stay where they are.
  bool Rebooting() const { return goes_down_by_.has_value(); }
  // What became of each app, and last of the device ("") where there is something to say of it.
  // Meaningful once finished.
  std::vector<AppReport> Reports() const;
  // Why not even a first look could be taken; none where one was.
  const std::optional<Error>& look_error() const { return look_error_; }
  const Plan& plan() const { return plan_; }
  const ObservedState& observed() const { return observed_; }

 private:
  struct Running {
    Step step;
    StepRequest request;
    bool heard = false;  // Its container ended while it was being started.
  };
  struct Attempts {
    int failed = 0;  // In a row; of a start: that it was to be started again counts as well.
    MonoTime not_before{};
    bool given_up = false;
  };
  struct AppRun {
    std::optional<Error> failed;  // The first step that was given up.
    bool wants_look = false;      // After an error: nothing more before a look.
    bool wants_gate_look = false;
    bool locks_changed = false;        // While an attempt to take them was under way.
    bool cutting = false;              // A disruptive step or a start was begun in the span.
    std::vector<LockHolder> reported;  // The holders that were reported last.
    std::vector<std::string> unhealthy;
  };
  struct Up {        // A container that has to settle.
    MonoTime since;  // Without a restart.
    MonoTime first;  // What its time-out counts from.
  };
  enum class Verdict { kWait, kSettled, kUnhealthy };

  std::vector<std::string> InterruptedOf(const std::string& app) const;
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
  void Run(const Step& step, std::vector<Action>& actions);
  void RememberInterrupted(const Step& step, std::vector<Action>& actions);
  void Await(const Step& step, MonoTime now, std::vector<Action>& actions);
  Verdict Judge(const Step& step, const ObservedContainer& container, MonoTime now);
  void WatchHeldLocks(std::vector<Action>& actions);
  void ReportHeld(std::vector<Action>& actions);
  void ReportPlan(std::vector<Action>& actions);
  void CountFailure(const Step& step, Error error, MonoTime now);
  void CheckClaims(MonoTime now);
  void GiveUp(const Step& step, Error error);
  bool GoesBack(const std::string& app) const;
  bool MayGoBack(const Step& step) const;
  bool Waits(const AppPlan& app) const;
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
  void CarryOver(ObservedState& next) const;
  void CheckFinished(std::vector<Action>& actions);
  void Wake(MonoTime at);

  Target target_;
  SessionOptions options_;
  ObservedState observed_;
  Plan plan_;
  std::map<StepId, Running> running_;
  std::map<StepId, Attempts> attempts_;
  std::map<std::string, AppRun, std::less<>> runs_;
  std::map<std::string, Up, std::less<>> up_;  // By container id.
  std::set<StepId> awaiting_;
  std::set<StepId> cancelled_;
  std::set<StepId> doubted_;  // Waits whose time ran out, to be confirmed by a look.
  std::set<StepId> claimed_;  // Reported as done, and not confirmed by a look yet.
  struct Done {
    Running what;
    StepResult result;
  };
  std::vector<Done> since_look_;  // Done while a look was under way: put on top of its result.
  std::vector<Action> pending_;   // Given out by the next Next().
  std::vector<ServiceRef> watched_locks_;
  std::string reported_plan_;
  std::optional<MonoTime> wake_at_;
  MonoTime look_not_before_{};
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
};

}  // namespace lockstep

#endif  // LOCKSTEP_SESSION_H_
