#include "text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace lockstep {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

// From U+1100 on there are wide characters; three and four byte sequences reach them.
int WidthOfLead(char c) { return static_cast<unsigned char>(c) >= 0xe1 ? 2 : 1; }

// What a lead byte says: how many bytes follow, and the least and the greatest second byte (others
// would spell a character of fewer bytes, half of a surrogate pair, or none at all).
struct Lead {
  unsigned char first;
  unsigned char last;
  std::size_t length;
  unsigned char least = 0x80;
  unsigned char greatest = 0xbf;
};
constexpr std::array kLeads = {
    Lead{0xc2, 0xdf, 2}, Lead{0xe0, 0xe0, 3, 0xa0},
    Lead{0xe1, 0xec, 3}, Lead{0xed, 0xed, 3, 0x80, 0x9f},
    Lead{0xee, 0xef, 3}, Lead{0xf0, 0xf0, 4, 0x90},
    Lead{0xf1, 0xf3, 4}, Lead{0xf4, 0xf4, 4, 0x80, 0x8f},
};

}  // namespace

std::optional<Character> FirstCharacter(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return Character{byte(0), 1};
  const auto* lead = std::find_if(kLeads.begin(), kLeads.end(), [&](const Lead& each) {
    return each.first <= byte(0) && byte(0) <= each.last;
  });
  if (lead == kLeads.end() || text.size() < lead->length || byte(1) < lead->least ||
      byte(1) > lead->greatest) {
    return std::nullopt;
  }
  char32_t code = byte(0) & (0xffU >> (lead->length + 1));
  for (std::size_t i = 1; i < lead->length; ++i) {
    if (!IsContinuation(text[i])) return std::nullopt;
    code = (code << 6U) | (byte(i) & 0x3fU);
  }
  return Character{code, lead->length};
}

bool IsHarmless(char32_t code) {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return false;
  const bool turns = code == 0x061c || code == 0x200e || code == 0x200f ||
                     (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return !turns && code != 0xfeff && (code & 0xfffeU) != 0xfffe;
}

std::string Printable(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto character = FirstCharacter(text);
    const std::size_t length = character ? character->bytes : 1;
    if (character && IsHarmless(character->code)) {
      out += text.substr(0, length);
    } else if (text[0] == '\n' || text[0] == '\t' || text[0] == '\r') {
      out += ' ';
    } else {
      for (const char c : text.substr(0, length)) {
        const auto byte = static_cast<unsigned char>(c);
        out += "\\x";
        out += kHex[byte >> 4U];
        out += kHex[byte & 0xfU];
      }
    }
    text.remove_prefix(length);
  }
  return out;
}

int DisplayWidth(std::string_view text) {
  int width = 0;
  for (const char c : text) {
    if (!IsContinuation(c)) width += WidthOfLead(c);
  }
  return width;
}

std::string Fit(std::string_view text, int width) {
  if (width <= 0) return {};
  if (DisplayWidth(text) <= width) return std::string(text);
  const std::string_view mark = width > 3 ? "..." : "";
  const int room = width - static_cast<int>(mark.size());
  int used = 0;
  std::size_t end = 0;
  while (end < text.size()) {
    const int wide = IsContinuation(text[end]) ? 0 : WidthOfLead(text[end]);
    if (used + wide > room) break;
    used += wide;
    ++end;
  }
  return std::string(text.substr(0, end)) + std::string(mark);
}

std::string PadRight(std::string text, int width) {
  const int missing = width - DisplayWidth(text);
  if (missing > 0) text.append(static_cast<std::size_t>(missing), ' ');
  return text;
}

std::string Table(const std::vector<std::vector<std::string>>& rows, int indent) {
  std::vector<int> widths;
  for (const auto& row : rows) {
    if (row.size() > widths.size()) widths.resize(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i]));
    }
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line(static_cast<std::size_t>(indent), ' ');
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += i + 1 == row.size() ? row[i] : PadRight(row[i], widths[i] + 2);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

std::string Wrap(std::string_view text, int indent, int width) {
  std::string out;
  int column = indent;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    if (column > indent && column + 1 + DisplayWidth(word) > width) {
      out += '\n' + std::string(static_cast<std::size_t>(indent), ' ');
      column = indent;
    }
    if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += DisplayWidth(word);
  }
  return out;
}

std::string ListNames(const std::vector<std::string>& names, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > most) text += " and " + std::to_string(names.size() - most) + " more";
  return text;
}

std::string FormatBytes(std::int64_t bytes) {
  constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB"};
  auto amount = static_cast<double>(std::max<std::int64_t>(bytes, 0));
  std::size_t unit = 0;
  // 999.95 would round to "1000.0".
  while (amount >= 999.95 && unit + 1 < kUnits.size()) {
    amount /= 1000;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", amount, kUnits[unit]);
  return text.data();
}

std::string ShortenHashes(std::string_view text) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    const auto run = std::min(text.find_first_not_of(kHexDigits), text.size());
    out += text.substr(0, run >= 32 ? 8 : run);
    text.remove_prefix(run);
    const auto rest = std::min(text.find_first_of(kHexDigits), text.size());
    out += text.substr(0, rest);
    text.remove_prefix(rest);
  }
  return out;
}

std::string ShortCommit(std::string_view commit) { return Printable(commit.substr(0, 8)); }

std::string Plural(std::size_t count, std::string_view noun) {
  return std::to_string(count) + ' ' + std::string(noun) + (count == 1 ? "" : "s");
}

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t ms;
  };
  constexpr std::array kUnits = {Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                                 Unit{"s", 1'000}, Unit{"ms", 1}};
  constexpr std::int64_t kMost = 1'000'000;  // Of each unit: no sum can overflow.
  std::int64_t total = 0;
  std::size_t next = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    std::int64_t amount = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
    if (error != std::errc() || amount < 0 || amount > kMost) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const auto name = text.substr(0, std::min(text.find_first_of("0123456789"), text.size()));
    const auto* unit = std::find_if(kUnits.begin() + next, kUnits.end(),
                                    [&](const Unit& candidate) { return candidate.name == name; });
    if (unit == kUnits.end()) return std::nullopt;
    total += amount * unit->ms;
    next = static_cast<std::size_t>(unit - kUnits.begin()) + 1;
    text.remove_prefix(name.size());
  }
  return std::chrono::milliseconds(total);
}

std::string Style::Wrapped(std::string_view code, std::string_view text) const {
  if (!colour_) return std::string(text);
  return "\x1b[" + std::string(code) + 'm' + std::string(text) + "\x1b[0m";
}

}  // namespace lockstep
