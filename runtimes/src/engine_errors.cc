#include "engine_errors.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "json_read.h"
#include "peer_text.h"

namespace lockstep::docker {
namespace {

struct Phrase {
  std::string_view words;
  ErrorCode code;
  std::string_view too = {};  // What must be said as well.
};

// The engine answers 500 to much that is not its own fault; only the words tell. The first that
// fits counts.
constexpr std::array kPhrases = {
    Phrase{"no space left on device", ErrorCode::kNoSpace},
    Phrase{"disk quota exceeded", ErrorCode::kNoSpace},
    Phrase{"port is already allocated", ErrorCode::kConflict},
    Phrase{"address already in use", ErrorCode::kConflict},
    // Of Podman, which has no status for these.
    Phrase{"name is already in use", ErrorCode::kConflict},
    Phrase{"network already exists", ErrorCode::kConflict},
    Phrase{"container state improper", ErrorCode::kConflict},
    Phrase{"has dependent containers", ErrorCode::kConflict},
    // An engine that was killed while it started a container knows nothing of what it began.
    Phrase{"already exists", ErrorCode::kDefunct, "task "},
    // Of a registry.
    Phrase{"manifest unknown", ErrorCode::kNotFound},
    Phrase{"name unknown", ErrorCode::kNotFound},
    Phrase{"unknown blob", ErrorCode::kNotFound},
    Phrase{"repository does not exist", ErrorCode::kNotFound},
    Phrase{"no matching manifest for", ErrorCode::kNotFound},
    Phrase{"loading delta base image", ErrorCode::kNotFound},
    Phrase{"no basic auth credentials", ErrorCode::kPermissionDenied},
    Phrase{"unauthorized", ErrorCode::kPermissionDenied},
    Phrase{"failed with status: 401", ErrorCode::kPermissionDenied},
    Phrase{"requested access to the resource is denied", ErrorCode::kPermissionDenied},
    Phrase{"authorization denied by plugin", ErrorCode::kPermissionDenied},
    Phrase{"server gave HTTP response to HTTPS client", ErrorCode::kInvalidInput},
    // Of a container.
    Phrase{"OCI runtime create failed", ErrorCode::kInvalidInput},
    Phrase{"error gathering device information", ErrorCode::kInvalidInput},
    Phrase{"is not a directory", ErrorCode::kInvalidInput, "Cannot mkdir"},
    Phrase{"but it is not a shared", ErrorCode::kInvalidInput},
    Phrase{"--storage-opt", ErrorCode::kInvalidInput},
    Phrase{"--security-opt", ErrorCode::kInvalidInput},
    // Of a volume. A server that does not answer may do so later; what is not there stays away.
    Phrase{"failed to mount local volume", ErrorCode::kInvalidInput, "no such file or directory"},
    Phrase{"failed to mount local volume", ErrorCode::kInvalidInput, "no such device"},
    Phrase{"failed to mount local volume", ErrorCode::kInvalidInput, "invalid argument"},
    // Of a network.
    Phrase{"invalid CIDR address", ErrorCode::kInvalidInput},
    Phrase{"predefined", ErrorCode::kInvalidInput, "operation is not permitted on"},
    Phrase{"is a pre-defined network", ErrorCode::kInvalidInput},
    Phrase{"is not connected to network", ErrorCode::kNotFound},
    Phrase{"not a swarm manager", ErrorCode::kUnsupported},
    Phrase{"operation not supported", ErrorCode::kUnsupported},
    // Of any call.
    Phrase{"cannot unmarshal", ErrorCode::kInvalidInput},
    Phrase{"invalid name:", ErrorCode::kInvalidInput},
    Phrase{"invalid reference format", ErrorCode::kInvalidInput},
    Phrase{"strconv.", ErrorCode::kInvalidInput},
    Phrase{"is too new. Maximum supported API version", ErrorCode::kUnsupported},
    Phrase{"is too old. Minimum supported API version", ErrorCode::kUnsupported},
};

constexpr std::string_view kWantsTls = "Client sent an HTTP request to an HTTPS server";

bool Has(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

std::string_view HintOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNoSpace:
      return "free some space on the engine's disk";
    case ErrorCode::kPermissionDenied:
      return "log in to the registry, or check the image reference";
    default:
      return {};
  }
}

// The engine only complains that what it got is no JSON.
bool IsAboutAWebPage(std::string_view message) {
  return Has(message, "invalid character '<'") || Has(message, "text/html");
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
    case 405:
    case 501:
      return ErrorCode::kUnsupported;
    default:
      return status >= 500 ? ErrorCode::kUnavailable : ErrorCode::kBadReply;
  }
}

Error Failure(long status, std::string_view said, std::string_view what) {
  std::string message = PeerText(said);
  if (message.empty()) message = "the engine answered " + std::to_string(status);
  const ErrorCode code = CodeOfMessage(message, CodeOfStatus(status));
  std::string hint(HintOf(code));
  if (IsAboutAWebPage(message)) {
    message = "the registry answers with a web page: " + message;
    hint = "is this the address of a registry?";
  } else if (Has(message, kWantsTls)) {
    hint = "set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to where its certificates are";
  }
  return WithContext(MakeError(code, std::move(message), std::move(hint)), what);
}

}  // namespace

ErrorCode CodeOfMessage(std::string_view message, ErrorCode otherwise) {
  if (message == "page not found") return ErrorCode::kUnsupported;  // The call, not its object.
  for (const Phrase& phrase : kPhrases) {
    if (Has(message, phrase.words) && Has(message, phrase.too)) return phrase.code;
  }
  return otherwise;
}

Error StreamFailure(std::string_view said, std::string_view what) {
  constexpr long kWouldHaveBeen = 500;
  return Failure(kWouldHaveBeen, said, what);
}

Error FailureOf(const HttpReply& reply, std::string_view what) {
  const Json json = ParseJson(reply.body).value_or(Json());
  const bool is_error = json.is_object() && json.contains("message");
  return Failure(reply.status,
                 is_error ? Text(json, "message") : reply.body.substr(0, reply.body.find('\n')),
                 what);
}

bool IsNameTaken(const HttpReply& reply) {
  return reply.status == 409 || (reply.status == 500 && (Says(reply, "name is already in use") ||
                                                         Says(reply, "network already exists")));
}

Result<void> Done(const Result<HttpReply>& reply, std::initializer_list<long> good,
                  std::string_view what) {
  if (!reply) return reply.assume_error();
  const long status = reply.assume_value().status;
  if (std::find(good.begin(), good.end(), status) != good.end()) return Ok();
  return FailureOf(reply.assume_value(), what);
}

}  // namespace lockstep::docker
