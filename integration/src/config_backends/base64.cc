#include "config_backends/base64.h"

#include <openssl/evp.h>

#include <climits>
#include <cstddef>

namespace lockstep {
namespace {

// The library counts in int.
constexpr std::size_t kMostBytes = INT_MAX / 2;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

std::string EncodeBase64(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > kMostBytes) return {};
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // It ends its output with a NUL.
  EVP_EncodeBlock(Bytes(text), Bytes(bytes), static_cast<int>(bytes.size()));
  text.pop_back();
  return text;
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() > kMostBytes) return std::nullopt;
  std::string padded(text);
  while (padded.size() % 4 != 0) padded += '=';
  std::string bytes(padded.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(Bytes(bytes), Bytes(padded), static_cast<int>(padded.size()));
  if (size < 0 || static_cast<std::size_t>(size) != bytes.size()) return std::nullopt;
  // It decodes padding to NULs, wherever that stands, and passes over blanks at the ends. What it
  // took for something else than it is does not come out the same again.
  const std::size_t padding = padded.size() - (padded.find_last_not_of('=') + 1);
  if (padding > 2) return std::nullopt;
  bytes.resize(bytes.size() - padding);
  if (EncodeBase64(bytes) != padded) return std::nullopt;
  return bytes;
}

}  // namespace lockstep
