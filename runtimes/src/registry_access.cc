#include "registry_access.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "json_read.h"
#include "lockstep/image_reference.h"

namespace lockstep::docker {
namespace {

// RFC 4648, section 5, with its padding: the engine takes what lacks it for nothing at all.
std::string Base64Url(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= count ? kDigits[group >> (18 - 6 * i) & 0x3f] : '=';
    }
  }
  return text;
}

// Registries tell a stranger that what is private does not exist, and engines pass that on.
bool IsRefusal(const Error& error) {
  constexpr std::array<std::string_view, 4> kWords = {"no basic auth credentials", "unauthorized",
                                                      "requested access to the resource is denied",
                                                      "pull access denied"};
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view words) {
    return error.message.find(words) != std::string::npos;
  });
}

}  // namespace

Result<RegistryAccess> RegistryAccess::To(std::string_view reference,
                                          const CredentialSource& source, std::stop_token stop) {
  RegistryAccess access;
  access.registry_ = RegistryOf(reference);
  access.server_ = access.registry_ == "docker.io" ? kDockerHubServer : access.registry_;
  if (source) {
    LOCKSTEP_TRY(access.credentials_, source(access.server_, std::move(stop)));
  }
  return access;
}

std::vector<std::string> RegistryAccess::Headers() const {
  if (!credentials_) return {};
  Json json = {{"serveraddress", server_}};
  const auto add = [&json](const char* name, const std::string& value) {
    if (!value.empty()) json[name] = value;
  };
  add("username", credentials_->username);
  add("password", credentials_->password);
  add("identitytoken", credentials_->identity_token);
  add("registrytoken", credentials_->registry_token);
  return {"X-Registry-Auth: " + Base64Url(DumpJson(json))};
}

Error RegistryAccess::Explain(Error error) const {
  if (!IsRefusal(error)) return error;
  if (!credentials_) {
    error.hint = "log in to " + registry_ + " (docker login" +
                 (registry_ == "docker.io" ? "" : " " + registry_) +
                 "), or check the image reference";
    return error;
  }
  const std::string& source = credentials_->source;
  error.hint = registry_ + " refuses the credentials" + (source.empty() ? "" : " from " + source) +
               ": log in again, or check the image reference";
  return error;
}

}  // namespace lockstep::docker
