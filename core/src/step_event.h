// Events as they begin: of whom, and of which step.
#ifndef LOCKSTEP_STEP_EVENT_H_
#define LOCKSTEP_STEP_EVENT_H_

#include <string>

#include "lockstep/event.h"
#include "lockstep/plan.h"

namespace lockstep {

// `app` empty: of the device.
inline Event EventOf(EventKind kind, const std::string& app) {
  Event event;
  event.kind = kind;
  event.app = app;
  return event;
}

inline Event EventOf(EventKind kind, const Step& step) {
  Event event = EventOf(kind, step.app);
  event.service = step.service;
  event.step = step.id;
  event.step_kind = step.kind;
  event.subject = step.subject;
  return event;
}

}  // namespace lockstep

#endif  // LOCKSTEP_STEP_EVENT_H_
