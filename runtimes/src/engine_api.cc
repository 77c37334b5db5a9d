#include "engine_api.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace lockstep::docker {
namespace {

constexpr int kOldestMinor = 40;
constexpr int kNewestMinor = 44;  // What this adapter was written against.
constexpr std::size_t kMaxMessage = 500;

struct Phrase {
  std::string_view words;
  ErrorCode code;
};

// The engine answers 500 to much that is not its own fault; only the words tell.
constexpr std::array kPhrases = {
    Phrase{"no space left on device", ErrorCode::kNoSpace},
    Phrase{"disk quota exceeded", ErrorCode::kNoSpace},
    Phrase{"port is already allocated", ErrorCode::kConflict},
    Phrase{"address already in use", ErrorCode::kConflict},
    Phrase{"manifest unknown", ErrorCode::kNotFound},
    Phrase{"name unknown", ErrorCode::kNotFound},
    Phrase{"repository does not exist", ErrorCode::kNotFound},
    Phrase{"no basic auth credentials", ErrorCode::kPermissionDenied},
    Phrase{"unauthorized", ErrorCode::kPermissionDenied},
    Phrase{"requested access to the resource is denied", ErrorCode::kPermissionDenied},
    Phrase{"authorization denied by plugin", ErrorCode::kPermissionDenied},
    Phrase{"OCI runtime create failed", ErrorCode::kInvalidInput},
    Phrase{"error gathering device information", ErrorCode::kInvalidInput},
    Phrase{"cannot unmarshal", ErrorCode::kInvalidInput},
    Phrase{"but it is not a shared", ErrorCode::kInvalidInput},
    Phrase{"--storage-opt", ErrorCode::kInvalidInput},
    Phrase{"--security-opt", ErrorCode::kInvalidInput},
};

std::string_view HintOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNoSpace:
      return "free some space on the engine's disk";
    case ErrorCode::kPermissionDenied:
      return "log the engine in to the registry, or check the image reference";
    default:
      return {};
  }
}

// The engine only complains that what it got is no JSON.
bool IsAboutAWebPage(std::string_view message) {
  constexpr auto kNone = std::string_view::npos;
  return message.find("invalid character '<'") != kNone || message.find("text/html") != kNone;
}

ErrorCode CodeOfStatus(long status) {
  switch (status) {
    case 400:
      return ErrorCode::kInvalidInput;
    case 401:
      return ErrorCode::kPermissionDenied;
    case 403:  // Networks in use, overlapping address ranges, addresses that are taken.
    case 409:
      return ErrorCode::kConflict;
    case 404:
      return ErrorCode::kNotFound;
    default:
      return status >= 500 ? ErrorCode::kUnavailable : ErrorCode::kBadReply;
  }
}

}  // namespace

std::string ContainerPath(const std::string& id, std::string_view rest) {
  return "/containers/" + EscapeQuery(id) + std::string(rest);
}

int MinorOf(std::string_view api_version) {
  if (!api_version.starts_with("1.")) return -1;
  const std::string_view minor = api_version.substr(2);
  int number = -1;
  const char* end = minor.data() + minor.size();
  const auto parsed = std::from_chars(minor.data(), end, number);
  return parsed.ptr == end ? number : -1;
}

ErrorCode CodeOfMessage(std::string_view message, ErrorCode otherwise) {
  for (const Phrase& phrase : kPhrases) {
    if (message.find(phrase.words) != std::string_view::npos) return phrase.code;
  }
  return otherwise;
}

Error FailureOf(const HttpReply& reply, std::string_view what) {
  std::string message;
  if (const auto json = ParseJson(reply.body)) message = Text(*json, "message");
  if (message.empty()) message = reply.body.substr(0, reply.body.find('\n'));
  if (message.empty()) message = "the engine answered " + std::to_string(reply.status);
  if (message.size() > kMaxMessage) message.resize(kMaxMessage);
  const ErrorCode code = CodeOfMessage(message, CodeOfStatus(reply.status));
  std::string hint(HintOf(code));
  if (IsAboutAWebPage(message)) {
    message = "the registry answers with a web page: " + message;
    hint = "is this the address of a registry?";
  }
  return WithContext(MakeError(code, std::move(message), std::move(hint)), what);
}

Result<void> Done(const Result<HttpReply>& reply, std::initializer_list<long> good,
                  std::string_view what) {
  if (!reply) return reply.assume_error();
  const long status = reply.assume_value().status;
  if (std::find(good.begin(), good.end(), status) != good.end()) return Ok();
  return FailureOf(reply.assume_value(), what);
}

Result<Negotiated> Negotiate(const Json& version) {
  Negotiated negotiated;
  EngineInfo& info = negotiated.info;
  info.version = Text(version, "Version");
  info.api_version = Text(version, "ApiVersion");
  info.arch = Text(version, "Arch");
  negotiated.os = Text(version, "Os");
  const std::string kind = Text(version, "Engine");  // Docker itself does not say.
  info.kind = kind.empty() ? "docker" : kind;
  const int newest = MinorOf(info.api_version);
  if (newest < 0) {
    return MakeError(ErrorCode::kBadReply, "the engine tells no API version",
                     "name the socket of a container engine with --engine");
  }
  if (newest < kOldestMinor) {
    return MakeError(ErrorCode::kUnsupported,
                     "the engine is too old: it speaks API " + info.api_version +
                         ", and 1.40 or newer is needed",
                     "update it to Docker 19.03 or newer");
  }
  const int oldest = MinorOf(Text(version, "MinAPIVersion"));
  if (oldest > kNewestMinor) {
    return MakeError(
        ErrorCode::kUnsupported,
        "the engine is too new: it speaks no API older than 1." + std::to_string(oldest),
        "update Lockstep");
  }
  negotiated.prefix = "/v1." + std::to_string(std::min(newest, kNewestMinor));
  return negotiated;
}

EngineApi::EngineApi(EngineAddress address, const DockerOptions& options)
    : options_(options), http_(std::move(address)) {}

Result<EngineInfo> EngineApi::Describe(std::stop_token stop) {
  {
    const std::lock_guard lock(mutex_);
    if (info_) return *info_;
  }
  HttpRequest request;
  request.path = "/version";
  request.timeout = options_.query_timeout;
  request.max_body = std::size_t{1} << 20;
  auto reply = http_.Perform(request, stop);
  constexpr std::string_view kWhat = "ask the engine for its version";
  if (!reply) return WithContext(std::move(reply).assume_error(), kWhat);
  if (reply.assume_value().status != 200) return FailureOf(reply.assume_value(), kWhat);
  const auto json = ParseJson(reply.assume_value().body);
  auto negotiated = Negotiate(json.value_or(Json()));
  if (!negotiated) return WithContext(std::move(negotiated).assume_error(), kWhat);
  const std::lock_guard lock(mutex_);
  prefix_ = negotiated.assume_value().prefix;
  os_ = negotiated.assume_value().os;
  info_ = negotiated.assume_value().info;
  return *info_;
}

Result<Platform> EngineApi::Machine(std::stop_token stop) {
  LOCKSTEP_TRY(const EngineInfo info, Describe(stop));
  Platform machine;
  machine.arch = info.arch;
  {
    const std::lock_guard lock(mutex_);
    machine.os = os_;
  }
  if (machine.arch == "arm") {
    LOCKSTEP_TRY(const Json system, Get("/info", "ask the engine for its machine", stop));
    machine.variant = VariantOfMachine(Text(system, "Architecture"));
  }
  return machine;
}

void EngineApi::ForgetVersion() {
  const std::lock_guard lock(mutex_);
  info_.reset();
}

Result<HttpReply> EngineApi::Send(HttpRequest request, std::string_view what,
                                  std::stop_token stop) {
  auto described = Describe(stop);
  if (!described) return WithContext(std::move(described).assume_error(), what);
  {
    const std::lock_guard lock(mutex_);
    request.path = prefix_ + request.path;
  }
  auto reply = http_.Perform(request, stop);
  if (!reply) return WithContext(std::move(reply).assume_error(), what);
  return reply;
}

Result<HttpReply> EngineApi::Change(std::string method, std::string path, const Json& body,
                                    std::string_view what, std::stop_token stop) {
  HttpRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  if (!body.is_null()) request.body = DumpJson(body);
  request.timeout = options_.change_timeout;
  return Send(std::move(request), what, stop);
}

Result<Json> EngineApi::Get(const std::string& path, std::string_view what, std::stop_token stop) {
  HttpRequest request;
  request.path = path;
  request.timeout = options_.query_timeout;
  LOCKSTEP_TRY(const HttpReply reply, Send(std::move(request), what, stop));
  if (reply.status != 200) return FailureOf(reply, what);
  auto json = ParseJson(reply.body);
  if (!json) {
    return WithContext(
        MakeError(ErrorCode::kBadReply, "the engine's reply is no JSON, or nested too deep"), what);
  }
  return *std::move(json);
}

}  // namespace lockstep::docker
