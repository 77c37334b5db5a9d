#include "balena_api/http_error.h"

#include <cstring>
#include <memory>
#include <utility>

#include "text.h"

namespace lockstep {
namespace {

constexpr const char* kCheckNetwork = "it is tried again; check the network and its proxy";
constexpr std::size_t kMostDetail = 200;

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

class ParsedUrl {
 public:
  explicit ParsedUrl(const std::string& url) : url_(curl_url()) {
    ok_ = url_ && curl_url_set(url_.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK;
  }
  // Empty where there is none.
  std::string Part(CURLUPart part) const {
    char* text = nullptr;
    if (!ok_ || curl_url_get(url_.get(), part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
    std::string copy(text);
    curl_free(text);
    return copy;
  }

 private:
  std::unique_ptr<CURLU, FreeUrl> url_;
  bool ok_ = false;
};

std::string Seconds(std::chrono::milliseconds time) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(time).count()) + " s";
}

std::string Detail(const FailedTransfer& failed) {
  const std::string_view text =
      failed.detail.empty() ? std::string_view(curl_easy_strerror(failed.code)) : failed.detail;
  return Printable(text.substr(0, kMostDetail));
}

bool WasConnected(CURL* easy) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &microseconds);
  return microseconds > 0;
}

// Of a certificate. The numbers are those of openssl-verify(1).
Error NotTrusted(const FailedTransfer& failed, const std::string& url, const HttpRequest& request) {
  long verified = 0;
  curl_easy_getinfo(failed.easy, CURLINFO_SSL_VERIFYRESULT, &verified);
  const std::string whose = "the certificate of " + SiteOf(url);
  switch (verified) {
    case 9:
      return MakeError(ErrorCode::kUnavailable, whose + " is not valid yet",
                       "check this device's clock");
    case 10:
      return MakeError(ErrorCode::kPermissionDenied, whose + " has expired",
                       "renew it; if it is not that old, check this device's clock");
    case 2:
    case 18:
    case 19:
    case 20:
    case 21:
      return MakeError(ErrorCode::kPermissionDenied,
                       whose + " is signed by an unknown authority: by none that " +
                           (request.ca_file.empty() ? "this system trusts"
                                                    : "is in " + Printable(request.ca_file)),
                       "make sure that this is the backend, and name its authority");
    default:
      return MakeError(ErrorCode::kPermissionDenied, whose + " is not accepted: " + Detail(failed),
                       "make sure that this is the backend, and that nobody is in between");
  }
}

}  // namespace

std::optional<Site> ReadSite(const std::string& url) {
  const ParsedUrl parsed(url);
  Site site;
  site.scheme = parsed.Part(CURLUPART_SCHEME);
  site.host = parsed.Part(CURLUPART_HOST);
  if ((site.scheme != "http" && site.scheme != "https") || site.host.empty()) return std::nullopt;
  site.user = !parsed.Part(CURLUPART_USER).empty() || !parsed.Part(CURLUPART_PASSWORD).empty();
  site.rest = !parsed.Part(CURLUPART_QUERY).empty() || !parsed.Part(CURLUPART_FRAGMENT).empty();
  return site;
}

std::string SiteOf(const std::string& url) {
  const ParsedUrl parsed(url);
  const std::string host = parsed.Part(CURLUPART_HOST);
  if (host.empty()) return "an address that is none";
  return Printable(parsed.Part(CURLUPART_SCHEME) + "://" + host + ':' +
                   parsed.Part(CURLUPART_PORT));
}

bool MayFollow(const std::string& from, const std::string& to) {
  const ParsedUrl before(from);
  const ParsedUrl after(to);
  const std::string host = after.Part(CURLUPART_HOST);
  return after.Part(CURLUPART_SCHEME) == "https" && !host.empty() &&
         before.Part(CURLUPART_SCHEME) == "https" &&
         curl_strequal(host.c_str(), before.Part(CURLUPART_HOST).c_str()) != 0 &&
         after.Part(CURLUPART_PORT) == before.Part(CURLUPART_PORT) &&
         after.Part(CURLUPART_USER).empty();
}

Error NoHttp(const std::string& url, std::string_view how) {
  return MakeError(ErrorCode::kBadReply, "what answers at " + SiteOf(url) + ' ' + std::string(how),
                   "check its address, and what is in between (a proxy, a captive portal)");
}

Error AnswerTooLong(const std::string& url, std::size_t max_bytes) {
  return NoHttp(url, "sends more than " + std::to_string(max_bytes >> 20) + " MiB");
}

Error RedirectRefused(const std::string& from, const std::string& to) {
  return NoHttp(from, "sends us on to " + SiteOf(to));
}

Error TransportError(const FailedTransfer& failed, const std::string& url,
                     const HttpRequest& request) {
  const std::string site = SiteOf(url);
  if (failed.code == CURLE_UNSUPPORTED_PROTOCOL && WasConnected(failed.easy)) {
    return NoHttp(url, "speaks no HTTP: " + Detail(failed));
  }
  switch (failed.code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return MakeError(ErrorCode::kInvalidInput, "the address of the backend is no URL",
                       "give it as https://HOST");
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return MakeError(ErrorCode::kUnavailable, "no answer from " + site + ": its name is unknown",
                       kCheckNetwork);
    case CURLE_COULDNT_CONNECT:
      return MakeError(ErrorCode::kUnavailable, "no answer from " + site + ": " + Detail(failed),
                       kCheckNetwork);
    case CURLE_OPERATION_TIMEDOUT:
      return MakeError(ErrorCode::kDeadlineExceeded,
                       "no whole answer from " + site + " within " + Seconds(request.timeout) +
                           " (" + Detail(failed) + ')',
                       kCheckNetwork);
    case CURLE_PEER_FAILED_VERIFICATION:
      return NotTrusted(failed, url, request);
    case CURLE_SSL_CACERT_BADFILE:
      return MakeError(
          ErrorCode::kInvalidInput,
          "the authorities cannot be read" +
              (request.ca_file.empty() ? std::string() : " from " + Printable(request.ca_file)),
          "install ca-certificates, or give a PEM file");
    case CURLE_OUT_OF_MEMORY:  // One line of the head is longer than libcurl takes, or so.
      return MakeError(ErrorCode::kNoSpace, "no memory for the answer of " + site);
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WRITE_ERROR:
      return NoHttp(url, "sends a malformed answer: " + Detail(failed));
    default:
      return MakeError(ErrorCode::kUnavailable,
                       "the connection to " + site + " broke: " + Detail(failed), kCheckNetwork);
  }
}

}  // namespace lockstep
