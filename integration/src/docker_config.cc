#include "docker_config.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "config_backends/base64.h"
#include "credential_helper.h"
#include "json_value.h"
#include "object_reader.h"
#include "whole_file.h"

namespace lockstep {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;

std::string Home() {
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return home;
  // A service of systemd has no HOME.
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer;
  getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr && found->pw_dir != nullptr ? found->pw_dir : "";
}

// "https://r.example:5000/v1/" -> "r.example:5000": what old files have.
std::string_view HostOf(std::string_view key) {
  if (const auto scheme = key.find("://"); scheme != std::string_view::npos) {
    key.remove_prefix(scheme + 3);
  }
  return key.substr(0, key.find('/'));
}

// The entry of `auths` that is for `server`: by its name, else by its host.
const Value::Member* EntryFor(const Value::Map& auths, const std::string& server) {
  for (const Value::Member& member : auths) {
    if (member.key == server) return &member;
  }
  for (const Value::Member& member : auths) {
    if (HostOf(member.key) == server) return &member;
  }
  return nullptr;
}

// "dXNlcjpwYXNz" is user:pass.
bool ReadUserAndPassword(const std::string& auth, RegistryCredentials& credentials) {
  const auto text = DecodeBase64(auth);
  if (!text) return false;
  const auto colon = text->find(':');
  if (colon == std::string::npos || colon == 0) return false;
  credentials.username = text->substr(0, colon);
  credentials.password = text->substr(colon + 1);
  // Old versions of Docker filled it up with these.
  while (credentials.password.ends_with('\0')) credentials.password.pop_back();
  return true;
}

std::optional<RegistryCredentials> ReadEntry(const Value& entry, const Place& place,
                                             ErrorSlot& slot) {
  ObjectReader fields(entry, place, slot);
  RegistryCredentials credentials;
  credentials.username = fields.Text("username");
  credentials.password = fields.Text("password");
  credentials.identity_token = fields.Text("identitytoken");
  credentials.registry_token = fields.Text("registrytoken");
  if (const std::string auth = fields.Text("auth");
      !auth.empty() && !ReadUserAndPassword(auth, credentials)) {
    fields.Wrong("auth", "must be user:password in base64");
  }
  const bool empty = credentials.username.empty() && credentials.password.empty() &&
                     credentials.identity_token.empty() && credentials.registry_token.empty();
  if (slot || empty) return std::nullopt;
  return credentials;
}

// Which helper is for `server`; empty: none. An empty one in credHelpers takes a registry out.
std::string HelperFor(ObjectReader& config, const Place& root, const std::string& server) {
  if (const Value* helpers = config.Find("credHelpers")) {
    const Place place{&root, "credHelpers"};
    ObjectReader reader(*helpers, place, config.slot());
    if (reader.Find(server) != nullptr) return reader.Text(server);
  }
  return config.Text("credsStore");
}

Result<std::optional<RegistryCredentials>> Look(const Value& document, const std::string& server,
                                                const ProcessLimits& limits, std::stop_token stop) {
  const Place root;
  ErrorSlot slot;
  ObjectReader config(document, root, slot);
  const std::string helper = HelperFor(config, root, server);
  if (slot) return *std::move(slot);
  if (!helper.empty()) return AskCredentialHelper(helper, server, limits, std::move(stop));
  const Value* auths = config.Find("auths");
  if (auths == nullptr) return std::optional<RegistryCredentials>();
  const Place place{&root, "auths"};
  if (auths->AsMap() == nullptr) config.Fail(place, "must be an object");
  std::optional<RegistryCredentials> found;
  if (const auto* entry = slot ? nullptr : EntryFor(*auths->AsMap(), server)) {
    found = ReadEntry(entry->value, {&place, entry->key}, slot);
  }
  if (slot) return *std::move(slot);
  return found;
}

}  // namespace

std::string DockerConfigFile(const std::string& named) {
  std::string folder = named;
  if (folder.empty()) {
    if (const char* set = std::getenv("DOCKER_CONFIG"); set != nullptr) folder = set;
  }
  if (folder.empty()) {
    const std::string home = Home();
    if (home.empty()) return {};
    folder = home + "/.docker";
  }
  return folder + "/config.json";
}

Result<std::optional<RegistryCredentials>> CredentialsInDockerConfig(const std::string& path,
                                                                     const std::string& server,
                                                                     const ProcessLimits& limits,
                                                                     std::stop_token stop) {
  auto text = ReadRegularFile(path, kMostBytes);
  if (!text) {
    if (text.assume_error().code == ErrorCode::kNotFound) {
      return std::optional<RegistryCredentials>();
    }
    return std::move(text).assume_error();
  }
  // As Docker, which makes a file of nothing.
  if (text.assume_value().find_first_not_of(" \t\r\n") == std::string::npos) {
    return std::optional<RegistryCredentials>();
  }
  auto document = ParseJson(text.assume_value());
  if (!document) return WithContext(std::move(document).assume_error(), "read " + path);
  auto found = Look(document.assume_value(), server, limits, std::move(stop));
  if (!found) return WithContext(std::move(found).assume_error(), path);
  if (found.assume_value()) {
    std::string& source = found.assume_value()->source;
    source = source.empty() ? path : source + " (" + path + ")";
  }
  return found;
}

}  // namespace lockstep
