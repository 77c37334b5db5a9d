#include "engine_api.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "disk_space.h"

namespace lockstep::docker {
namespace {

constexpr int kOldestMinor = 40;
constexpr int kNewestMinor = 44;  // What this adapter was written against.

// It is a matter of who answers there.
Error AtUrl(Error error, const EngineAddress& address) {
  error.message += " (the engine at " + address.url + ')';
  return error;
}

}  // namespace

std::string ContainerPath(const std::string& id, std::string_view rest) {
  return "/containers/" + EscapeQuery(id) + std::string(rest);
}

std::string ImagePath(const std::string& image, std::string_view rest) {
  return "/images/" + EscapeQuery(image) + std::string(rest);
}

int MinorOf(std::string_view api_version) {
  if (!api_version.starts_with("1.")) return -1;
  const std::string_view minor = api_version.substr(2);
  int number = -1;
  const char* end = minor.data() + minor.size();
  const auto parsed = std::from_chars(minor.data(), end, number);
  return parsed.ptr == end ? number : -1;
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
    : options_(options), http_(std::move(address), options.connect_timeout) {}

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
  if (reply.assume_value().status != 200) {
    return AtUrl(FailureOf(reply.assume_value(), kWhat), http_.address());
  }
  const auto json = ParseJson(reply.assume_value().body);
  auto negotiated = Negotiate(json.value_or(Json()));
  if (!negotiated) {
    return WithContext(AtUrl(std::move(negotiated).assume_error(), http_.address()), kWhat);
  }
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
  data_root_.reset();
}

std::optional<std::int64_t> EngineApi::FreeDisk(std::stop_token stop) {
  if (http_.address().socket_path.empty()) return std::nullopt;
  std::unique_lock lock(mutex_);
  // Pulls begin side by side: one asks for all.
  if (!answered_.wait(lock, stop, [this] { return !asks_for_disk_; })) return std::nullopt;
  if (!data_root_) {
    asks_for_disk_ = true;
    lock.unlock();
    const auto system = Get("/info", "ask the engine for its disk", stop);
    lock.lock();
    asks_for_disk_ = false;
    answered_.notify_all();
    if (!system) return std::nullopt;  // What is wrong with it, the pull will tell.
    data_root_ = Text(system.assume_value(), "DockerRootDir");
  }
  const std::string root = *data_root_;
  lock.unlock();
  return FreeBytes(http_.address().socket_path, root);
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
  request.max_body = kMaxChangeReply;
  return Send(std::move(request), what, stop);
}

Result<Json> EngineApi::Get(const std::string& path, std::vector<std::string> headers,
                            std::string_view what, std::stop_token stop) {
  HttpRequest request;
  request.path = path;
  request.headers = std::move(headers);
  request.timeout = options_.query_timeout;
  LOCKSTEP_TRY(const HttpReply reply, Send(std::move(request), what, stop));
  if (reply.status != 200) return FailureOf(reply, what);
  auto json = ParseJson(reply.body);
  if (!json) {
    return WithContext(
        AtUrl(MakeError(ErrorCode::kBadReply, "the reply is no JSON, or nested too deep"),
              http_.address()),
        what);
  }
  return *std::move(json);
}

}  // namespace lockstep::docker
