#include "tls_error.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include "peer_text.h"

namespace lockstep::docker {
namespace {

bool HasAny(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view each : words) {
    if (text.find(each) != std::string_view::npos) return true;
  }
  return false;
}

std::string TrustedBy(const TlsOptions& tls) {
  return tls.ca_file.empty() ? "none that this system trusts" : "none that is in " + tls.ca_file;
}

// Why the engine's certificate was not accepted. The numbers are those of openssl-verify(1).
Error NotTrusted(const TlsFailure& failure, const EngineAddress& address) {
  const std::string whose = "the certificate of the engine at " + address.url;
  const auto denied = [&](const std::string& why, const char* hint) {
    return MakeError(ErrorCode::kPermissionDenied, whose + ' ' + why, hint);
  };
  // It is libcurl that compares the names: for OpenSSL, all is well.
  if (HasAny(failure.detail, {"matches target", "match target"})) {
    return denied("is for another host than " + address.host,
                  "name the engine as its certificate does, or have one made for this name");
  }
  switch (failure.verify_result) {
    case 9:
      return MakeError(ErrorCode::kUnavailable, whose + " is not valid yet",
                       "check this device's clock");
    case 10:
      return denied("has expired", "renew it; if it is not that old, check this device's clock");
    case 2:
    case 18:
    case 19:
    case 20:
    case 21:
      return denied("is signed by an unknown authority: by " + TrustedBy(*address.tls),
                    address.tls->ca_file.empty()
                        ? "set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to where its ca.pem is"
                        : "make sure that this is the engine, and put its authority in that file");
    default:
      break;
  }
  return denied("is not accepted: " + PeerText(failure.detail), "have a proper one made");
}

// The first of our files that cannot be read at all.
std::optional<Error> UnreadableFile(const EngineAddress& address) {
  for (const std::string* file :
       {&address.tls->ca_file, &address.tls->cert_file, &address.tls->key_file}) {
    if (file->empty() || faccessat(AT_FDCWD, file->c_str(), R_OK, AT_EACCESS) == 0) continue;
    const int reason = errno;
    const bool denied = reason == EACCES || reason == EPERM;
    return MakeError(denied ? ErrorCode::kPermissionDenied : ErrorCode::kNotFound,
                     "the engine at " + address.url + " cannot be asked without " + *file + " (" +
                         std::strerror(reason) + ')',
                     denied ? "make it readable, or run as its owner"
                            : "put it there, or say where it is with DOCKER_CERT_PATH");
  }
  return std::nullopt;
}

Error BadFiles(const TlsFailure& failure, const EngineAddress& address) {
  if (auto unreadable = UnreadableFile(address)) return *std::move(unreadable);
  const TlsOptions& tls = *address.tls;
  const auto invalid = [&](const std::string& what) {
    return MakeError(ErrorCode::kInvalidInput,
                     "the engine at " + address.url + " cannot be asked: " + what,
                     "put the proper PEM files there");
  };
  if (failure.code == CURLE_SSL_CACERT_BADFILE) {
    return invalid(tls.ca_file + " holds no certificate of an authority");
  }
  if (tls.cert_file.empty() || tls.key_file.empty()) {
    return invalid("a client certificate and its key are needed together");
  }
  if (HasAny(failure.detail, {"private key"})) {
    return invalid(tls.key_file + " is no key, or not that of " + tls.cert_file);
  }
  return invalid(tls.cert_file + " is no certificate: " + PeerText(failure.detail));
}

Error Refused(const TlsFailure& failure, const EngineAddress& address) {
  if (HasAny(failure.detail, {"protocol version"})) {
    return MakeError(ErrorCode::kUnsupported,
                     "the engine at " + address.url + " speaks no TLS that is 1.2 or newer",
                     "update the engine");
  }
  const std::string& own = address.tls->cert_file;
  const std::string why = " (" + PeerText(failure.detail) + ')';
  return MakeError(
      ErrorCode::kPermissionDenied,
      own.empty() ? "the engine at " + address.url + " wants a client certificate" + why
                  : "the engine at " + address.url + " refuses the client certificate " + own + why,
      "put cert.pem and key.pem, signed by the engine's authority, where DOCKER_CERT_PATH says");
}

}  // namespace

bool IsAboutTls(CURLcode code, std::string_view detail) {
  switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CLIENTCERT:
      return true;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:  // With TLS 1.3 the engine refuses us when we think that all is well.
      return HasAny(detail, {" alert "});
    default:
      return false;
  }
}

Error TlsError(const TlsFailure& failure, const EngineAddress& address) {
  const bool file =
      failure.code == CURLE_SSL_CERTPROBLEM || failure.code == CURLE_SSL_CACERT_BADFILE;
  if (file) return BadFiles(failure, address);
  if (failure.code == CURLE_PEER_FAILED_VERIFICATION) return NotTrusted(failure, address);
  if (HasAny(failure.detail, {" alert ", "unsupported protocol"}) ||
      failure.code == CURLE_SSL_CLIENTCERT) {
    return Refused(failure, address);
  }
  if (HasAny(failure.detail, {"wrong version number", "http request", "packet length", "record"})) {
    return MakeError(ErrorCode::kBadReply, "what answers at " + address.url + " speaks no TLS",
                     "unset DOCKER_TLS_VERIFY and DOCKER_TLS, or name the port that has TLS");
  }
  return MakeError(ErrorCode::kUnavailable, "the connection to the engine at " + address.url +
                                                " broke: " + PeerText(failure.detail));
}

}  // namespace lockstep::docker
