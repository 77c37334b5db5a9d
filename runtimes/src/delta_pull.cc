#include "delta_pull.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "image_calls.h"
#include "image_pull.h"
#include "lockstep/image_reference.h"

namespace lockstep::docker {
namespace {

constexpr std::string_view kDeltaLabels = "io.resin.delta.";

// "r:5055/app:v1" -> "repo=r%3A5055%2Fapp&tag=v1"
std::string TagQuery(std::string_view reference) {
  const ReferenceParts parts = PartsOf(reference);
  return "repo=" + EscapeQuery(parts.name) +
         "&tag=" + EscapeQuery(parts.tag.empty() ? "latest" : parts.tag);
}

Result<std::vector<std::string>> PresentImages(EngineApi& api, std::string_view what,
                                               std::stop_token stop) {
  LOCKSTEP_TRY(const Json images, api.Get("/images/json", what, stop));
  std::vector<std::string> ids;
  if (!images.is_array()) return ids;
  for (const Json& image : images) ids.push_back(Text(image, "Id"));
  return ids;
}

// The delta to try; none where the image is to be pulled whole.
Result<std::optional<Delta>> DeltaFor(EngineApi& api, const PullRequest& request,
                                      std::string_view what, std::stop_token stop) {
  const auto& ask = api.options().delta_for;
  if (!request.delta && !ask) return std::nullopt;
  if (request.reference.find('@') != std::string::npos) return std::nullopt;
  LOCKSTEP_TRY(const EngineInfo engine, api.Describe(stop));
  if (!AppliesDeltas(engine.kind)) return std::nullopt;
  LOCKSTEP_TRY(const std::vector<std::string> present, PresentImages(api, what, stop));
  std::optional<Delta> delta = request.delta;
  if (!delta) delta = ask(request.reference, present, stop);
  if (!delta || std::find(present.begin(), present.end(), delta->base) == present.end()) {
    return std::nullopt;
  }
  return delta;
}

// What the delta gives gets the name that was asked for, and loses that of the delta: the engine
// would never remove an image that has names in two repositories.
Result<void> Rename(EngineApi& api, const std::string& image, const std::string& from,
                    const std::string& to, std::string_view what, std::stop_token stop) {
  const std::string path = ImagePath(image, "/tag?" + TagQuery(to));
  LOCKSTEP_TRYV(Done(api.Change("POST", path, Json(), what, stop), {201}, what));
  return RemoveImageName(api, from, what, stop);
}

// None where anything is wrong with the delta. That includes a stall: the engine tries a layer that
// its registry has lost for ever. Where in truth the engine or the link is gone, or no registry is
// open to us, the whole image says so next.
Result<std::optional<std::string>> Pull(EngineApi& api, PullWatch& watch, const Delta& delta,
                                        ProgressSink& progress, std::string_view what,
                                        std::stop_token stop) {
  auto pulled = PullImage(api, watch, delta.reference, progress, stop);
  if (!pulled) {
    const ErrorCode code = pulled.assume_error().code;
    // The whole image needs even more room.
    const bool final = code == ErrorCode::kCancelled || code == ErrorCode::kNoSpace;
    if (final) return WithContext(std::move(pulled).assume_error(), what);
    return std::nullopt;
  }
  if (!delta.result.empty() && pulled.assume_value() != delta.result) {
    LOCKSTEP_TRYV(RemoveImageName(api, delta.reference, what, stop));
    return std::nullopt;
  }
  return std::move(pulled).assume_value();
}

}  // namespace

bool AppliesDeltas(std::string_view engine_kind) { return engine_kind == "balena-engine"; }

Result<std::string> PullByDelta(EngineApi& api, PullWatch& watch, const PullRequest& request,
                                ProgressSink& progress, std::stop_token stop) {
  const std::string what = "pull image " + request.reference + " by its delta";
  LOCKSTEP_TRY(const std::optional<Delta> delta, DeltaFor(api, request, what, stop));
  if (!delta) return PullImage(api, watch, request.reference, progress, stop);
  LOCKSTEP_TRY(const std::optional<std::string> id, Pull(api, watch, *delta, progress, what, stop));
  if (!id) return PullImage(api, watch, request.reference, progress, stop);
  if (delta->reference != request.reference) {
    LOCKSTEP_TRYV(Rename(api, *id, delta->reference, request.reference, what, stop));
  }
  return *id;
}

Result<void> RefuseDelta(EngineApi& api, const Json& image, const std::string& reference,
                         std::string_view what, std::stop_token stop) {
  const Labels labels = TextMap(At(image, "Config", "Labels"));
  const auto label = labels.lower_bound(std::string(kDeltaLabels));
  if (label == labels.end() || !label->first.starts_with(kDeltaLabels)) return Ok();
  // Where that fails it only takes up room.
  (void)RemoveImageName(api, reference, what, stop);
  return WithContext(MakeError(ErrorCode::kUnsupported,
                               reference + " is no image but a delta to one, which this engine has "
                                           "not applied",
                               "name the image itself"),
                     what);
}

}  // namespace lockstep::docker
