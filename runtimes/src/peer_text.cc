#include "peer_text.h"

#include "json_read.h"

namespace lockstep::docker {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr std::string_view kSpaces = " \t\r\n";
constexpr std::string_view kCut = "...";

// The length of the character in valid UTF-8 that begins with `lead`.
std::size_t LengthOf(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

bool Steers(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7f;
  // U+0080 to U+009F, and U+061C.
  if (character.size() == 2) return character == "\xd8\x9c" || (byte(0) == 0xc2 && byte(1) < 0xa0);
  if (character.size() != 3 || byte(0) != 0xe2) return false;
  // U+200E, U+200F, U+2028 to U+202E, and U+2066 to U+2069.
  return (byte(1) == 0x80 &&
          ((byte(2) >= 0x8e && byte(2) <= 0x8f) || (byte(2) >= 0xa8 && byte(2) <= 0xae))) ||
         (byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9);
}

}  // namespace

std::string PeerText(std::string_view text) {
  // Characters that are replaced grow to three bytes: what lies beyond this is cut in any case.
  const bool long_text = text.size() > 4 * kMaxPeerText;
  const Json valid = ParseJson(DumpJson(text.substr(0, 4 * kMaxPeerText))).value_or(Json(""));
  std::string_view rest = valid.get_ref<const std::string&>();
  std::string out;
  bool cut = long_text;
  while (!rest.empty()) {
    std::string_view character = rest.substr(0, LengthOf(rest.front()));
    rest.remove_prefix(character.size());
    if (kSpaces.find(character) != std::string_view::npos) {
      if (out.empty() || out.back() == ' ') continue;
      character = " ";
    } else if (Steers(character)) {
      character = kReplacement;
    }
    if (out.size() + character.size() > kMaxPeerText) {
      cut = true;
      break;
    }
    out += character;
  }
  if (cut) {
    // Whole characters make room for the mark.
    while (out.size() + kCut.size() > kMaxPeerText) {
      while ((static_cast<unsigned char>(out.back()) & 0xc0U) == 0x80U) out.pop_back();
      out.pop_back();
    }
    return out += kCut;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace lockstep::docker
