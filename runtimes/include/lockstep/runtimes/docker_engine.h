// A container engine that speaks the Docker Engine API (Docker, balena-engine) as a RuntimeBackend.
#ifndef LOCKSTEP_RUNTIMES_DOCKER_ENGINE_H_
#define LOCKSTEP_RUNTIMES_DOCKER_ENGINE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "lockstep/result.h"
#include "lockstep/runtime_backend.h"
#include "lockstep/runtimes/registry_credentials.h"

namespace lockstep {

// TLS 1.2 or newer. The files are PEM, and are read with each new connection.
struct TlsOptions {
  // Whether the engine must have a certificate for its host by one of the authorities. Without,
  // whoever answers is believed.
  bool verify = true;
  std::string ca_file;    // These authorities alone; empty: those of the system.
  std::string cert_file;  // The client's certificate and its key; both empty: none.
  std::string key_file;
};

// Time-outs are generous on purpose: a device with worn flash is slow, and a time-out only means
// that Lockstep looks again.
struct DockerOptions {
  // unix:///PATH or tcp://HOST[:PORT], where the port is 2375, or 2376 with TLS. http:// and
  // https:// are tcp:// without TLS, and with it.
  std::string url = "unix:///var/run/docker.sock";
  std::optional<TlsOptions> tls;  // For TCP; a unix socket has no use for it.
  // Until a connection stands, TLS included.
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
  std::chrono::milliseconds query_timeout = std::chrono::seconds(30);  // Lists and look-ups.
  std::chrono::milliseconds change_timeout = std::chrono::minutes(2);  // Create, start, remove.
  std::chrono::milliseconds remove_image_timeout = std::chrono::minutes(10);
  // A pull is given up when no byte came for this long, on it or on any other of the engine ...
  std::chrono::milliseconds pull_stall_timeout = std::chrono::seconds(60);
  // ... or, while it unpacks or waits for another pull, when nothing was reported for this long.
  std::chrono::milliseconds pull_unpack_timeout = std::chrono::minutes(10);
  // What a pull leaves free on the engine's disk, where that can be looked at (by a unix socket,
  // and from where its process is seen): one that cannot fit is not begun, or ended early
  // (kNoSpace).
  std::int64_t pull_reserve_bytes = std::int64_t{16} << 20;
  CredentialSource credentials;  // Empty: the engine asks every registry as a stranger.
  // Where the answer of a delta server goes: the delta to `reference`, given the ids of the images
  // that are here. Asked before a pull, from its thread; may block, and ends on a stop request.
  // Only on balena-engine, for a reference without a digest whose PullRequest names no delta.
  std::function<std::optional<Delta>(const std::string& reference,
                                     const std::vector<std::string>& present, std::stop_token stop)>
      delta_for = {};
};

// Connects lazily: succeeds for any well-formed URL, and the first call tells whether an engine
// answers. Needs API version 1.40 or newer (kUnsupported). Errors: kInvalidInput, kUnsupported (a
// kind of URL that is not known).
Result<std::unique_ptr<RuntimeBackend>> MakeDockerEngine(const DockerOptions& options);

// Whether others on the network could pose as the engine or read along: TCP to another machine,
// without TLS or without its verification. For a warning.
bool IsExposed(const DockerOptions& options);

}  // namespace lockstep

#endif  // LOCKSTEP_RUNTIMES_DOCKER_ENGINE_H_
