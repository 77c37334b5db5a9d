#include "http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "peer_text.h"
#include "sigpipe_guard.h"
#include "transport_error.h"

namespace lockstep::docker {
namespace {

constexpr std::size_t kMaxErrorBody = std::size_t{64} << 10;
constexpr std::size_t kMaxHeaders = std::size_t{256} << 10;  // Those of 1xx replies included.
constexpr long kKeepAliveSeconds = 30;
constexpr std::size_t kIdleLanes = 4;
constexpr int kWatchdogIntervalMs = 1000;
constexpr int kUnboundedWaitMs = 3'600'000;

// What the callbacks need, and what they found.
struct Exchange {
  CURL* easy = nullptr;
  const HttpRequest* request = nullptr;
  HttpReply reply;
  std::size_t header_bytes = 0;
  bool head_ended = false;
  bool opened = false;
  bool headers_too_long = false;
  bool body_too_long = false;
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
    exchange.body_too_long = true;
    return CURL_WRITEFUNC_ERROR;
  }
  body.append(data, size);
  return size;
}

std::size_t OnHeader(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  exchange.header_bytes += size;
  if (exchange.header_bytes > kMaxHeaders) {
    exchange.headers_too_long = true;
    return 0;
  }
  const std::string_view line(data, size);
  if ((line != "\r\n" && line != "\n") || exchange.head_ended) return size;
  curl_easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &exchange.reply.status);
  exchange.head_ended = exchange.reply.status >= 200;  // Those below come before the reply.
  if (exchange.reply.status == 200) {
    exchange.opened = true;
    if (exchange.request->on_open) exchange.request->on_open();
  }
  return size;
}

// 304 is an answer to a change; an engine has no other one of its kind.
bool IsRedirect(long status) { return status >= 300 && status < 400 && status != 304; }

Error Redirected(CURL* easy, long status, const EngineAddress& address) {
  const char* to = nullptr;
  curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &to);
  return NoEngine(address, "answered with a redirect (" + std::to_string(status) + ')' +
                               (to == nullptr ? std::string() : " to " + PeerText(to)));
}

}  // namespace

// One connection, used by one call at a time. A multi handle waits in place of a plain
// curl_easy_perform() since that alone can be woken by a stop request.
class HttpClient::Lane {
 public:
  Lane() : multi_(curl_multi_init()), easy_(curl_easy_init()) {}
  ~Lane() {
    const SigpipeGuard guard;
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
    curl_slist_free_all(headers_);
  }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  bool ok() const { return multi_ != nullptr && easy_ != nullptr; }

  Result<HttpReply> Perform(const HttpRequest& request, const EngineAddress& address,
                            std::chrono::milliseconds connect_timeout,
                            const std::stop_token& stop) {
    const SigpipeGuard guard;
    Exchange exchange;
    exchange.easy = easy_;
    exchange.request = &request;
    SetUp(request, address, exchange);
    curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_timeout.count()));
    curl_multi_add_handle(multi_, easy_);
    auto outcome = Drive(exchange, address, stop);
    curl_multi_remove_handle(multi_, easy_);
    if (!outcome) return outcome.assume_error();
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &exchange.reply.status);
    if (exchange.headers_too_long) return NoEngine(address, "sends headers without end");
    if (exchange.body_too_long) return NoEngine(address, "sends a reply longer than allowed");
    if (IsRedirect(exchange.reply.status)) {
      return Redirected(easy_, exchange.reply.status, address);
    }
    const CURLcode code = outcome.assume_value();
    if (code != CURLE_OK && !exchange.ended_by_reader) {
      return TransportError({easy_, code, detail_.data(), request.timeout, connect_timeout},
                            address);
    }
    // libcurl takes a connection that ends within the head for a reply without a body.
    if (!exchange.head_ended) return HeadCutOff(address);
    return std::move(exchange.reply);
  }

 private:
  void SetUpConnection(const EngineAddress& address) {
    // The name is looked up in a thread of libcurl's, which would be waited for, and can take long.
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);
#endif
    if (!address.socket_path.empty()) {
      curl_easy_setopt(easy_, CURLOPT_UNIX_SOCKET_PATH, address.socket_path.c_str());
      return;
    }
    // A stream may be silent for days: this tells a peer that is gone.
    curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy_, CURLOPT_TCP_KEEPIDLE, kKeepAliveSeconds);
    curl_easy_setopt(easy_, CURLOPT_TCP_KEEPINTVL, kKeepAliveSeconds / 2);
    if (!address.tls) return;
    const TlsOptions& tls = *address.tls;
    curl_easy_setopt(easy_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L);
    curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L);
    if (tls.verify && !tls.ca_file.empty()) {
      curl_easy_setopt(easy_, CURLOPT_CAINFO, tls.ca_file.c_str());
      curl_easy_setopt(easy_, CURLOPT_CAPATH, nullptr);  // Else those of the system count, too.
    }
    if (!tls.cert_file.empty() || !tls.key_file.empty()) {
      curl_easy_setopt(easy_, CURLOPT_SSLCERT, tls.cert_file.c_str());
      curl_easy_setopt(easy_, CURLOPT_SSLKEY, tls.key_file.c_str());
    }
  }

  void SetUp(const HttpRequest& request, const EngineAddress& address, Exchange& exchange) {
    curl_easy_reset(easy_);
    detail_.fill('\0');
    curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, detail_.data());
    const std::string url = address.base + request.path;
    curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
    SetUpConnection(address);
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_, CURLOPT_PROXY, "");  // http_proxy is for other peers.
    curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, OnHeader);
    curl_easy_setopt(easy_, CURLOPT_HEADERDATA, &exchange);
    curl_slist_free_all(headers_);
    headers_ = curl_slist_append(nullptr, "Content-Type: application/json");
    headers_ = curl_slist_append(headers_, "Expect:");
    for (const std::string& header : request.headers) {
      headers_ = curl_slist_append(headers_, header.c_str());
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

  Result<CURLcode> Drive(const Exchange& exchange, const EngineAddress& address,
                         const std::stop_token& stop) {
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
        if (remaining.count() <= 0) return NoAnswer(request.open_timeout, address);
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
  std::array<char, CURL_ERROR_SIZE> detail_{};
};

HttpClient::HttpClient(EngineAddress address, std::chrono::milliseconds connect_timeout)
    : address_(std::move(address)), connect_timeout_(connect_timeout) {
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
  auto reply = lane->Perform(request, address_, connect_timeout_, stop);
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
