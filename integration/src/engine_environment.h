// What the environment says of the engine, read as Docker's client reads it.
#ifndef LOCKSTEP_INTEGRATION_ENGINE_ENVIRONMENT_H_
#define LOCKSTEP_INTEGRATION_ENGINE_ENVIRONMENT_H_

#include <functional>
#include <optional>
#include <string>

#include "lockstep/runtimes/docker_engine.h"

namespace lockstep {

// The value of a variable; null where it is not set. Such as std::getenv().
using Environment = std::function<const char*(const char* name)>;

// DOCKER_HOST; empty where it says nothing.
std::string HostOf(const Environment& environment);

// TLS with verification where DOCKER_TLS_VERIFY is set to anything but "", without it where only
// DOCKER_TLS is, as with `docker --tls`; none otherwise, whatever DOCKER_CERT_PATH is. Of that
// directory (without it: DOCKER_CONFIG, else ~/.docker) ca.pem is used, and cert.pem and key.pem
// where one of them is there.
std::optional<TlsOptions> TlsOf(const Environment& environment);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_ENGINE_ENVIRONMENT_H_
