// What failed for good: found out about once, and then reported.
#include <chrono>
#include <utility>

#include "lockstep/explain.h"
#include "lockstep/session.h"
#include "step_event.h"

namespace lockstep {
namespace {

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// What the error does not say yet, at the end of its message.
Error Explained(Error error, Findings findings) {
  // The engine says the same when it refuses a start and when it is asked later.
  const std::string& engine = findings.engine_error;
  if (Contains(error.message, engine) || Contains(engine, error.message)) {
    findings.engine_error.clear();
  }
  const std::string more = Explain(findings);
  if (!more.empty()) error.message += ": " + more;
  return error;
}

Error WithLastLine(Error error, const Findings& findings) {
  if (findings.last_lines.empty()) return error;
  error.message += "; it printed last: " + findings.last_lines.back();
  return error;
}

}  // namespace

// The wait ends, and its release goes on without the service.
void Session::ReportUnhealthy(const Step& step, const ObservedContainer& container, MonoTime now) {
  const bool runs = container.state == ContainerState::kRunning;
  std::string why = "it did not stay up";
  if (step.detail == "completed") why = "it did not do its work";
  if (runs && container.health != Health::kNone) {
    const auto it = up_.find(container.id);
    const auto waited = it == up_.end() ? MonoTime::duration{} : now - it->second.first;
    why = "it did not become healthy in " +
          ExplainAge(std::chrono::duration_cast<std::chrono::milliseconds>(waited));
  }
  ReportFailure(step, WithContext(MakeError(ErrorCode::kUnavailable, std::move(why),
                                            "look at what it printed, and mend the service"),
                                  "service " + step.service));
}

void Session::ReportFailure(const Step& step, Error error) {
  Event event = EventOf(EventKind::kStepFailed, step);
  event.error = std::move(error);
  const auto attempts = attempts_.find(step.id);
  const bool last = step.kind == StepKind::kAwaitHealth ||
                    (step.kind == StepKind::kStartContainer && attempts != attempts_.end() &&
                     attempts->second.given_up);
  if (!last || interrupted_ || examined_.contains(step.subject)) {
    pending_.push_back(ReportAction{std::move(event)});
    return;
  }
  pending_.push_back(ExamineAction{step.subject});
  examined_.emplace(step.subject, std::move(event));
}

void Session::OnExamined(const std::string& id, const Findings& findings) {
  const auto it = examined_.find(id);
  if (it == examined_.end()) return;
  Event event = std::move(it->second);
  examined_.erase(it);
  event.findings = findings;
  // A backend that tells nothing more has told of this before.
  const ObservedContainer* container = observed_.FindContainer(id);
  const bool ran = event.step_kind == StepKind::kAwaitHealth;
  if (ran && findings.empty() && container != nullptr &&
      container->state == ContainerState::kExited) {
    event.findings.exit_code = container->exit_code;
  }
  event.error = Explained(*std::move(event.error), event.findings);
  AppRun& run = runs_[event.app];
  if (run.failed && run.failed_step == event.step) {
    run.failed = WithLastLine(*event.error, event.findings);
  }
  if (!event.findings.empty()) run.findings.insert_or_assign(event.service, event.findings);
  pending_.push_back(ReportAction{std::move(event)});
}

// Nobody waits for the rest.
void Session::FinishExaminations() {
  while (!examined_.empty()) OnExamined(std::string(examined_.begin()->first), {});
}

}  // namespace lockstep
