// What happens, in the log: one line each, with fields.
#ifndef LOCKSTEP_INTEGRATION_AGENT_EVENT_LOG_H_
#define LOCKSTEP_INTEGRATION_AGENT_EVENT_LOG_H_

#include <string>

#include "lockstep/event.h"
#include "log.h"

namespace lockstep {

// Thread-safe. Downloads are logged when they begin and end, not on their way.
class EventLog final : public EventObserver {
 public:
  void OnEvent(const Event& event) override;
};

// Under "info", "warning" or "error": what it says, and the fields of a record about it.
struct LogRecord {
  LogLevel level = LogLevel::kInfo;
  std::string message;
  LogFields fields;
};
LogRecord RecordOf(const Event& event);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_EVENT_LOG_H_
