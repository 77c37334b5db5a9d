#include "agent/event_log.h"

#include <algorithm>
#include <utility>

#include "lock_view.h"
#include "lockstep/explain.h"
#include "lockstep/plan.h"

namespace lockstep {
namespace {

void Add(LogFields& fields, std::string_view name, std::string value) {
  if (!value.empty()) fields.emplace_back(name, std::move(value));
}

std::string Who(const Event& event) {
  if (event.app.empty()) return "device";
  return "app " + event.app + (event.service.empty() ? "" : ", service " + event.service);
}

// By an app, and not by a person's pause alone.
bool IsLocked(const Event& event) {
  return std::any_of(event.holders.begin(), event.holders.end(),
                     [](const LockHolder& holder) { return !holder.IsPause(); });
}

std::string Message(const Event& event) {
  const std::string step = event.step ? std::string(StepKindName(event.step_kind)) +
                                            (event.subject.empty() ? "" : " " + event.subject)
                                      : std::string();
  switch (event.kind) {
    case EventKind::kPlan:
      return "a plan of " + std::to_string(event.plan->steps.size()) + " steps";
    case EventKind::kStepStarted:
      return Who(event) + ": " + step;
    case EventKind::kProgress:
    case EventKind::kStepDone:
      return Who(event) + ": " + step + ": done";
    case EventKind::kStepFailed:
      return Who(event) + ": " + (step.empty() ? "" : step + ": ") +
             (event.error ? Describe(*event.error) : "failed");
    case EventKind::kHeld:
      return Who(event) + ": held by " + (IsLocked(event) ? "the update lock of " : "") +
             WhoHoldAll(event.holders);
    case EventKind::kReleased:
      return Who(event) + ": no update lock is held any more";
    case EventKind::kCommitted:
      return Who(event) + ": settled on its release";
    case EventKind::kRolledBack:
      return Who(event) + ": went back to the release before";
    case EventKind::kDone:
      return "nothing is left to do";
  }
  return {};
}

LogLevel Level(const Event& event) {
  switch (event.kind) {
    case EventKind::kStepFailed:
    case EventKind::kRolledBack:
      return LogLevel::kWarning;
    case EventKind::kProgress:
    case EventKind::kStepStarted:
      return LogLevel::kDebug;
    default:
      return LogLevel::kInfo;
  }
}

}  // namespace

LogRecord RecordOf(const Event& event) {
  LogRecord record{Level(event), Message(event), {}};
  Add(record.fields, "event", std::string(EventKindName(event.kind)));
  Add(record.fields, "app", event.app);
  Add(record.fields, "service", event.service);
  if (event.step) {
    Add(record.fields, "step", event.step->ToString());
    Add(record.fields, "kind", std::string(StepKindName(event.step_kind)));
    Add(record.fields, "subject", event.subject);
  }
  if (event.error) Add(record.fields, "code", std::string(ErrorCodeName(event.error->code)));
  if (event.kind == EventKind::kHeld) Add(record.fields, "holders", WhoHoldAll(event.holders));
  return record;
}

void EventLog::OnEvent(const Event& event) {
  if (event.kind == EventKind::kProgress) return;
  const LogRecord record = RecordOf(event);
  Log(record.level, record.message, record.fields);
  if (event.kind != EventKind::kPlan) return;
  for (const AppPlan& app : event.plan->apps) {
    for (const Gap& gap : app.gaps) {
      if (!gap.blocks) continue;
      Log(LogLevel::kWarning, "app " + app.app + ": blocked: " + gap.message,
          {{"event", "blocked"}, {"app", app.app}, {"code", gap.code}});
    }
  }
}

}  // namespace lockstep
