#include "config_backends/config_txt.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "config_backends/config_list.h"
#include "config_backends/config_txt_device_tree.h"

namespace lockstep {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// What balenaOS puts there for the balenaFin, and no target names: it is no value, and stays.
constexpr std::string_view kBoardOverlay = "balena-fin";

bool IsList(std::string_view key) {
  const auto& lists = ConfigTxtLists();
  return std::find(lists.begin(), lists.end(), key) != lists.end();
}

// The entries of a list as List() has them. None: it is no list.
std::optional<std::vector<std::string>> Entries(std::string_view key, std::string_view value) {
  auto list = ParseList(value);
  if (!list || (key != kParamKey && key != kOverlayKey)) return list;
  std::vector<std::string> entries;
  for (const std::string& entry : *list) {
    std::vector<std::string> parts = SplitAtCommas(entry);
    if (key == kOverlayKey) {
      std::string overlay = JoinWithCommas(parts);
      if (overlay != kBoardOverlay) entries.push_back(std::move(overlay));
    } else {
      std::move(parts.begin(), parts.end(), std::back_inserter(entries));
    }
  }
  return entries;
}

// Of a list whose entries have a line each. What stays keeps its line.
LineEdits SetPlainList(const std::vector<ConfigTxtLine>& lines, std::string_view key,
                       const std::vector<std::string>& list) {
  std::vector<std::size_t> places;
  std::vector<std::string> old;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!lines[i].for_all || lines[i].key != key) continue;
    places.push_back(i);
    old.push_back(lines[i].value);
  }
  LineEdits edits;
  std::vector<std::string> waiting;
  std::size_t next = 0;  // The first old line that no slot has been seen for.
  for (const ListSlot& slot : MatchLists(old, list)) {
    std::string setting = ConfigTxtSetting(key, slot.text);
    if (!slot.old) {
      if (next == 0) {
        waiting.push_back(std::move(setting));
      } else {
        edits.Insert(places[next - 1] + 1, std::move(setting));
      }
      continue;
    }
    for (; next < *slot.old; ++next) edits.Remove(places[next]);
    const std::size_t line = places[next++];
    for (std::string& text : std::exchange(waiting, {})) edits.Insert(line, std::move(text));
    if (!slot.stays) edits.Replace(line, InPlaceOf(lines[line], std::move(setting)));
  }
  for (; next < places.size(); ++next) edits.Remove(places[next]);
  if (!waiting.empty()) AppendForAll(lines, waiting, edits);
  return edits;
}

std::string TextRefusal(std::string_view text) {
  if (HasControlCharacter(text)) return "has a line break or another control character";
  if (text.find('"') != std::string_view::npos) {
    return "has a quote, which the firmware would take for a part of it";
  }
  if (TrimStart(TrimEnd(text)).size() != text.size()) return "begins or ends with a blank";
  return {};
}

std::string LengthRefusal(std::string_view setting) {
  if (setting.size() <= kLongestSetting) return {};
  return "makes a line longer than the " + std::to_string(kLongestSetting) +
         " characters that the firmware reads";
}

std::string EntryRefusal(std::string_view key, std::string_view entry) {
  if (entry.empty()) return "has an empty entry; leave the key out to remove what it sets";
  if (std::string why = TextRefusal(entry); !why.empty()) return why;
  if (key != kParamKey && key != kOverlayKey) return LengthRefusal(ConfigTxtSetting(key, entry));
  const std::vector<std::string> parts = SplitAtCommas(entry);
  if (parts.empty() || (key == kOverlayKey && entry.front() == ',')) {
    return "has an entry without a name";
  }
  std::vector<std::string> settings = OverlayLines(entry);
  if (key == kParamKey) settings.clear();
  for (const std::string& part : parts) {
    if (std::string why = TextRefusal(part); !why.empty()) return why;
    if (key == kParamKey) settings.push_back(ConfigTxtSetting(key, part));
  }
  for (const std::string& setting : settings) {
    if (std::string why = LengthRefusal(setting); !why.empty()) return why;
  }
  return {};
}

}  // namespace

const std::vector<std::string>& ConfigTxtLists() {
  static const std::vector<std::string> lists = {std::string(kParamKey), std::string(kOverlayKey),
                                                 "device_tree_param", "device_tree_overlay",
                                                 "gpio"};
  return lists;
}

std::string ConfigTxtRefusal(std::string_view key, std::string_view value) {
  if (!IsConfigTxtKey(key)) return "belongs to a key that no line of config.txt can have";
  if (!IsList(key)) {
    if (value.empty()) return "is empty; leave the key out to remove what it sets";
    if (std::string why = TextRefusal(value); !why.empty()) return why;
    return LengthRefusal(ConfigTxtSetting(key, value));
  }
  const auto list = ParseList(value);
  if (!list) return R"(is no list of the form "a","b")";
  if (*list == std::vector<std::string>{std::string(kBoardOverlay)}) {
    return "names what its board has anyway";
  }
  for (const std::string& entry : *list) {
    if (std::string why = EntryRefusal(key, entry); !why.empty()) return why;
  }
  return {};
}

std::string CanonicalConfigTxtList(std::string_view key, std::string_view value) {
  const auto entries = Entries(key, value);
  return entries ? FormatList(*entries) : std::string(value);
}

ConfigTxt::ConfigTxt(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) {
    mark_ = kByteOrderMark;
    text.remove_prefix(mark_.size());
  }
  lines_ = SplitLines(text);
  read_ = ReadConfigTxtLines(lines_);
}

Result<ConfigTxt> ConfigTxt::Parse(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return MakeError(ErrorCode::kInvalidInput, "it is no text", "put a config.txt in its place");
  }
  return ConfigTxt(text);
}

std::string ConfigTxt::ToText() const { return mark_ + JoinLines(lines_); }

std::vector<std::string> ConfigTxt::List(std::string_view key) const {
  if (key == kOverlayKey) {
    std::vector<std::string> overlays = ReadOverlays(read_);
    std::erase(overlays, kBoardOverlay);
    return overlays;
  }
  if (key == kParamKey) return ReadBaseParams(read_);
  std::vector<std::string> list;
  for (const ConfigTxtLine& line : read_) {
    if (line.for_all && line.key == key) list.push_back(line.value);
  }
  return list;
}

ConfigValues ConfigTxt::Values() const {
  ConfigValues values;
  for (const ConfigTxtLine& line : read_) {
    if (line.for_all && !line.key.empty() && !IsList(line.key)) values[line.key] = line.value;
  }
  for (const std::string& key : ConfigTxtLists()) {
    const std::vector<std::string> list = List(key);
    if (!list.empty()) values[key] = FormatList(list);
  }
  return values;
}

std::string ConfigTxt::Rest() const {
  std::string rest;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if ((read_[i].for_all && !read_[i].key.empty()) || TrimEnd(lines_[i].text) == "[all]") continue;
    rest += lines_[i].text + '\n';
  }
  return rest;
}

void ConfigTxt::Apply(const LineEdits& edits) {
  lines_ = edits.ApplyTo(lines_);
  read_ = ReadConfigTxtLines(lines_);
}

void ConfigTxt::SetList(std::string_view key, const std::vector<std::string>& list) {
  const bool led_by_reset = !LeadingResets(read_).empty();
  if (key == kOverlayKey) {
    std::vector<std::string> with_board = ReadOverlays(read_);
    std::erase_if(with_board, [](const std::string& each) { return each != kBoardOverlay; });
    with_board.insert(with_board.end(), list.begin(), list.end());
    Apply(SetOverlays(read_, with_board));
  } else if (key == kParamKey) {
    Apply(SetBaseParams(read_, list));
  } else {
    Apply(SetPlainList(read_, key, list));
  }
  if (led_by_reset) return;
  LineEdits edits;
  for (const std::size_t line : LeadingResets(read_)) edits.Remove(line);
  Apply(edits);
}

Result<void> ConfigTxt::Set(const std::string& key, std::string_view value) {
  if (const std::string why = ConfigTxtRefusal(key, value); !why.empty()) {
    return MakeError(ErrorCode::kInvalidInput, "the value of " + key + ' ' + why);
  }
  if (IsList(key)) {
    const auto entries = Entries(key, value);
    if (entries && *entries != List(key)) SetList(key, *entries);
    return Ok();
  }
  const auto in_force = std::find_if(read_.rbegin(), read_.rend(), [&](const ConfigTxtLine& line) {
    return line.for_all && line.key == key;
  });
  LineEdits edits;
  if (in_force == read_.rend()) {
    AppendForAll(read_, {ConfigTxtSetting(key, value)}, edits);
  } else {
    if (in_force->value == value) return Ok();
    const auto line = static_cast<std::size_t>(read_.rend() - in_force) - 1;
    edits.Replace(line, InPlaceOf(*in_force, ConfigTxtSetting(key, value)));
  }
  Apply(edits);
  return Ok();
}

Result<void> ConfigTxt::Erase(const std::string& key) {
  if (IsList(key)) {
    if (!List(key).empty()) SetList(key, {});
    return Ok();
  }
  LineEdits edits;
  for (std::size_t i = 0; i < read_.size(); ++i) {
    if (read_[i].for_all && read_[i].key == key) edits.Remove(i);
  }
  Apply(edits);
  return Ok();
}

std::string ConfigTxt::Canonical(const std::string& key, const std::string& value) {
  return IsList(key) ? CanonicalConfigTxtList(key, value) : value;
}

}  // namespace lockstep
