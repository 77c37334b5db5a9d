#include "http_client.h"

#include <curl/curl.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

namespace lockstep::docker {
namespace {

constexpr std::size_t kMaxErrorBody = std::size_t{64} << 10;
constexpr std::size_t kIdleLanes = 4;
constexpr int kWatchdogIntervalMs = 1000;
constexpr int kUnboundedWaitMs = 3'600'000;

// What the write callback needs, and what it found.
struct Exchange {
  CURL* easy = nullptr;
  const HttpRequest* request = nullptr;
  HttpReply reply;
  bool opened = false;
  bool too_long = false;
  bool ended_by_reader = false;
};

std::size_t OnBody(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  curl_easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &exchange.reply.status);
  const bool success = exchange.reply.status < 300;
  if (exchange.request->on_data && exchange.reply.status == 200) {
    if (exchange.request->on_data({data, size})) return size;
    exchange.ended_by_reader = true;
    return CURL_WRITEFUNC_ERROR;
  }
  std::string& body = exchange.reply.body;
  const std::size_t limit = success ? exchange.request->max_body : kMaxErrorBody;
  if (body.size() + size > limit) {
    exchange.too_long = true;
    return CURL_WRITEFUNC_ERROR;
  }
  body.append(data, size);
  return size;
}

std::size_t OnHeader(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (std::string_view(data, size) != "\r\n") return size;
  curl_easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &exchange.reply.status);
  if (exchange.reply.status == 200) {
    exchange.opened = true;
    exchange.request->on_open();
  }
  return size;
}

Error CannotConnect(const EngineAddress& address, int system_error) {
  if (system_error == EACCES || system_error == EPERM) {
    return MakeError(ErrorCode::kPermissionDenied, "no permission for the engine at " + address.url,
                     "run as root or join the docker group");
  }
  const std::string reason =
      system_error == 0 ? std::string() : std::string(" (") + std::strerror(system_error) + ")";
  return MakeError(ErrorCode::kUnavailable, "no engine answers at " + address.url + reason,
                   "start it, or name another with --engine");
}

Error NoAnswer(std::chrono::milliseconds within) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(within);
  return MakeError(ErrorCode::kDeadlineExceeded,
                   "the engine gave no answer within " + std::to_string(seconds.count()) + " s");
}

Error TransportError(CURLcode code, const Exchange& exchange, const EngineAddress& address) {
  long system_error = 0;
  switch (code) {
    case CURLE_COULDNT_CONNECT:
      curl_easy_getinfo(exchange.easy, CURLINFO_OS_ERRNO, &system_error);
      return CannotConnect(address, static_cast<int>(system_error));
    case CURLE_OPERATION_TIMEDOUT:
      return NoAnswer(exchange.request->timeout);
    case CURLE_WRITE_ERROR:
      return MakeError(ErrorCode::kBadReply, "the engine's reply is longer than allowed");
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING:
      return MakeError(ErrorCode::kBadReply, "what answers at " + address.url + " speaks no HTTP",
                       "name the socket of a container engine with --engine");
    default:
      return MakeError(
          ErrorCode::kUnavailable,
          std::string("the connection to the engine broke: ") + curl_easy_strerror(code));
  }
}

}  // namespace

// One connection, used by one call at a time. A multi handle waits in place of a plain
// curl_easy_perform() since that alone can be woken by a stop request.
class HttpClient::Lane {
 public:
  Lane() : multi_(curl_multi_init()), easy_(curl_easy_init()) {}
  ~Lane() {
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
    curl_slist_free_all(headers_);
  }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  bool ok() const { return multi_ != nullptr && easy_ != nullptr; }

  Result<HttpReply> Perform(const HttpRequest& request, const EngineAddress& address,
                            const std::stop_token& stop) {
    Exchange exchange;
    exchange.easy = easy_;
    exchange.request = &request;
    SetUp(request, address, exchange);
    curl_multi_add_handle(multi_, easy_);
    auto outcome = Drive(exchange, stop);
    curl_multi_remove_handle(multi_, easy_);
    if (!outcome) return outcome.assume_error();
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &exchange.reply.status);
    const CURLcode code = outcome.assume_value();
    if (code != CURLE_OK && !exchange.ended_by_reader) {
      return TransportError(code, exchange, address);
    }
    return std::move(exchange.reply);
  }

 private:
  void SetUp(const HttpRequest& request, const EngineAddress& address, Exchange& exchange) {
    curl_easy_reset(easy_);
    const std::string url = "http://engine" + request.path;
    curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy_, CURLOPT_UNIX_SOCKET_PATH, address.socket_path.c_str());
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_, CURLOPT_PROXY, "");  // http_proxy is for other peers.
    curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, &exchange);
    if (request.on_open) {
      curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, OnHeader);
      curl_easy_setopt(easy_, CURLOPT_HEADERDATA, &exchange);
    }
    if (headers_ == nullptr) {
      headers_ = curl_slist_append(nullptr, "Content-Type: application/json");
      headers_ = curl_slist_append(headers_, "Expect:");
    }
    curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
    if (request.method == "POST") {
      curl_easy_setopt(easy_, CURLOPT_POST, 1L);
      curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request.body.c_str());
    } else if (request.method != "GET") {
      curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
  }

  Result<CURLcode> Drive(const Exchange& exchange, const std::stop_token& stop) {
    const HttpRequest& request = *exchange.request;
    const std::stop_callback wake(stop, [this] { curl_multi_wakeup(multi_); });
    const auto open_by = std::chrono::steady_clock::now() + request.open_timeout;
    while (true) {
      if (stop.stop_requested()) return MakeError(ErrorCode::kCancelled, "stopped");
      int running = 0;
      if (curl_multi_perform(multi_, &running) != CURLM_OK) return CURLE_FAILED_INIT;
      int left = 0;
      while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
        if (message->msg == CURLMSG_DONE) return message->data.result;
      }
      if (request.watchdog) {
        if (auto error = request.watchdog()) return *std::move(error);
      }
      int wait_ms = request.watchdog ? kWatchdogIntervalMs : kUnboundedWaitMs;
      if (request.open_timeout.count() > 0 && !exchange.opened) {
        const auto remaining = std::chrono::ceil<std::chrono::milliseconds>(
            open_by - std::chrono::steady_clock::now());
        if (remaining.count() <= 0) return NoAnswer(request.open_timeout);
        wait_ms = static_cast<int>(std::min<std::int64_t>(wait_ms, remaining.count()));
      }
      if (curl_multi_poll(multi_, nullptr, 0, wait_ms, nullptr) != CURLM_OK) {
        return CURLE_FAILED_INIT;
      }
    }
  }

  CURLM* multi_;
  CURL* easy_;
  curl_slist* headers_ = nullptr;
};

Result<EngineAddress> ParseEngineUrl(const std::string& url) {
  constexpr std::string_view kUnix = "unix://";
  EngineAddress address;
  address.url = url;
  if (url.starts_with(kUnix)) {
    address.socket_path = url.substr(kUnix.size());
    if (!address.socket_path.starts_with('/')) {
      return MakeError(ErrorCode::kInvalidInput, "\"" + url + "\" names no absolute path",
                       "write it like unix:///var/run/docker.sock");
    }
    if (address.socket_path.size() >= sizeof(sockaddr_un::sun_path)) {
      return MakeError(ErrorCode::kInvalidInput,
                       "the path of the socket is longer than 107 bytes: " + address.socket_path,
                       "make a shorter symbolic link to it");
    }
    return address;
  }
  return MakeError(ErrorCode::kUnsupported, "\"" + url + "\" is no kind of engine that is known",
                   "write it like unix:///var/run/docker.sock");
}

HttpClient::HttpClient(EngineAddress address) : address_(std::move(address)) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

HttpClient::~HttpClient() = default;

std::unique_ptr<HttpClient::Lane> HttpClient::Take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<Lane>();
  auto lane = std::move(idle_.back());
  idle_.pop_back();
  return lane;
}

void HttpClient::GiveBack(std::unique_ptr<Lane> lane) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleLanes) idle_.push_back(std::move(lane));
}

Result<HttpReply> HttpClient::Perform(const HttpRequest& request, std::stop_token stop) {
  auto lane = Take();
  if (!lane->ok()) return MakeError(ErrorCode::kNoSpace, "no memory for a connection");
  auto reply = lane->Perform(request, address_, stop);
  // After a failure nothing is known of the connection: a new one is cheap.
  if (reply) GiveBack(std::move(lane));
  return reply;
}

std::string EscapeQuery(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 0xf];
    }
  }
  return out;
}

}  // namespace lockstep::docker
