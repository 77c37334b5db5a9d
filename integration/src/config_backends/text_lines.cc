#include "config_backends/text_lines.h"

#include <algorithm>
#include <utility>

namespace lockstep {
namespace {

// How a line between lines `at - 1` and `at` ends.
std::string EndAt(const TextLines& lines, std::size_t at) {
  if (at > 0 && !lines[at - 1].end.empty()) return lines[at - 1].end;
  if (at < lines.size() && !lines[at].end.empty()) return lines[at].end;
  if (at > 1) return lines[at - 2].end;  // Behind a last line that has no end.
  return "\n";
}

}  // namespace

TextLines SplitLines(std::string_view text) {
  TextLines lines;
  while (!text.empty()) {
    const std::size_t newline = std::min(text.find('\n'), text.size());
    std::size_t length = newline;
    if (newline < text.size() && length > 0 && text[length - 1] == '\r') --length;
    const std::size_t taken = std::min(newline + 1, text.size());
    lines.push_back(
        {std::string(text.substr(0, length)), std::string(text.substr(length, taken - length))});
    text.remove_prefix(taken);
  }
  return lines;
}

std::string JoinLines(const TextLines& lines) {
  std::string text;
  for (const TextLine& line : lines) {
    text += line.text;
    text += line.end;
  }
  return text;
}

TextLines LineEdits::ApplyTo(const TextLines& lines) const {
  TextLines out;
  out.reserve(lines.size() + inserted_.size());
  auto inserted = inserted_.begin();
  auto changed = changed_.begin();
  for (std::size_t i = 0; i <= lines.size(); ++i) {
    if (inserted != inserted_.end() && inserted->first == i) {
      const std::string end = EndAt(lines, i);
      if (!out.empty() && out.back().end.empty()) out.back().end = end;
      for (const std::string& text : inserted->second) out.push_back({text, end});
      ++inserted;
    }
    if (i == lines.size()) break;
    if (changed != changed_.end() && changed->first == i) {
      if (changed->second) out.push_back({*changed->second, lines[i].end});
      ++changed;
    } else {
      out.push_back(lines[i]);
    }
  }
  return out;
}

bool IsLineBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view TrimStart(std::string_view text) {
  while (!text.empty() && IsLineBlank(text.front())) text.remove_prefix(1);
  return text;
}

std::string_view TrimEnd(std::string_view text) {
  while (!text.empty() && IsLineBlank(text.back())) text.remove_suffix(1);
  return text;
}

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; });
}

}  // namespace lockstep
