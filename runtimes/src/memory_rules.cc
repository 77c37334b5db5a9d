#include "memory_rules.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <set>
#include <utility>

#include "lockstep/image_reference.h"

namespace lockstep::memory {
namespace {

// A published port, taken apart: "ip:host:container/proto" (an address may hold colons).
struct Published {
  std::string ip;
  std::string host;
  std::string protocol;
};

std::optional<Published> Parse(std::string_view port) {
  const auto slash = port.rfind('/');
  const auto container = port.rfind(':', slash);
  if (slash == std::string_view::npos || container == std::string_view::npos || container == 0) {
    return std::nullopt;
  }
  const auto host = port.rfind(':', container - 1);
  Published published;
  published.protocol = port.substr(slash + 1);
  if (host == std::string_view::npos) {
    published.host = port.substr(0, container);
  } else {
    published.ip = port.substr(0, host);
    published.host = port.substr(host + 1, container - host - 1);
  }
  // Any free one, or any of a range.
  const bool chosen = published.host.find('-') != std::string::npos;
  if (published.host.empty() || published.host == "0" || chosen) return std::nullopt;
  return published;
}

bool IsWildcard(std::string_view ip) {
  return ip.empty() || ip == "0.0.0.0" || ip == "::" || ip == "[::]";
}

std::vector<Published> PublishedBy(const ServiceSpec& spec) {
  std::vector<Published> ports;
  const Value* value = spec.Find(Field::kPorts);
  const Value::List* list = value == nullptr ? nullptr : value->AsList();
  if (list == nullptr) return ports;
  for (const Value& port : *list) {
    const std::string* text = port.AsString();
    if (text == nullptr) continue;
    if (auto published = Parse(*text)) ports.push_back(*std::move(published));
  }
  return ports;
}

}  // namespace

std::string HexId(std::string_view text) {
  // FNV-1a, four times with different starts: an id has to be stable and distinct, not secret.
  std::string id;
  for (std::uint64_t lane = 0; lane < 4; ++lane) {
    std::uint64_t hash = 14695981039346656037ULL + lane * 1099511628211ULL;
    for (const char c : text) {
      hash ^= static_cast<unsigned char>(c);
      hash *= 1099511628211ULL;
    }
    hash ^= hash >> 32;  // The last characters have not reached the upper bits well.
    hash *= 0x9E3779B97F4A7C15ULL;
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
    id += digits;
  }
  return id;
}

std::string WithTag(const std::string& reference) {
  if (reference.find('@') != std::string::npos) return reference;
  const auto slash = reference.rfind('/');
  const auto colon = reference.rfind(':');
  const bool tagged = colon != std::string::npos && (slash == std::string::npos || colon > slash);
  return tagged ? reference : reference + ":latest";
}

bool Revives(std::string_view restart_policy, int exit_code, int restart_count) {
  if (restart_policy == "always" || restart_policy == "unless-stopped") return true;
  constexpr std::string_view kOnFailure = "on-failure";
  if (!restart_policy.starts_with(kOnFailure) || exit_code == 0) return false;
  const std::string_view limit = restart_policy.substr(kOnFailure.size());
  if (limit.empty()) return true;
  int attempts = 0;
  std::from_chars(limit.data() + 1, limit.data() + limit.size(), attempts);
  return attempts == 0 || restart_count < attempts;
}

std::optional<std::string> SharedPort(const ServiceSpec& a, const ServiceSpec& b) {
  const auto others = PublishedBy(b);
  for (const Published& mine : PublishedBy(a)) {
    for (const Published& other : others) {
      if (mine.host != other.host || mine.protocol != other.protocol) continue;
      if (mine.ip == other.ip || IsWildcard(mine.ip) || IsWildcard(other.ip)) {
        return mine.host + "/" + mine.protocol;
      }
    }
  }
  return std::nullopt;
}

const ObservedImage* FindImage(const EngineState& engine, const std::string& reference) {
  const std::string wanted = NormalizedReference(reference);
  for (const ObservedImage& image : engine.images) {
    if (image.id == reference) return &image;
    for (const std::string& have : image.references) {
      if (NormalizedReference(have) == wanted) return &image;
    }
  }
  return nullptr;
}

std::string ImageId(const std::string& reference, const std::string& content) {
  return "sha256:" + HexId("image " + (content.empty() ? reference : content));
}

std::string Land(EngineState& engine, const std::string& reference, const std::string& content,
                 const Labels& labels) {
  const std::string id = ImageId(reference, content);
  const std::string name = NormalizedReference(reference);
  ObservedImage* landed = nullptr;
  for (ObservedImage& image : engine.images) {
    std::erase_if(image.references,
                  [&](const std::string& have) { return NormalizedReference(have) == name; });
    if (image.id == id) landed = &image;
  }
  if (landed == nullptr) {
    landed = &engine.images.emplace_back();
    landed->id = id;
    landed->labels = labels;
  }
  landed->references.push_back(reference);
  return id;
}

ObservedContainer Describe(const ContainerSpec& spec, const ObservedImage& image) {
  ObservedContainer seen;
  seen.name = spec.name;
  seen.image = spec.spec.image;
  seen.image_id = image.id;
  seen.labels = image.labels;
  for (const auto& [key, value] : spec.spec.labels) seen.labels[key] = value;
  for (const auto& [key, value] : spec.labels) seen.labels[key] = value;
  const ContainerIdentity identity = IdentityOf(seen.labels, image.labels);
  seen.app = identity.app;
  seen.app_id = identity.app_id;
  seen.service = identity.service;
  seen.owned = identity.owned;
  seen.commit = CommitOfName(spec.name);
  if (const auto it = seen.labels.find(std::string(kLabelConfigHash)); it != seen.labels.end()) {
    seen.config_hash = it->second;
  }
  seen.spec = spec.spec;
  seen.spec->running = true;
  seen.spec->other_fields.clear();
  seen.restart_policy = RestartPolicyOf(spec.spec);
  seen.lock_dir.emplace();
  for (const Bind& bind : spec.binds) {
    if (bind.container_path == "/tmp/balena" || bind.container_path == "/tmp/resin") {
      seen.lock_dir = bind.host_path;
    }
  }
  return seen;
}

}  // namespace lockstep::memory
