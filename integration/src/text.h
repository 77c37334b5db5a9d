// Text for people: widths, tables, amounts. Values in, text out.
#ifndef LOCKSTEP_INTEGRATION_TEXT_H_
#define LOCKSTEP_INTEGRATION_TEXT_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

struct Character {
  char32_t code;
  std::size_t bytes;
};
// The character that `text` begins with; none where that is no UTF-8.
std::optional<Character> FirstCharacter(std::string_view text);
// False for what can steer a terminal or make a text read as another: control characters, marks
// that turn the direction of writing, and what is no character.
bool IsHarmless(char32_t code);
// What is not harmless becomes "\x1b" and the like, so that no name, path or message that came from
// elsewhere can steer a terminal. Newlines and tabs become spaces.
std::string Printable(std::string_view text);

// Columns that `text` takes on a terminal; characters that may be wide count as two, so that a line
// that fits by this count always fits.
int DisplayWidth(std::string_view text);
// At most `width` columns; what is cut off is marked by "...".
std::string Fit(std::string_view text, int width);
std::string PadRight(std::string text, int width);

// Columns as wide as their content, two spaces between them, no blanks at the ends of lines.
std::string Table(const std::vector<std::vector<std::string>>& rows, int indent = 0);

// Breaks at blanks so that no line is longer than `width` (but for a single longer word); every
// line but the first begins with `indent` spaces.
std::string Wrap(std::string_view text, int indent, int width);

// "a, b, c"; of more than `most` names the first ones: "a, b and 7 more".
std::string ListNames(const std::vector<std::string>& names, std::size_t most);
std::string FormatBytes(std::int64_t bytes);  // "812 B", "4.0 kB", "12.3 MB" (1000-based)
// Runs of 32 hexadecimal digits and more (digests, commits, ids) cut to their first eight.
std::string ShortenHashes(std::string_view text);
std::string ShortCommit(std::string_view commit);
std::string Plural(std::size_t count, std::string_view noun);  // "1 step", "2 steps"

// "90s", "10m", "1h30m", "250ms": numbers with units, at least one, each at most once and in
// falling order. None for anything else.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

// Colours, where they are wanted.
class Style {
 public:
  explicit Style(bool colour = false) : colour_(colour) {}
  std::string Bold(std::string_view text) const { return Wrapped("1", text); }
  std::string Dim(std::string_view text) const { return Wrapped("2", text); }
  std::string Red(std::string_view text) const { return Wrapped("31", text); }
  std::string Green(std::string_view text) const { return Wrapped("32", text); }
  std::string Yellow(std::string_view text) const { return Wrapped("33", text); }

 private:
  std::string Wrapped(std::string_view code, std::string_view text) const;
  bool colour_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_TEXT_H_
