#include "pull_stream.h"

#include <algorithm>
#include <utility>

#include "http_client.h"
#include "lockstep/image_reference.h"
#include "peer_text.h"

namespace lockstep::docker {
namespace {

constexpr std::size_t kMaxLayers = 512;  // An image has 127 at most.
constexpr std::size_t kMaxLayerId = 64;  // The digest of a layer in full.
constexpr std::size_t kMaxStatus = 80;   // What engines say is shorter.
constexpr int kMaxLineValues = 256;
constexpr std::int64_t kMaxBytes = std::int64_t{1} << 50;  // The sum of all layers cannot overflow.

}  // namespace

bool PullStream::OnLine(std::string_view text, Time now) {
  const auto line = ParseJson(text, kMaxLineValues);
  if (!line || !line->is_object()) return false;
  const std::string detail = Text(At(*line, "errorDetail"), "message");
  const std::string error = detail.empty() ? Text(*line, "error") : detail;
  if (!error.empty()) {
    error_ = PeerText(error);
    return false;
  }
  const bool changed = OnLayer(*line, now);
  const Bytes before = std::exchange(shown_, whole_ ? Bytes{whole_->current, whole_->total} : sum_);
  return changed || shown_ != before;
}

PullProgress PullStream::progress() const {
  PullProgress progress{shown_.current, shown_.total};
  for (const auto& [id, layer] : layers_) {
    progress.layers.push_back({id, layer.status, layer.current, layer.total});
  }
  return progress;
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

bool PullStream::OnLayer(const Json& line, Time now) {
  const std::string status = Text(line, "status");
  const std::string id = Text(line, "id");
  const bool retrying = status.starts_with("Retrying in");
  // A countdown to the next attempt is no sign of life: one engine counts down for ever.
  if (!retrying) last_line_ = now;
  if (id.empty() || status.starts_with("Pulling from")) return false;
  const Json& detail = At(line, "progressDetail");
  if (id == "Total") {
    if (!whole_) whole_.emplace();
    Count(detail, *whole_, now);
    return false;
  }
  if (id.size() > kMaxLayerId) return false;
  if (layers_.size() >= kMaxLayers && !layers_.contains(id)) return false;
  Layer& layer = layers_[id];
  const Bytes before{layer.current, layer.total};
  const bool on_the_fly = unpacking_ == Unpacking::kWhileDownloading && status == "Extracting";
  if (status == "Downloading" || on_the_fly) {
    Count(detail, layer, now);
  } else if (status == "Download complete" || status == "Pull complete" ||
             status == "Already exists") {
    layer.current = layer.total;
  }
  sum_.current += layer.current - before.current;
  sum_.total += layer.total - before.total;
  // What has come whole may take long to unpack.
  const bool to_come = on_the_fly && layer.reported < layer.total;
  layer.downloading = status == "Downloading" || to_come || retrying;
  if (!layer.downloading) last_work_ = now;
  if (status.size() > kMaxStatus || status == layer.status) return false;
  layer.status = status;
  return true;
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
  const ReferenceParts parts = PartsOf(reference);
  std::string_view tag = parts.tag.empty() ? "latest" : parts.tag;
  if (!parts.digest.empty()) tag = parts.digest.substr(1);  // It goes in the tag's place.
  return "fromImage=" + EscapeQuery(parts.name) + "&tag=" + EscapeQuery(tag);
}

}  // namespace lockstep::docker
