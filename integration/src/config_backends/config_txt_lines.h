// What the lines of a config.txt say to the firmware of a Raspberry Pi, and how they are written.
#ifndef LOCKSTEP_INTEGRATION_CONFIG_TXT_LINES_H_
#define LOCKSTEP_INTEGRATION_CONFIG_TXT_LINES_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config_backends/text_lines.h"

namespace lockstep {

// The firmware takes no notice of what is behind this column (that of old boards: behind 78).
inline constexpr std::size_t kLongestSetting = 98;

struct ConfigTxtLine {
  std::string indent;
  std::string key;  // Empty: no setting (a comment, a filter, an `include`, what nobody knows).
  std::string value;
  bool for_all = true;        // It holds for every board.
  bool for_all_after = true;  // What is written behind it does.
};

// A filter ("[pi4]", "[EDID=x]", "[none]") is in force until `[all]`, also under the next one: of
// different kinds, both must hold. What begins with `[` and is not `[all]` to the letter counts as
// a filter, so that in doubt a line holds for some boards only, and is left alone.
// A blank before `=` belongs to the key for the firmware: no setting that anyone knows.
std::vector<ConfigTxtLine> ReadConfigTxtLines(const TextLines& lines);

// Letters, digits, and what stands in "hdmi_group:1".
bool IsConfigTxtKey(std::string_view text);
// "gpu_mem=16"; of "initramfs" without the `=`, as the firmware wants it.
std::string ConfigTxtSetting(std::string_view key, std::string_view value);
// `setting` as it is written in place of `line`: the indentation stays if there is room.
std::string InPlaceOf(const ConfigTxtLine& line, std::string setting);

// True where a line inserted before `line` holds for every board.
bool IsForAll(const std::vector<ConfigTxtLine>& lines, std::size_t line);
// Puts `settings` at the end, under an `[all]` of their own if the end is under a filter. Not in
// front of the filter: there, lines of the filter would go before the new ones, and a parameter
// under it could fall to a new overlay.
void AppendForAll(const std::vector<ConfigTxtLine>& lines, const std::vector<std::string>& settings,
                  LineEdits& edits);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_CONFIG_TXT_LINES_H_
