#include "balena_api/http_request.h"

#include <curl/curl.h>

#include <array>
#include <csignal>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "balena_api/http_error.h"

namespace lockstep {
namespace {

constexpr std::size_t kMostHeaderBytes = std::size_t{64} << 10;
constexpr long kMostRedirects = 3;
constexpr int kLongestWaitMs = 60'000;
// A peer that sends a byte now and then is cut off long before the time-out.
constexpr long kSlowestBytesPerSecond = 10;
constexpr long kSlowestSeconds = 60;

struct CleanEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct CleanMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Headers = std::unique_ptr<curl_slist, FreeList>;

struct Exchange {
  std::size_t max_body = 0;
  std::size_t header_bytes = 0;
  bool too_long = false;
  bool head_ended = false;
  HttpReply reply;
};

std::size_t OnBody(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (exchange.reply.body.size() + size > exchange.max_body) {
    exchange.too_long = true;
    return CURL_WRITEFUNC_ERROR;
  }
  exchange.reply.body.append(data, size);
  return size;
}

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool SameWord(std::string_view a, std::string_view b) {
  return a.size() == b.size() && curl_strnequal(a.data(), b.data(), a.size()) != 0;
}

std::size_t OnHeader(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  exchange.header_bytes += size;
  if (exchange.header_bytes > kMostHeaderBytes) {
    exchange.too_long = true;
    return 0;
  }
  const std::string_view line(data, size);
  if (line.starts_with("HTTP/")) {  // What came before was a 1xx.
    exchange.reply = {};
    exchange.head_ended = false;
  }
  if (line == "\r\n" || line == "\n") exchange.head_ended = true;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = Trim(line.substr(colon + 1));
  if (SameWord(name, "etag")) exchange.reply.etag = value;
  if (SameWord(name, "retry-after")) exchange.reply.retry_after = value;
  if (SameWord(name, "date")) exchange.reply.date = value;
  if (SameWord(name, "content-type")) exchange.reply.content_type = value;
  return size;
}

// A peer that hangs up while it is written to must not end the process (TLS writes by itself).
class IgnoreSigpipe {
 public:
  IgnoreSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~IgnoreSigpipe() {
    constexpr timespec kNow{};
    if (!was_pending_) sigtimedwait(&pipe_, nullptr, &kNow);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  IgnoreSigpipe(const IgnoreSigpipe&) = delete;
  IgnoreSigpipe& operator=(const IgnoreSigpipe&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

bool Append(Headers& headers, const std::string& line) {
  curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
  if (longer == nullptr) return false;
  (void)headers.release();
  headers.reset(longer);
  return true;
}

void SetUp(CURL* easy, const HttpRequest& request, const std::string& url, curl_slist* headers,
           Exchange& exchange, char* detail) {
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  if (!request.unix_socket.empty()) {
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request.unix_socket.c_str());
  }
#if LIBCURL_VERSION_NUM >= 0x075700
  // The name is looked up in a thread of libcurl's, which would be waited for, and can take long.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!request.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, request.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);  // Else those of the system count, too.
  }
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");  // What libcurl can unpack.
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(request.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, kSlowestBytesPerSecond);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, kSlowestSeconds);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  if (request.method == "GET") return;
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
}

Result<CURLcode> Drive(CURLM* multi, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [multi] { curl_multi_wakeup(multi); });
  while (true) {
    if (stop.stop_requested()) return MakeError(ErrorCode::kCancelled, "stopped");
    int running = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK) return CURLE_FAILED_INIT;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) return message->data.result;
    }
    if (curl_multi_poll(multi, nullptr, 0, kLongestWaitMs, nullptr) != CURLM_OK) {
      return CURLE_FAILED_INIT;
    }
  }
}

Result<HttpReply> PerformOnce(const HttpRequest& request, const std::string& url,
                              const std::stop_token& stop, std::string& redirect) {
  const std::unique_ptr<CURLM, CleanMulti> multi(curl_multi_init());
  const std::unique_ptr<CURL, CleanEasy> easy(curl_easy_init());
  Headers headers;
  bool enough = multi && easy && Append(headers, "Expect:") && Append(headers, "Accept: */*");
  if (request.method != "GET") enough = enough && Append(headers, "Content-Type: application/json");
  if (!request.bearer.empty()) {
    enough = enough && Append(headers, "Authorization: Bearer " + request.bearer);
  }
  for (const std::string& header : request.headers) enough = enough && Append(headers, header);
  if (!enough) return MakeError(ErrorCode::kNoSpace, "no memory for a connection");

  Exchange exchange;
  exchange.max_body = request.max_body;
  std::array<char, CURL_ERROR_SIZE> detail{};
  SetUp(easy.get(), request, url, headers.get(), exchange, detail.data());
  curl_multi_add_handle(multi.get(), easy.get());
  auto outcome = Drive(multi.get(), stop);
  curl_multi_remove_handle(multi.get(), easy.get());
  if (!outcome) return std::move(outcome).assume_error();
  if (exchange.too_long) return AnswerTooLong(url, request.max_body);
  if (const CURLcode code = outcome.assume_value(); code != CURLE_OK) {
    return TransportError({easy.get(), code, detail.data()}, url, request);
  }
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &exchange.reply.status);
  // libcurl takes a connection that ends within the head for a reply without one.
  if (exchange.reply.status < 200 || !exchange.head_ended) {
    return NoHttp(url, "hangs up without an answer");
  }
  if (const char* to = nullptr;
      curl_easy_getinfo(easy.get(), CURLINFO_REDIRECT_URL, &to) == CURLE_OK && to != nullptr) {
    redirect = to;
  }
  return std::move(exchange.reply);
}

bool HasLineBreak(const HttpRequest& request) {
  const auto broken = [](std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
  };
  if (broken(request.bearer) || broken(request.url)) return true;
  for (const std::string& header : request.headers) {
    if (broken(header)) return true;
  }
  return false;
}

}  // namespace

// Redirects are followed here, not by libcurl: it would let none but the scheme be judged.
Result<HttpReply> PerformHttp(const HttpRequest& request, std::stop_token stop) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  if (HasLineBreak(request)) {
    return MakeError(ErrorCode::kInvalidInput, "a line break in an address, a key or a header",
                     "correct it where it is configured");
  }
  const IgnoreSigpipe guard;
  std::string url = request.url;
  for (long hop = 0;; ++hop) {
    std::string redirect;
    LOCKSTEP_TRY(HttpReply reply, PerformOnce(request, url, stop, redirect));
    if (redirect.empty()) return reply;
    if (request.method != "GET" || hop == kMostRedirects || !MayFollow(url, redirect)) {
      return RedirectRefused(url, redirect);
    }
    url = std::move(redirect);
  }
}

}  // namespace lockstep
