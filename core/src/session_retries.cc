// When a step that failed is tried again, in this process or in the next.
#include <algorithm>
#include <utility>

#include "back_off.h"
#include "lockstep/session.h"

namespace lockstep {
namespace {

BackOff BackOffOf(const SessionOptions& options, const ObservedState& observed) {
  return {options.back_off, options.longest_back_off, observed.boot_id};
}

}  // namespace

void Session::BackOffFrom(const Step& step, Attempts& attempts, MonoTime now) const {
  attempts.not_before =
      now + Delay(BackOffOf(options_, observed_), step.id, attempts.before + attempts.failed);
}

// What an earlier process knew of this step.
void Session::Recall(const Step& step, MonoTime now) {
  if (!options_.keep_retries || attempts_.contains(step.id)) return;
  const AppRecord* record = observed_.FindApp(step.app);
  if (record == nullptr || record->retries.empty()) return;
  const auto known = record->retries.find(step.id.ToString());
  if (known == record->retries.end()) return;
  Attempts attempts;
  attempts.before = std::clamp(known->second.failures, 1, Retry::kMostFailures);
  // A clock that was set meanwhile must not make it wait longer than it would have at most.
  const auto longest = FullDelay(BackOffOf(options_, observed_), attempts.before);
  const WallTime today = observed_.taken_at + (now - observed_at_);
  attempts.not_before =
      now + std::clamp(known->second.due - today, std::chrono::milliseconds(0), longest);
  attempts_.emplace(step.id, attempts);
}

void Session::Remember(const Step& step, MonoTime now) {
  if (!options_.keep_retries || step.app.empty()) return;
  const Attempts& attempts = attempts_[step.id];
  AppRecord& record = Record(step.app);
  record.retries[step.id.ToString()] = {
      attempts.before + attempts.failed,
      observed_.taken_at + (now - observed_at_) + (attempts.not_before - now)};
  Save(record, pending_);
}

void Session::Forget(const std::string& app, StepId step) {
  const AppRecord* known = observed_.FindApp(app);
  if (known == nullptr || known->retries.empty()) return;
  AppRecord& record = observed_.AppFor(app);
  if (record.retries.erase(step.ToString()) == 0) return;
  Save(record, pending_);
}

// Steps of another target, or of another way to this one.
void Session::ForgetWhatIsNotPlanned() {
  std::set<std::string> planned;
  for (AppRecord& record : observed_.apps) {
    if (record.retries.empty()) continue;
    if (planned.empty()) {
      for (const Step& step : plan_.steps) planned.insert(step.id.ToString());
    }
    const auto gone = std::erase_if(
        record.retries, [&](const auto& retry) { return planned.count(retry.first) == 0; });
    if (gone != 0) Save(record, pending_);
  }
}

}  // namespace lockstep
