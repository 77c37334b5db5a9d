// Values that are lists: `"a","b"`, or `a` for a list of one. Balena writes them so.
#ifndef LOCKSTEP_INTEGRATION_CONFIG_LIST_H_
#define LOCKSTEP_INTEGRATION_CONFIG_LIST_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

// What does not begin with a quote is a list of one. Between the quotes stand the strings of JSON,
// but with no other escapes than \" and \\. None: quotes or commas are not where they must be.
std::optional<std::vector<std::string>> ParseList(std::string_view value);
// The one way to write `list` here: no quotes around a single entry that has none in it.
// ParseList() gives the same back.
std::string FormatList(const std::vector<std::string>& list);

// "a,b" as {"a", "b"}; what is empty is left out.
std::vector<std::string> SplitAtCommas(std::string_view text);
std::string JoinWithCommas(const std::vector<std::string>& parts);

// How a list becomes another with few changes: what comes to stand at each place.
struct ListSlot {
  std::string text;
  std::optional<std::size_t> old;  // The old entry that stays, or that this one replaces.
  bool stays = false;
};
// One for each entry of `wanted`, `old` ever rising. An old entry that no slot has is to go.
std::vector<ListSlot> MatchLists(const std::vector<std::string>& old,
                                 const std::vector<std::string>& wanted);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_CONFIG_LIST_H_
