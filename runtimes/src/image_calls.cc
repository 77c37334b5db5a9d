#include "image_calls.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep::docker {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kProgressInterval{100};

// "r:5055/app:v1" and "r:5055/app@sha256:ab" -> "r:5055/app".
std::string_view RepositoryOf(std::string_view reference) {
  reference = reference.substr(0, reference.find('@'));
  const auto colon = reference.rfind(':');
  const bool tag =
      colon != std::string_view::npos && reference.find('/', colon) == std::string_view::npos;
  return tag ? reference.substr(0, colon) : reference;
}

// Whether `image`, as it is inspected, is what `reference` asks for; true where that has no digest.
// The repository is not compared: an engine may have another way to write it.
bool HasDigest(const Json& image, std::string_view reference) {
  const auto at = reference.find('@');
  if (at == std::string_view::npos) return true;
  const auto digests = TextList(At(image, "RepoDigests"));
  return std::any_of(digests.begin(), digests.end(),
                     [&](const std::string& name) { return name.ends_with(reference.substr(at)); });
}

// An image with several names goes with the last of them. Each name that goes is lost for good: so
// first it is made sure that nobody uses the image, and that nobody else named it.
Result<void> RemoveReferences(EngineApi& api, const std::string& image_id, const HttpReply& refusal,
                              std::string_view what, std::stop_token stop) {
  const Json filters = {{"ancestor", {image_id}}};
  LOCKSTEP_TRY(
      const Json users,
      api.Get("/containers/json?all=1&filters=" + EscapeQuery(DumpJson(filters)), what, stop));
  if (!users.empty()) return FailureOf(refusal, what);
  auto image = api.Get("/images/" + EscapeQuery(image_id) + "/json", what, stop);
  if (!image && image.assume_error().code == ErrorCode::kNotFound) return Ok();
  LOCKSTEP_TRY(const Json json, std::move(image));
  std::vector<std::string> names = TextList(At(json, "RepoTags"));
  const bool tagged = !names.empty();
  const auto digests = TextList(At(json, "RepoDigests"));
  names.insert(names.end(), digests.begin(), digests.end());
  // A tag may be a person's. Digests alone cannot: they come from pulls by digest.
  const bool foreign = tagged && std::any_of(names.begin(), names.end(), [&](const auto& name) {
                         return RepositoryOf(name) != RepositoryOf(names.front());
                       });
  if (foreign) {
    return WithContext(MakeError(ErrorCode::kConflict, "it has names in several repositories",
                                 "untag the name that is not Lockstep's, if it is not needed"),
                       what);
  }
  for (const std::string& name : names) {
    HttpRequest request;
    request.method = "DELETE";
    request.path = "/images/" + EscapeQuery(name);
    request.timeout = api.options().remove_image_timeout;
    LOCKSTEP_TRYV(Done(api.Send(std::move(request), what, stop), {200, 404}, what));
  }
  return Ok();
}

}  // namespace

std::optional<Error> StalledPull(const PullStream::Stall& stall, const DockerOptions& options) {
  const auto seconds = [](std::chrono::milliseconds time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
  };
  if (stall.downloading && stall.since_byte > options.pull_stall_timeout) {
    return MakeError(ErrorCode::kDeadlineExceeded, "the download does not move: no byte came for " +
                                                       seconds(options.pull_stall_timeout));
  }
  if (!stall.downloading && stall.since_line > options.pull_unpack_timeout) {
    return MakeError(ErrorCode::kDeadlineExceeded,
                     "the pull does not move: the engine reported nothing for " +
                         seconds(options.pull_unpack_timeout));
  }
  return std::nullopt;
}

Result<void> CheckImage(EngineApi& api, const std::string& reference, std::stop_token stop) {
  const std::string what = "ask the registry for image " + reference;
  LOCKSTEP_TRY(const Json found,
               api.Get("/distribution/" + EscapeQuery(reference) + "/json", what, stop));
  auto machine = api.Machine(stop);
  if (!machine) return WithContext(std::move(machine).assume_error(), what);
  const auto others = OnlyForOthers(At(found, "Platforms"), machine.assume_value());
  if (!others) return Ok();
  return WithContext(
      MakeError(ErrorCode::kNotFound,
                "the registry has it for " + *others + ", and not for this machine (" +
                    NameOf(machine.assume_value()) + ")",
                "build the image for this machine, too"),
      what);
}

Result<std::string> PullImage(EngineApi& api, PullWatch& watch, const PullRequest& request,
                              ProgressSink& progress, std::stop_token stop) {
  const std::string what = "pull image " + request.reference;
  auto engine = api.Describe(stop);
  if (!engine) return WithContext(std::move(engine).assume_error(), what);
  PullStream stream(Steady::now(), UnpackingOf(engine.assume_value().kind), watch);
  LineReader lines;
  bool sane = true;
  Steady::time_point reported{};
  HttpRequest call;
  call.method = "POST";
  call.path = "/images/create?" + PullQuery(request.reference);
  call.on_data = [&](std::string_view piece) {
    const auto now = Steady::now();
    bool changed = false;
    sane = lines.Feed(
        piece, [&](std::string_view line) { changed = stream.OnLine(line, now) || changed; });
    if (changed && now - reported >= kProgressInterval) {
      reported = now;
      progress.OnProgress(stream.progress());
    }
    return sane;
  };
  call.watchdog = [&]() -> std::optional<Error> {
    auto stalled = StalledPull(stream.StalledFor(Steady::now()), api.options());
    if (!stalled) return std::nullopt;
    return WithContext(*std::move(stalled), what);
  };
  LOCKSTEP_TRY(const HttpReply reply, api.Send(std::move(call), what, stop));
  if (reply.status != 200) return FailureOf(reply, what);
  // The last line may lack its end.
  sane =
      sane && lines.Feed("\n", [&](std::string_view line) { stream.OnLine(line, Steady::now()); });
  if (!sane) {
    return WithContext(MakeError(ErrorCode::kBadReply, "a line of the reply is too long"), what);
  }
  if (stream.error()) {
    HttpReply failed;
    failed.status = 500;
    failed.body = DumpJson({{"message", *stream.error()}});
    return FailureOf(failed, what);
  }
  progress.OnProgress(stream.progress());
  LOCKSTEP_TRY(const Json image,
               api.Get("/images/" + EscapeQuery(request.reference) + "/json", what, stop));
  if (!HasDigest(image, request.reference)) {
    return WithContext(MakeError(ErrorCode::kBadReply, "the engine pulled something else"), what);
  }
  return Text(image, "Id");
}

Result<void> RemoveImage(EngineApi& api, const std::string& image_id, std::stop_token stop) {
  const std::string what = "remove image " + image_id;
  HttpRequest request;
  request.method = "DELETE";
  request.path = "/images/" + EscapeQuery(image_id);
  request.timeout = api.options().remove_image_timeout;
  const auto reply = api.Send(std::move(request), what, stop);
  if (reply && reply.assume_value().status == 409 &&
      Says(reply.assume_value(), "referenced in multiple repositories")) {
    return RemoveReferences(api, image_id, reply.assume_value(), what, stop);
  }
  return Done(reply, {200, 404}, what);
}

}  // namespace lockstep::docker
