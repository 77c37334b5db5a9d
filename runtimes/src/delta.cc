#include "lockstep/runtimes/delta.h"

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "delta_pull.h"
#include "engine_api.h"
#include "pull_stream.h"

namespace lockstep {
namespace docker {
namespace {

using Steady = std::chrono::steady_clock;

// Waits for the end of the stream that tells how it goes.
Result<void> Compute(EngineApi& api, const DeltaRequest& request, std::string_view what,
                     std::stop_token stop) {
  LineReader lines(kMaxPullLine);
  std::string error;
  bool sane = true;
  auto heard = Steady::now();
  const auto read = [&](std::string_view line) {
    const Json json = ParseJson(line).value_or(Json());
    if (std::string text = Text(At(json, "errorDetail"), "message"); !text.empty()) error = text;
  };
  HttpRequest call;
  call.method = "POST";
  // The tag's parameter is "t", unlike elsewhere.
  call.path = "/images/delta?src=" + EscapeQuery(request.base) +
              "&dest=" + EscapeQuery(request.target) + "&t=" + EscapeQuery(request.name);
  call.on_data = [&](std::string_view piece) {
    heard = Steady::now();
    sane = lines.Feed(piece, read);
    return sane;
  };
  call.watchdog = [&]() -> std::optional<Error> {
    if (Steady::now() - heard <= api.options().pull_unpack_timeout) return std::nullopt;
    return WithContext(MakeError(ErrorCode::kDeadlineExceeded, "the engine reports nothing"), what);
  };
  LOCKSTEP_TRY(const HttpReply reply, api.Send(std::move(call), what, stop));
  if (reply.status != 200) return FailureOf(reply, what);
  if (!sane || !lines.Feed("\n", read)) {
    return WithContext(MakeError(ErrorCode::kBadReply, "a line of the reply is too long"), what);
  }
  if (error.empty()) return Ok();
  return StreamFailure(error, what);
}

}  // namespace
}  // namespace docker

Result<std::string> MakeDelta(const DockerOptions& engine, const DeltaRequest& request,
                              std::stop_token stop) {
  const std::string what = "make delta " + request.name;
  auto address = docker::ParseEngineUrl(engine.url, engine.tls);
  if (!address) return WithContext(std::move(address).assume_error(), what);
  docker::EngineApi api(std::move(address).assume_value(), engine);
  auto described = api.Describe(stop);
  if (!described) return WithContext(std::move(described).assume_error(), what);
  const std::string& kind = described.assume_value().kind;
  if (!docker::AppliesDeltas(kind)) {
    return WithContext(
        MakeError(ErrorCode::kUnsupported, "the engine is " + kind, "have a balena-engine make it"),
        what);
  }
  LOCKSTEP_TRYV(docker::Compute(api, request, what, stop));
  LOCKSTEP_TRY(const docker::Json made,
               api.Get(docker::ImagePath(request.name, "/json"), what, stop));
  return docker::Text(made, "Id");
}

}  // namespace lockstep
