#include "engine_address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "peer_text.h"

namespace lockstep::docker {
namespace {

constexpr const char* kLike = "write it like unix:///var/run/docker.sock or tcp://192.0.2.7:2376";
constexpr std::string_view kPlainPort = "2375";
constexpr std::string_view kTlsPort = "2376";
constexpr std::string_view kUnix = "unix://";

Error NotUnderstood(const std::string& url, std::string_view why) {
  return MakeError(ErrorCode::kInvalidInput,
                   "\"" + PeerText(url) + "\" is no address of an engine: " + std::string(why),
                   kLike);
}

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool IsHostName(std::string_view host) {
  for (const char c : host) {
    if (!IsAlphanumeric(c) && c != '.' && c != '-' && c != '_') return false;
  }
  return !host.empty() && host.front() != '-';
}

// With a zone: "fe80::1%25eth0", or "%eth0" as people write it.
bool IsIpv6(std::string_view host) {
  const auto zone = host.find('%');
  if (zone != std::string_view::npos && !IsHostName(host.substr(zone + 1))) return false;
  in6_addr parsed{};
  return inet_pton(AF_INET6, std::string(host.substr(0, zone)).c_str(), &parsed) == 1;
}

bool IsPort(std::string_view port) {
  int number = 0;
  const char* end = port.data() + port.size();
  const auto [parsed, error] = std::from_chars(port.data(), end, number);
  return error == std::errc() && parsed == end && port.size() <= 5 && number > 0 && number < 65536;
}

bool IsPath(std::string_view path) {
  for (const char c : path) {
    if (!IsAlphanumeric(c) && std::string_view("/-._~").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

Result<EngineAddress> ParseUnix(const std::string& url) {
  EngineAddress address;
  address.url = url;
  address.base = "http://engine";
  address.socket_path = url.substr(kUnix.size());
  if (!address.socket_path.starts_with('/')) return NotUnderstood(url, "it has no absolute path");
  if (address.socket_path.size() >= sizeof(sockaddr_un::sun_path)) {
    return MakeError(ErrorCode::kInvalidInput,
                     "the path of the socket is longer than 107 bytes: " + address.socket_path,
                     "make a shorter symbolic link to it");
  }
  return address;
}

// `rest` is what follows "tcp://".
Result<EngineAddress> ParseTcp(const std::string& url, std::string_view rest,
                               const std::optional<TlsOptions>& tls) {
  EngineAddress address;
  address.url = url;
  address.tls = tls;
  const auto slash = std::min(rest.find('/'), rest.size());
  std::string_view path = rest.substr(slash);
  std::string_view host = rest.substr(0, slash);
  if (!IsPath(path)) return NotUnderstood(url, "its path has unusual characters");
  while (path.ends_with('/')) path.remove_suffix(1);
  std::string_view port;
  if (host.starts_with('[')) {
    const auto bracket = host.find(']');
    if (bracket == std::string_view::npos) return NotUnderstood(url, "a bracket is open");
    port = host.substr(bracket + 1);
    host = host.substr(1, bracket - 1);
    if (!IsIpv6(host)) return NotUnderstood(url, "in the brackets is no IPv6 address");
    if (!port.empty() && !port.starts_with(':')) return NotUnderstood(url, "its port is unclear");
  } else {
    const auto colon = std::min(host.find(':'), host.size());
    port = host.substr(colon);
    host = host.substr(0, colon);
    if (port.find(':', 1) != std::string_view::npos) {
      return NotUnderstood(url, "an IPv6 address needs brackets");
    }
    if (host.empty()) host = "localhost";  // As with Docker's client.
    if (!IsHostName(host)) return NotUnderstood(url, "it has no host");
  }
  if (!port.empty()) port.remove_prefix(1);
  if (port.empty()) port = tls ? kTlsPort : kPlainPort;
  if (!IsPort(port)) return NotUnderstood(url, "its port is no number from 1 to 65535");
  address.host = host;
  const bool brackets = host.find(':') != std::string_view::npos;
  address.base = std::string(tls ? "https://" : "http://") + (brackets ? "[" : "") + address.host +
                 (brackets ? "]:" : ":") + std::string(port) + std::string(path);
  return address;
}

}  // namespace

Result<EngineAddress> ParseEngineUrl(const std::string& url, const std::optional<TlsOptions>& tls) {
  if (url.starts_with(kUnix)) return ParseUnix(url);
  const auto separator = url.find("://");
  if (separator == std::string::npos) return NotUnderstood(url, "it begins with no scheme");
  const std::string_view scheme = std::string_view(url).substr(0, separator);
  const std::string_view rest = std::string_view(url).substr(separator + 3);
  if (scheme == "tcp") return ParseTcp(url, rest, tls);
  if (scheme == "https") return ParseTcp(url, rest, tls ? tls : TlsOptions());
  if (scheme == "http") {
    if (!tls) return ParseTcp(url, rest, tls);
    return MakeError(ErrorCode::kInvalidInput,
                     "\"" + PeerText(url) + "\" is without TLS, and TLS is asked for",
                     "write tcp:// or https://, or unset DOCKER_TLS_VERIFY and DOCKER_TLS");
  }
  if (scheme == "ssh") {
    return MakeError(ErrorCode::kUnsupported,
                     "engines are not reached by ssh (\"" + PeerText(url) + "\")",
                     "forward the engine's socket with ssh -L, and name that with unix://");
  }
  return MakeError(ErrorCode::kUnsupported,
                   "\"" + PeerText(url) + "\" is no kind of engine that is known", kLike);
}

bool IsLoopback(const EngineAddress& address) {
  if (!address.socket_path.empty() || address.host == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, address.host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24U == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, address.host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace lockstep::docker

namespace lockstep {

bool IsExposed(const DockerOptions& options) {
  const auto address = docker::ParseEngineUrl(options.url, options.tls);
  if (!address || docker::IsLoopback(address.assume_value())) return false;
  const auto& tls = address.assume_value().tls;
  return !tls || !tls->verify;
}

}  // namespace lockstep
