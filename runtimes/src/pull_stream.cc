#include "pull_stream.h"

#include <algorithm>

#include "http_client.h"

namespace lockstep::docker {
namespace {

constexpr std::size_t kMaxLayers = 4096;
constexpr std::int64_t kMaxBytes = std::int64_t{1} << 50;  // The sum of all layers cannot overflow.

}  // namespace

bool PullStream::OnLine(std::string_view text, Time now) {
  const auto line = ParseJson(text);
  if (!line || !line->is_object()) return false;
  const std::string detail = Text(At(*line, "errorDetail"), "message");
  const std::string error = detail.empty() ? Text(*line, "error") : detail;
  if (!error.empty()) {
    error_ = error;
    return false;
  }
  const PullProgress before = progress_;
  OnLayer(*line, now);
  progress_ = Sum();
  return progress_.current_bytes != before.current_bytes ||
         progress_.total_bytes != before.total_bytes;
}

PullProgress PullStream::Sum() const {
  if (whole_) return {whole_->current, whole_->total};
  PullProgress sum;
  for (const auto& [id, layer] : layers_) {
    sum.current_bytes += layer.current;
    sum.total_bytes += layer.total;
  }
  return sum;
}

void PullStream::Count(const Json& detail, Layer& layer, Time now) {
  const std::int64_t current = std::clamp<std::int64_t>(Number(detail, "current"), 0, kMaxBytes);
  // After a retry the count begins anew: any change is a sign of life, but never goes back.
  if (current != layer.reported) watch_.NoteByte(now);
  layer.reported = current;
  layer.current = std::max(layer.current, current);
  layer.total = std::max(
      layer.total, std::clamp<std::int64_t>(Number(detail, "total"), layer.current, kMaxBytes));
}

void PullStream::OnLayer(const Json& line, Time now) {
  const std::string status = Text(line, "status");
  const std::string id = Text(line, "id");
  const bool retrying = status.starts_with("Retrying in");
  // A countdown to the next attempt is no sign of life: one engine counts down for ever.
  if (!retrying) last_line_ = now;
  if (id.empty() || status.starts_with("Pulling from")) return;
  const Json& detail = At(line, "progressDetail");
  if (id == "Total") {
    if (!whole_) whole_.emplace();
    Count(detail, *whole_, now);
    return;
  }
  if (layers_.size() >= kMaxLayers && !layers_.contains(id)) return;
  Layer& layer = layers_[id];
  const bool on_the_fly = unpacking_ == Unpacking::kWhileDownloading && status == "Extracting";
  if (status == "Downloading" || on_the_fly) {
    Count(detail, layer, now);
  } else if (status == "Download complete" || status == "Pull complete" ||
             status == "Already exists") {
    layer.current = layer.total;
  }
  // What has come whole may take long to unpack.
  const bool to_come = on_the_fly && layer.reported < layer.total;
  layer.downloading = status == "Downloading" || to_come || retrying;
  if (!layer.downloading) last_work_ = now;
}

PullStream::Stall PullStream::StalledFor(Time now) const {
  const auto since = [&](Time own) {
    const Time then = std::max(own, watch_.last_byte());
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - then);
  };
  const bool downloading = std::any_of(layers_.begin(), layers_.end(),
                                       [](const auto& layer) { return layer.second.downloading; });
  return {since(last_work_), since(last_line_), downloading};
}

Unpacking UnpackingOf(std::string_view engine_kind) {
  return engine_kind == "balena-engine" ? Unpacking::kWhileDownloading : Unpacking::kAfterDownload;
}

std::string PullQuery(std::string_view reference) {
  std::string_view name = reference;
  std::string_view tag = "latest";
  if (const auto at = reference.find('@'); at != std::string_view::npos) {
    name = reference.substr(0, at);
    tag = reference.substr(at + 1);  // The engine takes a digest in the tag's place.
  }
  const auto slash = name.rfind('/');
  const auto colon = name.rfind(':');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    if (name.size() == reference.size()) tag = name.substr(colon + 1);
    name = name.substr(0, colon);
  }
  return "fromImage=" + EscapeQuery(name) + "&tag=" + EscapeQuery(tag);
}

}  // namespace lockstep::docker
