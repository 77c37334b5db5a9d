#include "config_backends/config_list.h"

#include <algorithm>
#include <map>
#include <utility>

#include "config_backends/text_lines.h"

namespace lockstep {
namespace {

// Takes `"..."` off the front.
std::optional<std::string> TakeQuoted(std::string_view& text) {
  if (!text.starts_with('"')) return std::nullopt;
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    char c = text[i];
    if (c == '"') {
      text.remove_prefix(i + 1);
      return out;
    }
    if (c == '\\') {
      if (++i == text.size() || (text[i] != '"' && text[i] != '\\')) return std::nullopt;
      c = text[i];
    }
    out += c;
  }
  return std::nullopt;
}

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::optional<std::vector<std::string>> ParseList(std::string_view value) {
  if (!value.starts_with('"')) return std::vector{std::string(value)};
  std::vector<std::string> list;
  while (true) {
    auto entry = TakeQuoted(value);
    if (!entry) return std::nullopt;
    list.push_back(*std::move(entry));
    value = TrimStart(value);
    if (value.empty()) return list;
    if (!value.starts_with(',')) return std::nullopt;
    value = TrimStart(value.substr(1));
  }
}

std::string FormatList(const std::vector<std::string>& list) {
  if (list.size() == 1 && list[0].find('"') == std::string::npos) return list[0];
  std::string out;
  for (const std::string& entry : list) out += (out.empty() ? "" : ",") + Quoted(entry);
  return out;
}

std::vector<std::string> SplitAtCommas(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) parts.emplace_back(text.substr(0, comma));
    if (comma == text.size()) return parts;
    text.remove_prefix(comma + 1);
  }
}

std::string JoinWithCommas(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += ',';
    text += part;
  }
  return text;
}

std::vector<ListSlot> MatchLists(const std::vector<std::string>& old,
                                 const std::vector<std::string>& wanted) {
  std::map<std::string_view, std::vector<std::size_t>> places;
  for (std::size_t i = 0; i < old.size(); ++i) places[old[i]].push_back(i);

  std::vector<ListSlot> slots;
  std::size_t next = 0;           // The first old entry that can still stay.
  std::size_t first_waiting = 0;  // The first slot behind the last that stays.
  // Between two entries that stay, new ones take the places of old ones.
  const auto fill = [&](std::size_t upto) {
    for (; first_waiting < slots.size() && next < upto; ++first_waiting, ++next) {
      slots[first_waiting].old = next;
    }
  };
  for (const std::string& text : wanted) {
    const auto found = places.find(text);
    if (found != places.end()) {
      const auto place = std::lower_bound(found->second.begin(), found->second.end(), next);
      if (place != found->second.end()) {
        fill(*place);
        slots.push_back({text, *place, true});
        next = *place + 1;
        first_waiting = slots.size();
        continue;
      }
    }
    slots.push_back({text, std::nullopt, false});
  }
  fill(old.size());
  return slots;
}

}  // namespace lockstep
