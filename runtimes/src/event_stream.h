// The engine's stream of events, line by line.
#ifndef LOCKSTEP_RUNTIMES_EVENT_STREAM_H_
#define LOCKSTEP_RUNTIMES_EVENT_STREAM_H_

#include <string>
#include <string_view>

#include "lockstep/runtime_backend.h"

namespace lockstep::docker {

struct ReadEvent {
  EngineEvent event;
  std::string container;  // The one it is about, for events of any kind; may be empty.
};

// A line that is no event reads as kOther.
ReadEvent ReadEventLine(std::string_view line);

// The query of GET /events. Probes of health checks flood the stream otherwise.
std::string EventsQuery();

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_EVENT_STREAM_H_
