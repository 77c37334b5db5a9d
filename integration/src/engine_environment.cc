#include "engine_environment.h"

#include <pwd.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

namespace lockstep {
namespace {

std::string Get(const Environment& environment, const char* name) {
  const char* value = environment(name);
  return value == nullptr ? std::string() : std::string(value);
}

// A system service may have no HOME.
std::string HomeOf(const Environment& environment) {
  if (auto home = Get(environment, "HOME"); !home.empty()) return home;
  const passwd* user = getpwuid(getuid());
  return user == nullptr ? "/" : user->pw_dir;
}

std::string CertificatesOf(const Environment& environment) {
  for (const char* name : {"DOCKER_CERT_PATH", "DOCKER_CONFIG"}) {
    if (auto path = Get(environment, name); !path.empty()) return path;
  }
  return HomeOf(environment) + "/.docker";
}

// What cannot be looked at counts as there, so that the error is about it.
bool IsThere(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  return status.type() != std::filesystem::file_type::not_found;
}

}  // namespace

std::string HostOf(const Environment& environment) { return Get(environment, "DOCKER_HOST"); }

std::optional<TlsOptions> TlsOf(const Environment& environment) {
  const bool verify = !Get(environment, "DOCKER_TLS_VERIFY").empty();
  if (!verify && Get(environment, "DOCKER_TLS").empty()) return std::nullopt;
  const std::string directory = CertificatesOf(environment);
  TlsOptions tls;
  tls.verify = verify;
  tls.ca_file = directory + "/ca.pem";
  const std::string cert = directory + "/cert.pem";
  const std::string key = directory + "/key.pem";
  if (IsThere(cert) || IsThere(key)) {
    tls.cert_file = cert;
    tls.key_file = key;
  }
  return tls;
}

}  // namespace lockstep
