#include "log_frames.h"

#include <algorithm>
#include <cstddef>

namespace lockstep::docker {
namespace {

constexpr std::size_t kHeaderSize = 8;

// The stream is 0 to 3: input, output, errors, and what the engine itself has to say.
bool MayBeHeader(std::string_view header) {
  return static_cast<unsigned char>(header[0]) <= 3 && header[1] == 0 && header[2] == 0 &&
         header[3] == 0;
}

std::uint32_t SizeIn(std::string_view header) {
  std::uint32_t size = 0;
  for (std::size_t i = 4; i < kHeaderSize; ++i) {
    size = size << 8 | static_cast<unsigned char>(header[i]);
  }
  return size;
}

}  // namespace

void LogFrames::Feed(std::string_view piece) {
  while (!piece.empty()) {
    if (form_ == LogForm::kPlain) return tail_.Add(piece);
    if (left_ > 0) {
      const std::string_view payload = piece.substr(0, std::min<std::size_t>(left_, piece.size()));
      tail_.Add(payload);
      left_ -= static_cast<std::uint32_t>(payload.size());
      piece.remove_prefix(payload.size());
      continue;
    }
    const std::string_view more = piece.substr(0, kHeaderSize - header_.size());
    header_ += more;
    piece.remove_prefix(more.size());
    if (header_.size() < kHeaderSize) return;
    if (MayBeHeader(header_)) {
      left_ = SizeIn(header_);
    } else {
      form_ = LogForm::kPlain;
      tail_.Add(header_);
    }
    header_.clear();
  }
}

}  // namespace lockstep::docker
