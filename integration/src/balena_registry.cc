#include "balena_registry.h"

#include <cstddef>
#include <string_view>

#include "json_value.h"
#include "whole_file.h"

namespace lockstep {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;

std::string TextAt(const Value& config, std::string_view key) {
  const Value* value = config.Find(key);
  return value != nullptr && value->AsString() != nullptr ? *value->AsString() : std::string();
}

// "https://api.example/" -> "api.example"
std::string_view HostOf(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
  }
  return url.substr(0, url.find('/'));
}

std::string RegistryIn(const Value& config) {
  const std::string named = TextAt(config, "registryEndpoint");
  if (!named.empty()) return std::string(HostOf(named));
  constexpr std::string_view kSecure = "https://api.";
  const std::string api = TextAt(config, "apiEndpoint");
  if (!api.starts_with(kSecure)) return {};
  return "registry2." + std::string(HostOf(std::string_view(api).substr(kSecure.size())));
}

}  // namespace

std::optional<RegistryCredentials> BalenaCredentials(const std::string& path,
                                                     const std::string& server) {
  const auto text = ReadRegularFile(path, kMostBytes);
  if (!text) return std::nullopt;
  const auto config = ParseJson(text.assume_value());
  if (!config) return std::nullopt;
  const std::string uuid = TextAt(config.assume_value(), "uuid");
  const std::string key = TextAt(config.assume_value(), "deviceApiKey");
  if (uuid.empty() || key.empty() || server.empty()) return std::nullopt;
  if (RegistryIn(config.assume_value()) != server) return std::nullopt;
  RegistryCredentials credentials;
  credentials.username = "d_" + uuid;
  credentials.password = key;
  credentials.source = path;
  return credentials;
}

}  // namespace lockstep
