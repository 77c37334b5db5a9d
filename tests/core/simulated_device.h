// A device in virtual time, driven by a Session: steps complete in any order, fail, or are cut off
// by a crash, apps take and drop locks, and every effect is checked against the invariants.
#ifndef LOCKSTEP_TESTS_CORE_SIMULATED_DEVICE_H_
#define LOCKSTEP_TESTS_CORE_SIMULATED_DEVICE_H_

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lockstep/session.h"
#include "planning.h"
#include "reboot_check.h"

namespace lockstep::test {

class SimulatedDevice {
 public:
  struct Chances {  // Of a hundred.
    unsigned step_fails = 0;
    unsigned effect_without_reply = 0;  // Of the failures: the step was performed all the same.
    unsigned crash = 0;                 // After each completion.
    unsigned lock_comes = 0;            // After each completion, from some app.
    unsigned power_cut = 0;             // After each completion.
    unsigned boot_reverts = 0;          // At each boot: what was written last is not in force.
    unsigned stays_up = 0;              // The machine accepts to reboot, and does not.
    unsigned unhealthy = 0;             // Of the starts of a new container: it never settles.
  };

  SimulatedDevice(ObservedState truth, Target target, unsigned seed, Chances chances)
      : truth_(std::move(truth)), target_(std::move(target)), random_(seed), chances_(chances) {}

  // Lets a Session work until it is finished, or `most` completions have passed.
  void Run(SessionOptions options, int most = 2000) {
    options_ = std::move(options);
    Restart();
    while (!session_->Finished() && completions_ < most) {
      Collect();
      for (const std::string& container : std::exchange(examined_, {})) {
        session_->OnExamined(container, {});
        Collect();
      }
      if (session_->Finished()) break;
      if (!work_.empty()) {
        CompleteOne();
      } else if (session_->WakeAt()) {
        now_ = std::max(now_, *session_->WakeAt());
      } else {
        DropLocks();
      }
    }
  }

  const ObservedState& truth() const { return truth_; }
  ObservedState& truth() { return truth_; }
  const Session& session() const { return *session_; }
  const std::vector<std::string>& broken() const { return broken_; }  // Invariants.
  int completions() const { return completions_; }
  int crashes() const { return crashes_; }
  int reboots() const { return reboots_; }        // That Lockstep asked for.
  int power_cuts() const { return power_cuts_; }  // And others.
  // What was done, as "stop-container web-c1".
  const std::vector<std::string>& done() const { return done_; }
  void FailAlways(StepKind kind, const std::string& subject) { cursed_.insert({kind, subject}); }
  void Interrupt() { session_->Interrupt(); }
  void Crash() {
    ++crashes_;
    done_.push_back("crash");
    Restart();
  }
  // Called after each completion.
  std::function<void(SimulatedDevice&)> after_completion;

 private:
  struct Work {
    std::optional<RunStepAction> step;  // None: a look.
    bool cancelled = false;
  };

  bool Chance(unsigned of_a_hundred) { return random_() % 100 < of_a_hundred; }

  // A new process: it knows what the device and the store say, and takes over locks of its own.
  void Restart() {
    work_.clear();
    session_.emplace(target_, options_);
    for (ObservedContainer& container : truth_.engine.containers) {
      container.settled = false;
    }
    // Locks of ours are the span of a cutover that is not finished; others are released.
    std::erase_if(truth_.spans, [&](const std::string& app) {
      const AppRecord* record = truth_.FindApp(app);
      return record == nullptr || !record->cutover || AppHolds(app);
    });
    std::erase_if(truth_.reboot_spans,
                  [&](const std::string& app) { return !truth_.RebootPending() || AppHolds(app); });
    for (AppRecord& record : truth_.apps) {  // As Apply does: whoever starts it asks again.
      if (!record.cutover) record.failed.clear();
    }
    FinishReboot();
    session_->OnObserved(truth_, now_);
  }

  // As Apply does: what was written before the last reboot was looked at.
  void FinishReboot() {
    const auto check = CheckReboot(truth_, options_.plan.config_rules);
    if (!check) return;
    for (const auto& [key, value] : check->in_force) {
      std::erase(truth_.config_set, key);
      if (value) truth_.config_set.push_back(key);
    }
    std::sort(truth_.config_set.begin(), truth_.config_set.end());
    truth_.reboot->changes.clear();
  }

  // The machine starts again: update locks are gone, and the engine starts what it is to.
  void Boot() {
    truth_.boot_id = up_since_ + "'";
    up_since_ = truth_.boot_id;
    truth_.locks.clear();
    truth_.spans.clear();
    truth_.reboot_spans.clear();
    if (truth_.reboot && Chance(chances_.boot_reverts)) {
      for (const auto& [key, value] : truth_.reboot->changes) truth_.config.erase(key);
    }
    for (ObservedContainer& container : truth_.engine.containers) {
      const std::string policy = container.restart_policy.value_or("no");
      const bool ran = container.IsUp();
      const bool starts = container.state != ContainerState::kCreated &&
                          (policy == "always" || (policy == "unless-stopped" && ran));
      if (starts) {
        container.state = ContainerState::kRunning;
        container.started_at = truth_.NextStart();
      } else if (ran) {
        container.state = ContainerState::kExited;
        container.exit_code = 255;
      }
    }
    Restart();
  }

  void Collect() {
    for (Action& action : session_->Next(now_)) {
      if (std::holds_alternative<LookAction>(action)) {
        work_.push_back({});
      } else if (auto* run = std::get_if<RunStepAction>(&action)) {
        work_.push_back({std::move(*run), false});
      } else if (const auto* cancel = std::get_if<CancelStepAction>(&action)) {
        for (Work& work : work_) {
          if (work.step && work.step->step.id == cancel->step) work.cancelled = true;
        }
      } else if (const auto* save = std::get_if<SaveRecordAction>(&action)) {
        truth_.AppFor(save->record.app) = save->record;
      } else if (const auto* examine = std::get_if<ExamineAction>(&action)) {
        examined_.push_back(examine->container);
      }
    }
  }

  void CompleteOne() {
    const std::size_t i = random_() % work_.size();
    Work work = std::move(work_[i]);
    work_.erase(work_.begin() + static_cast<std::ptrdiff_t>(i));
    ++completions_;
    now_ += std::chrono::milliseconds(random_() % 500);
    if (!work.step) {
      session_->OnObserved(truth_, now_);
    } else {
      CompleteStep(work);
    }
    if (after_completion) after_completion(*this);
    if (Chance(chances_.lock_comes)) TakeALock();
    if (Chance(chances_.power_cut)) {
      ++power_cuts_;
      done_.push_back("power cut");
      Boot();
    } else if (Chance(chances_.crash)) {
      ++crashes_;
      done_.push_back("crash");
      Restart();
    }
  }

  void CompleteStep(const Work& work) {
    const Step& step = work.step->step;
    if (work.cancelled) {
      session_->OnStepFailed(step.id, MakeError(ErrorCode::kCancelled, "cancelled"), now_);
      return;
    }
    const bool cursed = cursed_.count({step.kind, step.subject}) != 0;
    const bool fails = cursed || Chance(chances_.step_fails);
    StepResult result;
    const bool for_reboot = step.kind == StepKind::kReboot || NeedsReboot(work.step->request);
    if (step.kind == StepKind::kTakeLocks || step.disruptive) result.holders = Holders(step.app);
    if (for_reboot) result.holders = AllHolders();
    if (step.kind == StepKind::kTakeLocks && result.holders.empty() &&
        (truth_.HasSpan(step.app) || truth_.HasRebootSpan(step.app))) {
      LockHolder ours;
      ours.app = step.app;
      ours.ours = true;
      result.holders = {ours};
      broken_.push_back("takes what it has: " + step.app);
    }
    if (for_reboot && step.kind == StepKind::kWriteConfig && Chance(chances_.crash)) {
      // Between the record and the file.
      truth_.reboot = std::get<WriteConfigRequest>(work.step->request).record;
      ++crashes_;
      done_.push_back("crash before " + step.subject);
      return Restart();
    }
    const bool performed =
        result.holders.empty() && (!fails || (!cursed && Chance(chances_.effect_without_reply)));
    if (performed) {
      result.id = NewId(step);
      Check(step);
      if (for_reboot) CheckForReboot(step);
      ApplyEffect(step, work.step->request, result, truth_);
      done_.push_back(std::string(StepKindName(step.kind)) + " " + step.subject);
    }
    const bool starts = performed && step.kind == StepKind::kStartContainer;
    const bool crashes = starts && step.detail != "old" && IsNew(step) && IsUnlucky(step.subject);
    if (crashes) truth_.FindContainer(step.subject)->state = ContainerState::kRestarting;
    for (const LockHolder& holder : result.holders) {
      std::erase(truth_.spans, holder.app);
      std::erase(truth_.reboot_spans, holder.app);
    }
    if (performed && step.kind == StepKind::kReboot) {
      ++reboots_;
      if (!Chance(chances_.stays_up)) return Boot();
      truth_.boot_id = up_since_;
    }
    if (fails && result.holders.empty()) {
      session_->OnStepFailed(step.id, MakeError(ErrorCode::kUnavailable, "simulated"), now_);
    } else {
      session_->OnStepDone(step.id, result, now_);
    }
    if (crashes) {
      session_->OnEngineEvent({EngineEventKind::kDied, step.subject, 1, Health::kNone}, now_);
    }
  }

  bool IsNew(const Step& step) const {
    const AppRecord* record = truth_.FindApp(step.app);
    const auto& all = truth_.engine.containers;
    return record != nullptr && std::any_of(all.begin(), all.end(), [&](const auto& c) {
             return c.id == step.subject && c.commit != record->committed;
           });
  }
  // The same container has the same luck each time.
  bool IsUnlucky(const std::string& container) {
    if (chances_.unhealthy == 0) return false;
    return luck_.try_emplace(container, Chance(chances_.unhealthy)).first->second;
  }

  std::string NewId(const Step& step) {
    if (step.kind == StepKind::kPullImage) return "sha256:" + step.subject;
    if (step.kind != StepKind::kCreateContainer) return {};
    for (const ObservedContainer& container : truth_.engine.containers) {
      if (container.name == step.subject) return container.id;
    }
    return step.subject + "#" + std::to_string(++ids_);
  }

  void Check(const Step& step) {
    const bool span = truth_.HasSpan(step.app);
    if (step.disruptive && !span) broken_.push_back("I2: " + step.subject + " outside a span");
    if (step.disruptive && AppHolds(step.app)) {
      broken_.push_back("I1: " + step.subject + " while an app holds a lock");
    }
    if (step.kind == StepKind::kStartContainer && !step.service.empty()) {
      for (const ObservedContainer& other : truth_.engine.containers) {
        if (other.service == step.service && other.app == step.app && other.IsUp() &&
            other.id != step.subject && step.detail != "hand-over") {
          broken_.push_back("two containers of " + step.service + " beside each other: " +
                            other.id + " runs, " + step.subject + " starts");
        }
      }
    }
    if (step.kind == StepKind::kRemoveNetwork) {
      for (const ObservedContainer& other : truth_.engine.containers) {
        if (other.app == step.app && other.IsUp() && other.networks &&
            std::count(other.networks->begin(), other.networks->end(), step.subject) != 0) {
          broken_.push_back(step.subject + " removed while " + other.id + " is on it");
        }
      }
    }
    if (step.kind == StepKind::kRemoveContainer && truth_.FindContainer(step.subject)->IsUp()) {
      broken_.push_back(step.subject + " removed while it runs");
    }
  }

  static bool NeedsReboot(const StepRequest& request) {
    const auto* write = std::get_if<WriteConfigRequest>(&request);
    return write != nullptr && write->record;
  }

  // Whatever a reboot would interrupt is Lockstep's to interrupt.
  void CheckForReboot(const Step& step) {
    const std::string what(StepKindName(step.kind));
    if (!AllHolders().empty()) broken_.push_back("I1: " + what + " while an app holds a lock");
    for (const ObservedContainer& container : truth_.engine.containers) {
      if (container.owned && !truth_.HasRebootSpan(container.app)) {
        broken_.push_back("I2: " + what + " without the locks of " + container.app);
      }
    }
    for (const Work& other : work_) {
      if (step.kind == StepKind::kReboot && other.step) {
        broken_.push_back("reboot beside " + other.step->step.subject);
      }
    }
  }

  std::vector<LockHolder> AllHolders() const {
    std::vector<LockHolder> holders;
    for (const LockHolder& holder : truth_.locks) {
      if (!holder.ours) holders.push_back(holder);
    }
    return holders;
  }

  std::vector<LockHolder> Holders(const std::string& app) const {
    std::vector<LockHolder> holders;
    for (const LockHolder& holder : truth_.locks) {
      if (holder.app == app && !holder.ours) holders.push_back(holder);
    }
    return holders;
  }
  bool AppHolds(const std::string& app) const { return !Holders(app).empty(); }

  void TakeALock() {
    if (truth_.engine.containers.empty()) return;
    const auto& container = truth_.engine.containers[random_() % truth_.engine.containers.size()];
    // While Lockstep holds the locks an app gets one only by removing ours first.
    const bool ours = truth_.HasSpan(container.app) || truth_.HasRebootSpan(container.app);
    if (ours && !Chance(20)) return;
    if (container.IsUp() && container.owned) {
      truth_.locks.push_back(HeldBy(container.service, container.app));
      done_.push_back("lock by " + container.service);
    }
  }

  void DropLocks() {
    truth_.locks.clear();
    session_->OnLocksChanged();
  }

  ObservedState truth_;
  std::string up_since_ = truth_.boot_id;  // The boot; the effect of a reboot forgets it.
  Target target_;
  std::mt19937 random_;
  Chances chances_;
  SessionOptions options_;
  std::optional<Session> session_;
  std::vector<Work> work_;
  std::vector<std::string> examined_;
  MonoTime now_{};
  std::set<std::pair<StepKind, std::string>> cursed_;
  std::map<std::string, bool> luck_;
  std::vector<std::string> broken_;
  std::vector<std::string> done_;
  int completions_ = 0;
  int crashes_ = 0;
  int reboots_ = 0;
  int power_cuts_ = 0;
  int ids_ = 0;
};

// The worst of its apps'.
inline ApplyOutcome OutcomeOf(const SimulatedDevice& device) {
  ApplyOutcome worst = ApplyOutcome::kInSync;
  for (const AppReport& report : device.session().Reports()) {
    worst = std::max(worst, report.outcome);
  }
  return worst;
}

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_CORE_SIMULATED_DEVICE_H_
