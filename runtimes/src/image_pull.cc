#include "image_pull.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

#include "delta_pull.h"
#include "disk_space.h"
#include "lockstep/image_reference.h"
#include "registry_access.h"

namespace lockstep::docker {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kProgressInterval{100};

// Whether `image`, as it is inspected, is what `reference` asks for; true where that has no digest.
// The repository is not compared: an engine may have another way to write it.
bool HasDigest(const Json& image, std::string_view reference) {
  const std::string_view digest = PartsOf(reference).digest;
  if (digest.empty()) return true;
  const auto digests = TextList(At(image, "RepoDigests"));
  return std::any_of(digests.begin(), digests.end(),
                     [&](const std::string& name) { return name.ends_with(digest); });
}

// Reads the reply to one pull.
class Pull {
 public:
  Pull(EngineApi& api, PullStream stream, ProgressSink& progress, std::stop_token stop)
      : api_(api), stream_(std::move(stream)), progress_(progress), stop_(std::move(stop)) {}

  Result<void> Run(const std::string& reference, const RegistryAccess& access,
                   std::string_view what) {
    if (!HasRoom()) return WithContext(*ended_, what);
    HttpRequest call;
    call.method = "POST";
    call.path = "/images/create?" + PullQuery(reference);
    call.headers = access.Headers();
    call.on_data = [this](std::string_view piece) { return OnData(piece); };
    call.watchdog = [this, what]() -> std::optional<Error> {
      auto stalled = StalledPull(stream_.StalledFor(Steady::now()), api_.options());
      if (!stalled) return std::nullopt;
      return WithContext(*std::move(stalled), what);
    };
    LOCKSTEP_TRY(const HttpReply reply, api_.Send(std::move(call), what, stop_));
    if (!ended_ && reply.status != 200) return access.Explain(FailureOf(reply, what));
    if (!ended_) OnData("\n");  // The last line may lack its end.
    if (ended_) return WithContext(*ended_, what);
    if (stream_.error()) return access.Explain(StreamFailure(*stream_.error(), what));
    progress_.OnProgress(stream_.progress());
    return Ok();
  }

 private:
  // False ends the pull, for the reason in `ended_`.
  bool OnData(std::string_view piece) {
    const auto now = Steady::now();
    bool changed = false;
    const bool sane = lines_.Feed(
        piece, [&](std::string_view line) { changed = stream_.OnLine(line, now) || changed; });
    if (changed && now - reported_ >= kProgressInterval) {
      reported_ = now;
      progress_.OnProgress(stream_.progress());
    }
    if (!sane) ended_ = MakeError(ErrorCode::kBadReply, "a line of the reply is too long");
    // It may turn out to be larger as its layers become known.
    const std::int64_t total = stream_.bytes().total;
    const bool larger = total != std::exchange(total_, total);
    return sane && (!larger || HasRoom());
  }

  bool HasRoom() {
    const auto [current, total] = stream_.bytes();
    const auto free = api_.FreeDisk(stop_);
    if (free) ended_ = LacksRoom({current, total}, *free, api_.options().pull_reserve_bytes);
    return !ended_;
  }

  EngineApi& api_;
  PullStream stream_;
  ProgressSink& progress_;
  const std::stop_token stop_;
  LineReader lines_{kMaxPullLine};
  Steady::time_point reported_{};
  std::int64_t total_ = 0;
  std::optional<Error> ended_;
};

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

Result<std::string> PullImage(EngineApi& api, PullWatch& watch, const std::string& reference,
                              ProgressSink& progress, std::stop_token stop) {
  const std::string what = "pull image " + reference;
  auto engine = api.Describe(stop);
  if (!engine) return WithContext(std::move(engine).assume_error(), what);
  auto access = RegistryAccess::To(reference, api.options().credentials, stop);
  if (!access) return WithContext(std::move(access).assume_error(), what);
  PullStream stream(Steady::now(), UnpackingOf(engine.assume_value().kind), watch);
  LOCKSTEP_TRYV(
      Pull(api, std::move(stream), progress, stop).Run(reference, access.assume_value(), what));
  LOCKSTEP_TRY(const Json image, api.Get(ImagePath(reference, "/json"), what, stop));
  if (!HasDigest(image, reference)) {
    return WithContext(MakeError(ErrorCode::kBadReply, "the engine pulled something else"), what);
  }
  LOCKSTEP_TRYV(RefuseDelta(api, image, reference, what, stop));
  return Text(image, "Id");
}

}  // namespace lockstep::docker
