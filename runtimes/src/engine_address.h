// Where an engine answers.
#ifndef LOCKSTEP_RUNTIMES_ENGINE_ADDRESS_H_
#define LOCKSTEP_RUNTIMES_ENGINE_ADDRESS_H_

#include <optional>
#include <string>

#include "lockstep/result.h"
#include "lockstep/runtimes/docker_engine.h"

namespace lockstep::docker {

struct EngineAddress {
  std::string url;          // As it was given: for messages.
  std::string socket_path;  // Of a unix socket; empty for TCP.
  std::string host;         // For TCP, without brackets.
  std::string base;         // Of the URLs of requests, such as "https://[::1]:2376".
  std::optional<TlsOptions> tls;
};

// unix:///PATH, tcp://HOST[:PORT][/PATH], and http:// or https:// in place of tcp://. `tls` is for
// TCP alone, as with Docker's client: a unix socket has no use for it. https:// without `tls`
// trusts whom the system trusts. Errors: kInvalidInput (no such URL, a path too long for a socket,
// http:// with `tls`), kUnsupported (ssh:// and other kinds).
Result<EngineAddress> ParseEngineUrl(const std::string& url,
                                     const std::optional<TlsOptions>& tls = {});

// Whether it is this machine, as far as its name tells.
bool IsLoopback(const EngineAddress& address);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_ENGINE_ADDRESS_H_
