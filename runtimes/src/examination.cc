#include "examination.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "log_frames.h"

namespace lockstep::docker {
namespace {

constexpr int kMostRestarts = 1'000'000'000;

// The last line that says something; it is one line among others.
std::string LastLine(std::string_view text) {
  OutputTail tail;
  tail.Add(text);
  const auto lines = tail.Lines();
  return lines.empty() ? std::string() : lines.back();
}

// The engine's words for why there are none, and whose fault that may be.
std::string WhyMissing(const HttpReply& reply, const Json& container) {
  std::string why = LastLine(FailureOf(reply, {}).message);
  const std::string driver = Text(At(container, "HostConfig", "LogConfig"), "Type");
  return driver.empty() ? why : why + " (log driver " + LastLine(driver) + ")";
}

}  // namespace

Findings ReadFindings(const Json& container) {
  const Json& state = At(container, "State");
  Findings findings;
  const std::string status = Text(state, "Status");
  findings.engine_error = LastLine(Text(state, "Error"));
  // Where the engine could not run it, the code is the engine's own.
  const bool ended = status == "exited" || status == "restarting" || status == "dead";
  if (ended && findings.engine_error.empty()) {
    findings.exit_code = static_cast<int>(Number(state, "ExitCode"));
  }
  findings.out_of_memory = Flag(state, "OOMKilled");
  findings.restarts = static_cast<int>(
      std::clamp<std::int64_t>(Number(container, "RestartCount"), 0, kMostRestarts));
  const Json& checks = List(At(state, "Health"), "Log");
  if (!checks.empty() && Number(checks.back(), "ExitCode") != 0) {
    findings.health_output = LastLine(Text(checks.back(), "Output"));
  }
  return findings;
}

Result<Findings> Examine(EngineApi& api, const std::string& id, std::stop_token stop) {
  const std::string what = "examine container " + Short(id);
  LOCKSTEP_TRY(const Json container, api.Get(ContainerPath(id, "/json"), what, stop));
  Findings findings = ReadFindings(container);
  OutputTail tail;
  const bool terminal = Flag(At(container, "Config"), "Tty");
  LogFrames frames(terminal ? LogForm::kPlain : LogForm::kFrames, tail);
  HttpRequest request;
  request.path =
      ContainerPath(id, "/logs?stdout=1&stderr=1&tail=" + std::to_string(OutputTail::kMostLines));
  request.timeout = api.options().query_timeout;
  request.on_data = [&](std::string_view piece) {
    frames.Feed(piece);
    return true;
  };
  const auto reply = api.Send(std::move(request), what, stop);
  if (!reply && reply.assume_error().code == ErrorCode::kCancelled) return reply.assume_error();
  if (!reply) {
    findings.lines_missing = reply.assume_error().message;
  } else if (reply.assume_value().status != 200) {
    findings.lines_missing = WhyMissing(reply.assume_value(), container);
  } else {
    findings.last_lines = tail.Lines();
  }
  return findings;
}

}  // namespace lockstep::docker
