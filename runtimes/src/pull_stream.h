// The reply to a pull: one JSON object a line, about layers side by side.
#ifndef LOCKSTEP_RUNTIMES_PULL_STREAM_H_
#define LOCKSTEP_RUNTIMES_PULL_STREAM_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "json_read.h"
#include "lockstep/runtime_backend.h"
#include "pull_watch.h"

namespace lockstep::docker {

// Splits a stream into lines; whoever sends a line without end is cut off.
class LineReader {
 public:
  explicit LineReader(std::size_t max_line) : max_line_(max_line) {}

  // Calls `on_line` for each whole line in `piece`; false where a line is too long.
  template <typename OnLine>
  bool Feed(std::string_view piece, OnLine on_line) {
    while (!piece.empty()) {
      const auto end = piece.find('\n');
      rest_.append(piece.substr(0, end));
      if (rest_.size() > max_line_) return false;
      if (end == std::string_view::npos) return true;
      if (rest_.find_first_not_of(" \t\r") != std::string::npos) on_line(std::string_view(rest_));
      rest_.clear();
      piece.remove_prefix(end + 1);
    }
    return true;
  }

 private:
  const std::size_t max_line_;
  std::string rest_;
};

// Of a pull. A failure may quote the page of a registry; whatever the engine sends, a pull needs
// less than 2 MiB.
inline constexpr std::size_t kMaxPullLine = std::size_t{128} << 10;

// How an engine unpacks a layer. Where it does so while the layer comes (balena-engine), nothing
// but its progress in unpacking tells how much has come.
enum class Unpacking { kAfterDownload, kWhileDownloading };
Unpacking UnpackingOf(std::string_view engine_kind);

// What came of one layer. Not within PullStream: there Clang would not know yet how to make one.
struct PulledLayer {
  std::int64_t current = 0;
  std::int64_t total = 0;
  std::int64_t reported = -1;
  bool downloading = false;
  std::string status;
};

// Adds up what came of one pull, and knows when it moved last.
class PullStream {
 public:
  using Time = PullWatch::Time;

  // `watch` is that of the engine and outlives the stream.
  PullStream(Time now, Unpacking unpacking, PullWatch& watch)
      : watch_(watch), unpacking_(unpacking), last_work_(now), last_line_(now) {}

  // One line. Returns true where the progress changed.
  bool OnLine(std::string_view line, Time now);

  struct Bytes {
    std::int64_t current = 0;
    std::int64_t total = 0;
    friend bool operator==(const Bytes&, const Bytes&) = default;
  };
  Bytes bytes() const { return shown_; }  // Of all layers.
  PullProgress progress() const;          // The same, and each layer.
  // What the engine said went wrong: a pull that fails half way still has status 200.
  const std::optional<std::string>& error() const { return error_; }

  // For how long nothing has moved. A byte on another pull of the engine is one for both.
  struct Stall {
    std::chrono::milliseconds since_byte;  // What counts while it downloads ...
    std::chrono::milliseconds since_line;  // ... and while it unpacks, verifies or waits.
    bool downloading;
  };
  Stall StalledFor(Time now) const;

 private:
  using Layer = PulledLayer;

  bool OnLayer(const Json& line, Time now);  // True where its status is another.
  void Count(const Json& detail, Layer& layer, Time now);

  PullWatch& watch_;
  const Unpacking unpacking_;
  std::map<std::string, Layer> layers_;
  Bytes sum_;                   // Of the layers.
  std::optional<Layer> whole_;  // Once the engine itself adds up, that is the truth.
  Bytes shown_;
  std::optional<std::string> error_;
  Time last_work_;  // On a layer, other than a download: bytes are noted in the watch.
  Time last_line_;
};

// "127.0.0.1:5055/app:v1" -> "fromImage=127.0.0.1%3A5055%2Fapp&tag=v1". Without a tag the engine
// would pull every one there is.
std::string PullQuery(std::string_view reference);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_PULL_STREAM_H_
