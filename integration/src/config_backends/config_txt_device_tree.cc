#include "config_backends/config_txt_device_tree.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "config_backends/config_list.h"

namespace lockstep {
namespace {

using Lines = std::vector<ConfigTxtLine>;

struct Param {
  std::size_t line;
  std::string text;
  std::optional<std::size_t> overlay;  // Whose it is; none: the base's.
  bool under_overlay;                  // Another parameter in its place would be an overlay's.
};

struct Overlay {
  std::size_t line;
  std::string text;
};

struct DeviceTree {
  std::vector<Overlay> overlays;
  std::vector<Param> params;
};

bool IsBaseParam(std::string_view param) {
  constexpr std::array<std::string_view, 8> kNames = {
      "audio",          "spi", "i2c", "i2c_arm", "i2c_vc", "i2c_baudrate", "i2c_arm_baudrate",
      "i2c_vc_baudrate"};
  const std::string_view name = param.substr(0, param.find('='));
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// Also of older firmware, whose words for the two are long.
bool IsOverlayLine(const ConfigTxtLine& line) {
  return line.key == kOverlayKey || line.key == "device_tree_overlay";
}
bool IsParamLine(const ConfigTxtLine& line) {
  return line.key == kParamKey || line.key == "device_tree_param";
}
bool IsReset(const ConfigTxtLine& line) {
  return line.key == kOverlayKey && (line.value.empty() || line.value.front() == ',');
}

std::string ParamLine(std::string_view param) { return ConfigTxtSetting(kParamKey, param); }

DeviceTree ReadDeviceTree(const Lines& lines) {
  DeviceTree tree;
  std::optional<std::size_t> overlay;
  bool under_overlay = false;  // On some board.
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const ConfigTxtLine& line = lines[i];
    if (IsOverlayLine(line) && (line.for_all || !IsReset(line))) under_overlay = !IsReset(line);
    if (!line.for_all) continue;
    if (line.key == kOverlayKey) {
      overlay.reset();
      if (IsReset(line)) continue;
      overlay = tree.overlays.size();
      tree.overlays.push_back({i, JoinWithCommas(SplitAtCommas(line.value))});
    } else if (line.key == kParamKey) {
      for (std::string& text : SplitAtCommas(line.value)) {
        const bool base = !overlay || IsBaseParam(text);
        if (!base) tree.overlays[*overlay].text += ',' + text;
        tree.params.push_back({i, std::move(text), base ? std::nullopt : overlay, under_overlay});
      }
    }
  }
  return tree;
}

// Calls `change(begin, end)` for the parameters of each line that has some.
template <typename Change>
void ForEachParamLine(const DeviceTree& tree, const Change& change) {
  std::size_t begin = 0;
  while (begin < tree.params.size()) {
    std::size_t end = begin + 1;
    while (end < tree.params.size() && tree.params[end].line == tree.params[begin].line) ++end;
    change(begin, end);
    begin = end;
  }
}

// Leaves in each line of parameters those for which `stays` says so.
template <typename Stays>
void KeepParams(const Lines& lines, const DeviceTree& tree, const Stays& stays, LineEdits& edits) {
  ForEachParamLine(tree, [&](std::size_t begin, std::size_t end) {
    std::vector<std::string> kept;
    for (std::size_t i = begin; i < end; ++i) {
      if (stays(tree.params[i])) kept.push_back(tree.params[i].text);
    }
    if (kept.size() == end - begin) return;
    const std::size_t line = tree.params[begin].line;
    if (kept.empty()) {
      edits.Remove(line);
    } else {
      edits.Replace(line, InPlaceOf(lines[line], ParamLine(JoinWithCommas(kept))));
    }
  });
}

// The first place behind the overlay at `line` and its parameters that holds for every board, and
// where no parameter follows that a new overlay would take from another, whatever filter either is
// under.
std::optional<std::size_t> PlaceBehindOverlay(const Lines& lines, std::size_t line) {
  for (std::size_t i = line + 1; i < lines.size(); ++i) {
    if (!lines[i].for_all) continue;
    if (lines[i].key == kOverlayKey) break;
    if (lines[i].key == kParamKey) line = i;
  }
  std::optional<std::size_t> place;
  for (std::size_t i = line + 1; i < lines.size(); ++i) {
    if (!place && IsForAll(lines, i)) place = i;
    if (IsParamLine(lines[i])) place.reset();
    if (place && IsOverlayLine(lines[i])) return place;
  }
  if (!place && IsForAll(lines, lines.size())) place = lines.size();
  return place;
}

// Before the first overlay of any board, where a parameter is the base's.
std::optional<std::size_t> PlaceBeforeOverlays(const Lines& lines) {
  const auto first = std::find_if(lines.begin(), lines.end(), [](const ConfigTxtLine& line) {
    return IsOverlayLine(line) && !IsReset(line);
  });
  if (first == lines.end()) return std::nullopt;
  auto place = static_cast<std::size_t>(first - lines.begin());
  while (!IsForAll(lines, place)) --place;  // The beginning does hold for all.
  return place;
}

void WriteNewOverlays(const Lines& lines, const DeviceTree& tree,
                      const std::vector<ListSlot>& slots, LineEdits& edits) {
  // Before an overlay that is there, a new one takes no parameters from any other.
  std::vector<std::optional<std::size_t>> next_line(slots.size());
  std::optional<std::size_t> line;
  for (std::size_t i = slots.size(); i-- > 0;) {
    next_line[i] = line;
    if (slots[i].old) line = tree.overlays[*slots[i].old].line;
  }
  std::optional<std::size_t> last_line;
  std::vector<std::string> last;  // Behind all that are there.
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const ListSlot& slot = slots[i];
    if (slot.old) last_line = tree.overlays[*slot.old].line;
    if (slot.stays) continue;
    std::vector<std::string> settings = OverlayLines(slot.text);
    std::size_t first = 0;
    if (slot.old) edits.Replace(*last_line, InPlaceOf(lines[*last_line], settings[first++]));
    for (; first < settings.size(); ++first) {
      if (slot.old) {
        edits.Insert(*last_line + 1, std::move(settings[first]));
      } else if (next_line[i]) {
        edits.Insert(*next_line[i], std::move(settings[first]));
      } else {
        last.push_back(std::move(settings[first]));
      }
    }
  }
  if (last.empty()) return;
  const auto place = last_line ? PlaceBehindOverlay(lines, *last_line) : std::nullopt;
  if (!place) return AppendForAll(lines, last, edits);
  for (std::string& setting : last) edits.Insert(*place, std::move(setting));
}

// What comes to stand in place of one parameter.
struct ParamPlace {
  std::vector<std::string> before;
  std::optional<std::string> text;
  std::vector<std::string> after;
};

// None: it cannot be done where the parameters stand now.
std::optional<std::vector<ParamPlace>> PlaceBaseParams(const DeviceTree& tree,
                                                       const std::vector<std::string>& wanted) {
  std::vector<ParamPlace> places(tree.params.size());
  std::vector<std::size_t> base;
  std::vector<std::string> old;
  for (std::size_t i = 0; i < tree.params.size(); ++i) {
    if (tree.params[i].overlay) {
      places[i].text = tree.params[i].text;
    } else {
      base.push_back(i);
      old.push_back(tree.params[i].text);
    }
  }
  std::optional<std::size_t> previous;
  std::vector<std::string> waiting;  // New ones before all that are there.
  for (ListSlot& slot : MatchLists(old, wanted)) {
    if (!slot.old) {
      if (previous && tree.params[*previous].under_overlay) return std::nullopt;
      (previous ? places[*previous].after : waiting).push_back(std::move(slot.text));
      continue;
    }
    previous = base[*slot.old];
    const bool under_overlay = tree.params[*previous].under_overlay;
    if (under_overlay && (!waiting.empty() || !IsBaseParam(slot.text))) return std::nullopt;
    places[*previous].before = std::exchange(waiting, {});
    places[*previous].text = std::move(slot.text);
  }
  if (!waiting.empty()) return std::nullopt;
  return places;
}

// Writes `places` for the parameters of one line; new ones before or behind all others get lines of
// their own. False: the line would be too long.
bool EditParamLine(const ConfigTxtLine& line, std::size_t line_index, const Param* params,
                   ParamPlace* places, std::size_t count, LineEdits& edits) {
  std::vector<std::string> texts;
  std::vector<std::string> behind;
  bool changed = false;
  for (std::size_t i = 0; i < count; ++i) {
    ParamPlace& place = places[i];
    for (std::string& text : place.before) {
      if (texts.empty()) {
        edits.Insert(line_index, ParamLine(text));
      } else {
        texts.push_back(std::move(text));
        changed = true;
      }
    }
    if (place.text) {
      changed = changed || !behind.empty() || *place.text != params[i].text;
      for (std::string& text : std::exchange(behind, {})) texts.push_back(std::move(text));
      texts.push_back(*std::move(place.text));
    } else {
      changed = true;
    }
    for (std::string& text : place.after) behind.push_back(std::move(text));
  }
  std::string setting = ParamLine(JoinWithCommas(texts));
  if (changed && setting.size() > kLongestSetting) return false;
  if (texts.empty()) {
    edits.Remove(line_index);
  } else if (changed) {
    edits.Replace(line_index, InPlaceOf(line, std::move(setting)));
  }
  for (const std::string& text : behind) edits.Insert(line_index + 1, ParamLine(text));
  return true;
}

// Where the parameters of the base stand, with as few changes as may be.
std::optional<LineEdits> EditBaseParams(const Lines& lines, const DeviceTree& tree,
                                        const std::vector<std::string>& params) {
  auto places = PlaceBaseParams(tree, params);
  if (!places) return std::nullopt;
  LineEdits edits;
  bool fits = true;
  ForEachParamLine(tree, [&](std::size_t begin, std::size_t end) {
    const std::size_t line = tree.params[begin].line;
    fits = fits && EditParamLine(lines[line], line, &tree.params[begin], &(*places)[begin],
                                 end - begin, edits);
  });
  return fits ? std::optional(std::move(edits)) : std::nullopt;
}

// All of them anew, where they are the base's beyond doubt.
LineEdits RewriteBaseParams(const Lines& lines, const DeviceTree& tree,
                            const std::vector<std::string>& params) {
  LineEdits edits;
  KeepParams(
      lines, tree, [](const Param& param) { return param.overlay.has_value(); }, edits);
  std::vector<std::string> settings;
  for (const std::string& param : params) settings.push_back(ParamLine(param));
  std::optional<std::size_t> place = PlaceBeforeOverlays(lines);
  const auto old = std::find_if(tree.params.begin(), tree.params.end(),
                                [](const Param& param) { return !param.under_overlay; });
  if (old != tree.params.end()) place = old->line;
  if (!place) {
    AppendForAll(lines, settings, edits);
  } else {
    for (std::string& setting : settings) edits.Insert(*place, std::move(setting));
  }
  return edits;
}

}  // namespace

std::vector<std::string> ReadOverlays(const Lines& lines) {
  std::vector<std::string> texts;
  for (Overlay& overlay : ReadDeviceTree(lines).overlays) texts.push_back(std::move(overlay.text));
  return texts;
}

std::vector<std::string> ReadBaseParams(const Lines& lines) {
  std::vector<std::string> texts;
  for (Param& param : ReadDeviceTree(lines).params) {
    if (!param.overlay) texts.push_back(std::move(param.text));
  }
  return texts;
}

LineEdits SetOverlays(const Lines& lines, const std::vector<std::string>& overlays) {
  const DeviceTree tree = ReadDeviceTree(lines);
  std::vector<std::string> old;
  for (const Overlay& overlay : tree.overlays) old.push_back(overlay.text);
  const std::vector<ListSlot> slots = MatchLists(old, overlays);

  LineEdits edits;
  std::vector<bool> stays(old.size(), false);
  std::vector<bool> goes(old.size(), true);
  for (const ListSlot& slot : slots) {
    if (!slot.old) continue;
    stays[*slot.old] = slot.stays;
    goes[*slot.old] = false;
  }
  for (std::size_t i = 0; i < old.size(); ++i) {
    if (goes[i]) edits.Remove(tree.overlays[i].line);
  }
  const auto param_stays = [&](const Param& param) {
    return !param.overlay || stays[*param.overlay];
  };
  KeepParams(lines, tree, param_stays, edits);
  WriteNewOverlays(lines, tree, slots, edits);
  return edits;
}

LineEdits SetBaseParams(const Lines& lines, const std::vector<std::string>& params) {
  const DeviceTree tree = ReadDeviceTree(lines);
  if (auto edits = EditBaseParams(lines, tree, params)) return *std::move(edits);
  return RewriteBaseParams(lines, tree, params);
}

std::vector<std::string> OverlayLines(std::string_view overlay) {
  std::vector<std::string> parts = SplitAtCommas(overlay);
  std::vector<std::string> out = {ConfigTxtSetting(kOverlayKey, overlay)};
  if (out[0].size() <= kLongestSetting) return out;
  std::size_t inline_parts = 1;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (IsBaseParam(parts[i])) inline_parts = i + 1;
  }
  for (std::size_t i = inline_parts; i < parts.size(); ++i) out.push_back(ParamLine(parts[i]));
  parts.resize(inline_parts);
  out[0] = ConfigTxtSetting(kOverlayKey, JoinWithCommas(parts));
  return out;
}

std::vector<std::size_t> LeadingResets(const Lines& lines) {
  std::vector<std::size_t> resets;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!IsOverlayLine(lines[i]) && !IsParamLine(lines[i])) continue;
    if (!lines[i].for_all || !IsReset(lines[i])) break;
    resets.push_back(i);
  }
  return resets;
}

}  // namespace lockstep
