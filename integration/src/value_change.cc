#include "value_change.h"

#include <algorithm>
#include <string_view>

#include "text.h"

namespace lockstep {
namespace {

constexpr std::string_view kArrow = "-> ";
constexpr std::string_view kCut = "...";

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

// The nearest place at or before `at` where a character begins.
std::size_t CharacterAt(std::string_view text, std::size_t at) {
  while (at > 0 && at < text.size() && IsContinuation(text[at])) --at;
  return at;
}

// `text` in `width` columns, so that the part from `begin` to `end` is seen, or its beginning.
std::string CutTo(std::string_view text, std::size_t begin, std::size_t end, int width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  const auto room =
      static_cast<std::size_t>(std::max(width - 2 * static_cast<int>(kCut.size()), 1));
  const std::size_t around = end - begin < room ? (room - (end - begin)) / 2 : 0;
  // What one side does not need is the other's.
  const std::size_t behind = std::min(text.size() - end, around);
  std::size_t from = begin - std::min(begin, around + (around - behind));
  const std::size_t to = std::min(text.size(), std::max(from + room, end));
  from = CharacterAt(text, from);
  std::string shown = from > 0 ? std::string(kCut) : std::string();
  shown += text.substr(from, CharacterAt(text, to) - from);
  if (to < text.size()) shown += kCut;
  return Fit(shown, width);
}

}  // namespace

std::vector<std::string> RenderValueChange(const ValueChange& change, int width) {
  const auto fit = [&](std::string text) {
    return std::vector<std::string>{width > 0 ? Fit(text, width) : std::move(text)};
  };
  const auto& [from, to, hidden] = change;
  if (!from && !to) return fit("changes");
  if (hidden) return fit(!from ? "is new (hidden)" : !to ? "goes" : "changes (hidden)");
  if (!from) return fit(*to == "{}" ? "is new" : "is new: " + *to);
  if (!to) return fit(*from == "{}" ? "goes" : "goes: " + *from);
  const std::string both = *from + ' ' + std::string(kArrow) + *to;
  if (width <= 0 || DisplayWidth(both) <= width) return {both};
  const std::string_view a = *from;
  const std::string_view b = *to;
  const auto alike = static_cast<std::size_t>(
      std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
  const std::size_t most = std::min(a.size(), b.size()) - alike;
  const auto tail = std::min(
      most, static_cast<std::size_t>(
                std::mismatch(a.rbegin(), a.rend(), b.rbegin(), b.rend()).first - a.rbegin()));
  const int room = width - static_cast<int>(kArrow.size());
  return {std::string(kArrow.size(), ' ') + CutTo(a, alike, a.size() - tail, room),
          std::string(kArrow) + CutTo(b, alike, b.size() - tail, room)};
}

}  // namespace lockstep
