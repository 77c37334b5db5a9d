#include "config_backends/config_txt_lines.h"

#include <algorithm>

namespace lockstep {
namespace {

constexpr std::string_view kInitramfs = "initramfs";

// Sets `line`'s key and value if `text`, without its indentation, is a setting.
void ReadSetting(std::string_view text, ConfigTxtLine& line) {
  std::size_t end = text.find('=');
  if (end == std::string_view::npos) {
    if (!text.starts_with(kInitramfs) || text.size() == kInitramfs.size() ||
        !IsLineBlank(text[kInitramfs.size()])) {
      return;
    }
    line.key = kInitramfs;
    line.value = TrimStart(TrimEnd(text.substr(kInitramfs.size())));
    return;
  }
  if (!IsConfigTxtKey(text.substr(0, end))) return;
  line.key = text.substr(0, end);
  line.value = TrimEnd(text.substr(end + 1));
}

}  // namespace

bool IsConfigTxtKey(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':' || c == '-' || c == '.';
  });
}

std::vector<ConfigTxtLine> ReadConfigTxtLines(const TextLines& lines) {
  std::vector<ConfigTxtLine> out;
  out.reserve(lines.size());
  bool for_all = true;
  for (const TextLine& source : lines) {
    ConfigTxtLine line;
    const std::string_view text = TrimStart(source.text);
    line.indent = source.text.substr(0, source.text.size() - text.size());
    line.for_all = for_all;
    if (text.starts_with('[')) {
      for_all = TrimEnd(source.text) == "[all]";
    } else if (!text.starts_with('#')) {
      ReadSetting(text, line);
    }
    line.for_all_after = for_all;
    out.push_back(std::move(line));
  }
  return out;
}

std::string ConfigTxtSetting(std::string_view key, std::string_view value) {
  return std::string(key) + (key == kInitramfs ? ' ' : '=') + std::string(value);
}

std::string InPlaceOf(const ConfigTxtLine& line, std::string setting) {
  return line.indent.size() + setting.size() > kLongestSetting ? setting : line.indent + setting;
}

bool IsForAll(const std::vector<ConfigTxtLine>& lines, std::size_t line) {
  return line == 0 || lines[line - 1].for_all_after;
}

void AppendForAll(const std::vector<ConfigTxtLine>& lines, const std::vector<std::string>& settings,
                  LineEdits& edits) {
  if (!IsForAll(lines, lines.size())) edits.Insert(lines.size(), "[all]");
  for (const std::string& setting : settings) edits.Insert(lines.size(), setting);
}

}  // namespace lockstep
