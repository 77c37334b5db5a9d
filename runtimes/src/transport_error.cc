#include "transport_error.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "peer_text.h"
#include "tls_error.h"

namespace lockstep::docker {
namespace {

std::string DurationText(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? std::to_string(time.count() / 1000) + " s"
                                  : std::to_string(time.count()) + " ms";
}

bool Has(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

Error CannotConnect(const EngineAddress& address, int system_error) {
  const bool denied = system_error == EACCES || system_error == EPERM;
  if (denied && !address.socket_path.empty()) {
    return MakeError(ErrorCode::kPermissionDenied, "no permission for the engine at " + address.url,
                     "run as root or join the docker group");
  }
  const std::string reason =
      system_error == 0 ? std::string() : std::string(" (") + std::strerror(system_error) + ")";
  return MakeError(ErrorCode::kUnavailable, "no engine answers at " + address.url + reason,
                   "start it, or name another with --engine");
}

bool WasConnected(CURL* easy) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &microseconds);
  return microseconds > 0;
}

// Of a code that is neither about TLS nor has words of its own.
Error Broken(const FailedExchange& failed, const EngineAddress& address) {
  const std::string cause = failed.detail.empty() ? std::string(curl_easy_strerror(failed.code))
                                                  : PeerText(failed.detail);
  // libcurl has one code for a connection that broke and for a body that is not as announced.
  if (failed.code == CURLE_RECV_ERROR && Has(cause, "chunk")) {
    return NoEngine(address, "sends a malformed reply: " + cause);
  }
  return MakeError(ErrorCode::kUnavailable,
                   "the connection to the engine at " + address.url + " broke: " + cause);
}

}  // namespace

Error NoAnswer(std::chrono::milliseconds within, const EngineAddress& address) {
  return MakeError(
      ErrorCode::kDeadlineExceeded,
      "the engine at " + address.url + " gave no answer within " + DurationText(within));
}

Error HeadCutOff(const EngineAddress& address) {
  return MakeError(ErrorCode::kUnavailable, "the connection to the engine at " + address.url +
                                                " broke: the reply ended within its headers");
}

Error NoEngine(const EngineAddress& address, std::string_view how) {
  return MakeError(ErrorCode::kBadReply, "what answers at " + address.url + ' ' + std::string(how),
                   "name the address of a container engine with --engine");
}

Error TransportError(const FailedExchange& failed, const EngineAddress& address) {
  if (IsAboutTls(failed.code, failed.detail)) {
    long verify_result = 0;
    curl_easy_getinfo(failed.easy, CURLINFO_SSL_VERIFYRESULT, &verify_result);
    return TlsError({failed.code, verify_result, failed.detail}, address);
  }
  long system_error = 0;
  switch (failed.code) {
    case CURLE_COULDNT_CONNECT:
      curl_easy_getinfo(failed.easy, CURLINFO_OS_ERRNO, &system_error);
      return CannotConnect(address, static_cast<int>(system_error));
    case CURLE_COULDNT_RESOLVE_HOST:
      return MakeError(ErrorCode::kUnavailable,
                       "no engine answers at " + address.url + " (the name " + address.host +
                           " is not resolved)",
                       "check its spelling and the network, or name another with --engine");
    case CURLE_OPERATION_TIMEDOUT:
      if (WasConnected(failed.easy)) return NoAnswer(failed.timeout, address);
      return MakeError(ErrorCode::kUnavailable,
                       "no engine answers at " + address.url + " (no connection within " +
                           DurationText(failed.timeout.count() > 0
                                            ? std::min(failed.timeout, failed.connect_timeout)
                                            : failed.connect_timeout) +
                           ')',
                       "check its address and the network, or name another with --engine");
    case CURLE_OUT_OF_MEMORY:  // One line of the head is longer than libcurl takes.
      return NoEngine(address, "sends headers without end");
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_HTTP2:
      return NoEngine(address, "speaks no HTTP: " + PeerText(failed.detail));
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_FILESIZE_EXCEEDED:
      return NoEngine(address, "sends a malformed reply: " + PeerText(failed.detail));
    default:
      return Broken(failed, address);
  }
}

}  // namespace lockstep::docker
