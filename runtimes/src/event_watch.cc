#include "event_watch.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "pause.h"
#include "pull_stream.h"

namespace lockstep::docker {

using std::chrono::milliseconds;

Result<void> EventWatch::Once(EventSink& sink, SeenEvents& seen, std::optional<MonoTime>& opened,
                              std::stop_token stop) {
  constexpr std::string_view kWhat = "watch the engine's events";
  LineReader lines(kMaxEventLine);
  HttpRequest request;
  request.path = "/events?" + EventsQuery();
  request.open_timeout = times_.open_timeout;
  request.on_open = [&] {
    opened = clock_.Monotonic();
    observer_.StartTrusting();
    sink.OnGap();
  };
  request.on_data = [&](std::string_view piece) {
    return lines.Feed(piece, [&](std::string_view line) {
      const ReadEvent read = ReadEventLine(line);
      if (!read.container.empty()) observer_.Forget(read.container);
      observer_.Note(read.event);
      if (seen.IsNew(read.key)) sink.OnEvent(read.event);
    });
  };
  const auto reply = api_.Send(std::move(request), kWhat, stop);
  observer_.StopTrusting();
  return Done(reply, {200}, kWhat);
}

// The pauses have no random part: each engine has its one watcher on the same machine, so that
// there is no crowd to spread.
Result<void> EventWatch::Run(EventSink& sink, std::stop_token stop) {
  SeenEvents seen;
  milliseconds pause = times_.first_pause;
  while (true) {
    std::optional<MonoTime> opened;
    auto ended = Once(sink, seen, opened, stop);
    if (!ended && ended.assume_error().code == ErrorCode::kCancelled) return ended;
    // Whoever answers next may be another version.
    api_.ForgetVersion();
    if (opened && clock_.Monotonic() - *opened >= times_.settled_after) pause = times_.first_pause;
    Pause(clock_, pause, stop);
    pause = std::min(pause * 2, times_.longest_pause);
  }
}

}  // namespace lockstep::docker
