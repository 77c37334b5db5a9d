#include "event_watch.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <utility>

#include "event_stream.h"
#include "pull_stream.h"

namespace lockstep::docker {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstBackOff{100};
constexpr milliseconds kLongestBackOff{10'000};

Result<void> WatchOnce(EngineApi& api, Observer& observer, EventSink& sink, bool& stood,
                       std::stop_token stop) {
  LineReader lines;
  HttpRequest request;
  request.path = "/events?" + EventsQuery();
  request.on_open = [&] {
    stood = true;
    observer.StartTrusting();
    sink.OnGap();
  };
  request.on_data = [&](std::string_view piece) {
    return lines.Feed(piece, [&](std::string_view line) {
      const ReadEvent read = ReadEventLine(line);
      if (!read.container.empty()) observer.Forget(read.container);
      sink.OnEvent(read.event);
    });
  };
  const auto reply = api.Send(std::move(request), "watch the engine's events", stop);
  observer.StopTrusting();
  return Done(reply, {200}, "watch the engine's events");
}

}  // namespace

Result<void> WatchEvents(EngineApi& api, Observer& observer, EventSink& sink,
                         std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any pause;
  milliseconds back_off = kFirstBackOff;
  while (true) {
    bool stood = false;
    auto ended = WatchOnce(api, observer, sink, stood, stop);
    if (!ended) {
      const ErrorCode code = ended.assume_error().code;
      const bool lasting = code == ErrorCode::kCancelled || code == ErrorCode::kPermissionDenied ||
                           code == ErrorCode::kUnsupported;
      if (lasting) return ended;
    }
    // Whoever answers next may be another version.
    if (stood) api.ForgetVersion();
    back_off = stood ? kFirstBackOff : std::min(back_off * 2, kLongestBackOff);
    std::unique_lock lock(mutex);
    pause.wait_for(lock, stop, back_off, [] { return false; });
  }
}

}  // namespace lockstep::docker
