#include "content_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace lockstep {

std::uint64_t ContentHash::Finish() const { return XXH3_64bits(buffer_.data(), buffer_.size()); }

std::string Hex16(std::uint64_t value) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 16; i-- > 0; value >>= 4) text[i] = kHex[value & 0xf];
  return text;
}

}  // namespace lockstep
