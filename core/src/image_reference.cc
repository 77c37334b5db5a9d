#include "lockstep/image_reference.h"

namespace lockstep {

std::string NormalizedReference(std::string_view reference) {
  if (reference.empty() || reference.starts_with("sha256:")) return std::string(reference);
  std::string_view digest;
  if (const auto at = reference.find('@'); at != std::string_view::npos) {
    digest = reference.substr(at);
    reference = reference.substr(0, at);
  }
  std::string_view tag;
  const auto colon = reference.rfind(':');
  const auto slash = reference.rfind('/');
  // A colon before the last slash is a registry's port.
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    tag = reference.substr(colon);
    reference = reference.substr(0, colon);
  }
  std::string normal;
  const auto first = reference.find('/');
  const std::string_view domain =
      first == std::string_view::npos ? std::string_view() : reference.substr(0, first);
  const bool has_domain =
      domain.find_first_of(".:") != std::string_view::npos || domain == "localhost";
  if (!has_domain) {
    normal = first == std::string_view::npos ? "docker.io/library/" : "docker.io/";
  }
  normal += reference;
  if (!digest.empty()) {
    normal += digest;
  } else {
    normal += tag.empty() ? std::string_view(":latest") : tag;
  }
  return normal;
}

}  // namespace lockstep
