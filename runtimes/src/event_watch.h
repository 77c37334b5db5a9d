// Watching an engine's events for as long as it takes.
#ifndef LOCKSTEP_RUNTIMES_EVENT_WATCH_H_
#define LOCKSTEP_RUNTIMES_EVENT_WATCH_H_

#include <chrono>
#include <optional>
#include <stop_token>

#include "engine_api.h"
#include "event_stream.h"
#include "lockstep/clock.h"
#include "lockstep/runtime_backend.h"
#include "observer.h"

namespace lockstep::docker {

struct WatchTimes {
  // A stream may be silent for days, but it begins at once.
  std::chrono::milliseconds open_timeout = std::chrono::seconds(30);
  // One that stood for less may be cut again at once, and each new one costs a full look at the
  // engine: the pauses go on growing.
  std::chrono::milliseconds settled_after = std::chrono::seconds(10);
  std::chrono::milliseconds first_pause{100};
  std::chrono::milliseconds longest_pause = std::chrono::seconds(10);
};

// Thread-safe.
class EventWatch {
 public:
  // Tells `observer` when what it saw may be trusted.
  EventWatch(EngineApi& api, Observer& observer, Clock& clock, WatchTimes times = {})
      : api_(api), observer_(observer), clock_(clock), times_(times) {}

  // As RuntimeBackend::Watch says. Ends by a stop request alone: whatever is wrong with the engine
  // or its socket, somebody may put it right, and nobody would begin the watch again.
  Result<void> Run(EventSink& sink, std::stop_token stop);

 private:
  // One stream, to its end. `opened`: when it began to stand; none where it never did.
  Result<void> Once(EventSink& sink, SeenEvents& seen, std::optional<MonoTime>& opened,
                    std::stop_token stop);

  EngineApi& api_;
  Observer& observer_;
  Clock& clock_;
  const WatchTimes times_;
};

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_EVENT_WATCH_H_
