// What a Session wants done. Each action is performed once; the Session does not wait for one before
// it gives others.
#ifndef LOCKSTEP_SESSION_ACTION_H_
#define LOCKSTEP_SESSION_ACTION_H_

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "lockstep/app_record.h"
#include "lockstep/event.h"
#include "lockstep/identity.h"
#include "lockstep/plan.h"
#include "lockstep/step_request.h"
#include "lockstep/target.h"

namespace lockstep {

// Take a full look; answer with OnObserved or OnLookFailed.
struct LookAction {
  std::shared_ptr<const Target> target;
  std::vector<std::string> seen;  // As ObserveRequest says.
};
// Answer with OnStepDone or OnStepFailed.
struct RunStepAction {
  Step step;
  StepRequest request;
};
// The step still answers.
struct CancelStepAction {
  StepId step;
};
struct WatchLocksAction {
  std::vector<ServiceRef> services;  // Replaces what was watched; empty: watch nothing.
};
struct ReportAction {
  Event event;  // `seq` and `time` are the shell's to fill in; `plan` points into the Session.
};
struct SaveRecordAction {
  AppRecord record;  // Make it durable before the next look.
};
// Find out why it fails; answer with OnExamined. Nothing but its removal waits for that.
struct ExamineAction {
  std::string container;
};
using Action = std::variant<LookAction, RunStepAction, CancelStepAction, WatchLocksAction,
                            SaveRecordAction, ReportAction, ExamineAction>;

}  // namespace lockstep

#endif  // LOCKSTEP_SESSION_ACTION_H_
