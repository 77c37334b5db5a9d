#include "lockstep/output_tail.h"

#include <algorithm>

#include "lockstep/utf8.h"

namespace lockstep {
namespace {

constexpr std::size_t kKept = 4 * OutputTail::kMostBytes;  // Much of it may be colours.
constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr std::string_view kCut = "...";
constexpr char kEscape = '\x1b';

bool IsBetween(char c, char first, char last) { return c >= first && c <= last; }

// The length of the order to a terminal that `text` begins with (ECMA-48): all of it where the
// order has no end.
std::size_t OrderLength(std::string_view text) {
  if (text.size() < 2) return text.size();
  const char kind = text[1];
  std::size_t at = 2;
  if (kind == '[') {
    while (at < text.size() && IsBetween(text[at], ' ', '?')) ++at;
  } else if (kind == ']' || kind == 'P' || kind == 'X' || kind == '^' || kind == '_') {
    for (; at < text.size(); ++at) {
      if (text[at] == '\a') break;
      if (text[at] == kEscape) {
        ++at;
        break;
      }
    }
  } else {
    at = 1;
    while (at < text.size() && IsBetween(text[at], ' ', '/')) ++at;
  }
  return std::min(at + 1, text.size());
}

// U+0080 to U+009F are orders to a terminal as well.
bool IsControl(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7f;
  return character.size() == 2 && byte(0) == 0xc2 && byte(1) < 0xa0;
}

void AppendVisible(std::string& out, unsigned char code) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\x";
  out += kHex[code >> 4];
  out += kHex[code & 0xf];
}

std::string Clean(std::string_view line) {
  std::string out;
  while (line.ends_with('\r')) line.remove_suffix(1);
  while (!line.empty()) {
    std::size_t length = Utf8CharacterLength(line);
    if (line.front() == kEscape) {
      length = OrderLength(line);
    } else if (line.front() == '\r') {
      out.clear();
    } else if (line.front() == '\t') {
      out += ' ';
    } else if (length == 0) {
      out += kReplacement;
      length = 1;
    } else if (IsControl(line.substr(0, length))) {
      AppendVisible(out, static_cast<unsigned char>(line[length - 1]));
    } else {
      out += line.substr(0, length);
    }
    line.remove_prefix(length);
  }
  return out;
}

// From the beginning of a character on.
std::string_view FromCharacter(std::string_view text) {
  while (!text.empty() && (static_cast<unsigned char>(text.front()) & 0xc0) == 0x80) {
    text.remove_prefix(1);
  }
  return text;
}

// The end, in at most `most` bytes.
std::string EndOf(std::string_view line, std::size_t most) {
  line.remove_prefix(line.size() - std::min(line.size(), most - kCut.size()));
  return std::string(kCut) + std::string(FromCharacter(line));
}

}  // namespace

void OutputTail::Add(std::string_view piece) {
  if (piece.size() > kKept) {
    kept_.clear();
    piece.remove_prefix(piece.size() - kKept);
    cut_ = true;
  }
  kept_ += piece;
  if (kept_.size() <= 2 * kKept) return;  // Not moved for each piece.
  kept_.erase(0, kept_.size() - kKept);
  cut_ = true;
}

std::vector<std::string> OutputTail::Lines() const {
  std::vector<std::string> lines;  // The last one first.
  std::string_view rest = kept_;
  std::size_t bytes = 0;
  while (!rest.empty() && lines.size() < kMostLines) {
    if (rest.ends_with('\n')) rest.remove_suffix(1);
    const auto newline = rest.rfind('\n');
    const bool first = newline == std::string_view::npos;
    const bool partial = first && cut_;
    if (partial && !lines.empty()) break;
    std::string line = Clean(partial ? FromCharacter(rest) : rest.substr(newline + 1));
    rest = first ? std::string_view() : rest.substr(0, newline + 1);
    if (line.empty() && lines.empty()) continue;
    if (lines.empty() && (partial || line.size() > kMostBytes)) {
      line = EndOf(line, kMostBytes);
    }
    bytes += line.size();
    if (bytes > kMostBytes) break;
    lines.push_back(std::move(line));
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

}  // namespace lockstep
