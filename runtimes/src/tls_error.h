// What went wrong with TLS, in plain words.
#ifndef LOCKSTEP_RUNTIMES_TLS_ERROR_H_
#define LOCKSTEP_RUNTIMES_TLS_ERROR_H_

#include <curl/curl.h>

#include <string_view>

#include "engine_address.h"
#include "lockstep/error.h"

namespace lockstep::docker {

struct TlsFailure {
  CURLcode code = CURLE_OK;
  long verify_result = 0;   // CURLINFO_SSL_VERIFYRESULT: OpenSSL's X509_V_ERR_*.
  std::string_view detail;  // CURLOPT_ERRORBUFFER.
};

bool IsAboutTls(CURLcode code, std::string_view detail);

// Errors: kPermissionDenied (one side does not trust the other, or a file cannot be read),
// kUnavailable (a certificate that is not valid yet: a clock that is set may mend it), kNotFound (a
// file), kInvalidInput (files that are no certificates, or do not belong together), kUnsupported
// (older than TLS 1.2), kBadReply (no TLS at all).
Error TlsError(const TlsFailure& failure, const EngineAddress& address);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_TLS_ERROR_H_
