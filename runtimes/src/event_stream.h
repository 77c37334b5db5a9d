// The engine's stream of events, line by line.
#ifndef LOCKSTEP_RUNTIMES_EVENT_STREAM_H_
#define LOCKSTEP_RUNTIMES_EVENT_STREAM_H_

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "lockstep/runtime_backend.h"

namespace lockstep::docker {

struct ReadEvent {
  EngineEvent event;
  std::string container;  // The one it is about, for events of any kind; may be empty.
  std::string key;        // The same for an exact repeat alone; empty where that cannot be told.
};

// A line that is no event reads as kOther.
ReadEvent ReadEventLine(std::string_view line);

inline constexpr std::size_t kMaxEventLine = std::size_t{1} << 20;  // It has all of its labels.

// The query of GET /events. Probes of health checks flood the stream otherwise.
std::string EventsQuery();

// Tells which events were reported before: some engines send one twice.
class SeenEvents {
 public:
  // True the first time, and always for an empty key.
  bool IsNew(const std::string& key);

 private:
  std::deque<std::string> keys_;  // The latest last.
};

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_EVENT_STREAM_H_
