// A hash over a sequence of texts, in which no text can run into the next.
#ifndef LOCKSTEP_CONTENT_HASH_H_
#define LOCKSTEP_CONTENT_HASH_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace lockstep {

class ContentHash {
 public:
  ContentHash& Add(std::string_view text) {
    Add(text.size());
    buffer_.append(text);
    return *this;
  }
  ContentHash& Add(std::uint64_t number) {
    // Byte by byte: every machine gives the same hash.
    for (int shift = 0; shift < 64; shift += 8) {
      buffer_.push_back(static_cast<char>(number >> shift & 0xff));
    }
    return *this;
  }
  std::uint64_t Finish() const;

 private:
  std::string buffer_;
};

std::string Hex16(std::uint64_t value);

}  // namespace lockstep

#endif  // LOCKSTEP_CONTENT_HASH_H_
