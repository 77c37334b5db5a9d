#include "agent/page_policy.h"

#include <openssl/evp.h>

#include <array>

#include "config_backends/base64.h"

namespace lockstep {
namespace {

// " 'sha256-...'" for each element of this name, which must have no attributes.
std::string Hashes(std::string_view html, const std::string& element) {
  const std::string open = "<" + element + ">";
  const std::string close = "</" + element + ">";
  std::string hashes;
  for (std::size_t at = 0; (at = html.find(open, at)) != std::string_view::npos;) {
    const std::size_t begin = at + open.size();
    at = html.find(close, begin);
    const std::string_view text = html.substr(begin, at - begin);
    std::array<char, 32> digest{};
    if (EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()),
                   nullptr, EVP_sha256(), nullptr) == 1) {
      hashes += " 'sha256-" + EncodeBase64({digest.data(), digest.size()}) + "'";
    }
  }
  return hashes.empty() ? " 'none'" : hashes;
}

}  // namespace

std::string PagePolicy(std::string_view html) {
  return "default-src 'none'; script-src" + Hashes(html, "script") + "; style-src" +
         Hashes(html, "style") +
         "; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
         "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
}

}  // namespace lockstep
