#include "lockstep/image_reference.h"

#include <algorithm>

namespace lockstep {
namespace {

// The registry that the reference names; empty: none. Whatever cannot be a part of a repository's
// name on Docker Hub is one.
std::string_view NamedRegistry(std::string_view reference) {
  const auto slash = reference.find('/');
  if (slash == std::string_view::npos) return {};
  const std::string_view first = reference.substr(0, slash);
  const bool is_host = first == "localhost" || std::any_of(first.begin(), first.end(), [](char c) {
                         return c == '.' || c == ':' || (c >= 'A' && c <= 'Z');
                       });
  return is_host ? first : std::string_view();
}

}  // namespace

ReferenceParts PartsOf(std::string_view reference) {
  ReferenceParts parts;
  parts.name = reference.substr(0, reference.find('@'));
  parts.digest = reference.substr(parts.name.size());
  const auto colon = parts.name.rfind(':');
  // A colon before the last slash is a registry's port.
  if (colon != std::string_view::npos && parts.name.find('/', colon) == std::string_view::npos) {
    parts.tag = parts.name.substr(colon + 1);
    parts.name = parts.name.substr(0, colon);
  }
  return parts;
}

std::string RegistryOf(std::string_view reference) {
  const std::string_view named = NamedRegistry(reference);
  return named.empty() || named == "index.docker.io" ? "docker.io" : std::string(named);
}

std::string NormalizedReference(std::string_view reference) {
  if (reference.empty() || reference.starts_with("sha256:")) return std::string(reference);
  const ReferenceParts parts = PartsOf(reference);
  std::string normal;
  if (NamedRegistry(parts.name).empty()) {
    normal = parts.name.find('/') == std::string_view::npos ? "docker.io/library/" : "docker.io/";
  }
  normal += parts.name;
  if (!parts.digest.empty()) return normal += parts.digest;
  return (normal += ':') += parts.tag.empty() ? "latest" : parts.tag;
}

}  // namespace lockstep
