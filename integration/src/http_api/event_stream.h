// Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): what one
// publishes and any number of clients read, each at its own pace.
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_EVENT_STREAM_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_EVENT_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http_api/wake_up.h"

namespace lockstep {

struct EventStreamOptions {
  std::size_t max_events = 1000;
  std::size_t max_bytes = 1U << 20;  // Of all events that are kept, as they are sent.
  // Tells the ids of this stream from those of an earlier process; no blanks. Empty: by chance.
  std::string epoch;
};

// A ring of the last events, one for all clients: what clients cost does not depend on how many or
// how slow they are. Held by std::shared_ptr.
//
// Thread-safety: every method may be called from several threads at once; none blocks.
class EventStream {
 public:
  explicit EventStream(EventStreamOptions options = {});

  // `data` of several lines arrives as such; of `event` what is after a line break is left out. An
  // event larger than the ring is not kept: to clients it is one that they missed. Nothing after
  // Close().
  void Publish(std::string_view event, std::string_view data);

  // The end: clients read what is left and are then cut off.
  void Close();

  // For the server: woken at each event from now on while anybody reads, for as long as it lives.
  void Attach(std::weak_ptr<WakeUp> reader);

 private:
  friend class EventCursor;

  struct Item {
    std::uint64_t number;
    std::shared_ptr<const std::string> text;  // As it is sent.
  };

  const EventStreamOptions options_;
  std::mutex mutex_;
  std::deque<Item> ring_;
  std::size_t bytes_ = 0;
  std::uint64_t next_ = 1;  // The number of the next event.
  bool closed_ = false;
  std::vector<std::weak_ptr<WakeUp>> readers_;
  std::size_t cursors_ = 0;  // Without any, events wake nobody.
};

// Where one client is in a stream. Not thread-safe; never blocks. A client that is slower than the
// ring is told once that it missed N events (`event: missed`, `data: {"missed":N}`), and goes on
// with the oldest that is there.
class EventCursor {
 public:
  // Begins after the event that `last_event_id` names (what the client sends as Last-Event-ID);
  // without one with the next that is published. With one of another epoch it begins with the
  // oldest, after a `missed` of null: how many it missed is not known.
  EventCursor(std::shared_ptr<EventStream> stream, std::string_view last_event_id);
  EventCursor(const EventCursor&) = delete;
  EventCursor& operator=(const EventCursor&) = delete;
  ~EventCursor();

  // Copies what comes next, at most `size` bytes of it; 0 where there is nothing now.
  std::size_t Read(char* out, std::size_t size);

  bool HasNews();
  bool AtEnd();  // Nothing now, and never again.

 private:
  bool Fetch();  // Makes `current_` the next text, where there is one.

  std::shared_ptr<EventStream> stream_;
  std::uint64_t next_;  // The number of the event to be read next.
  std::shared_ptr<const std::string> current_;
  std::size_t sent_ = 0;  // Bytes of `current_` that were read.
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_EVENT_STREAM_H_
