// A text file that others write too, line by line: what is not changed stays to the byte.
#ifndef LOCKSTEP_INTEGRATION_TEXT_LINES_H_
#define LOCKSTEP_INTEGRATION_TEXT_LINES_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

struct TextLine {
  std::string text;
  std::string end;  // "\n", "\r\n", or (a last line) nothing.
};
using TextLines = std::vector<TextLine>;

TextLines SplitLines(std::string_view text);
std::string JoinLines(const TextLines& lines);

// Changes to lines, by their index before any of them. One pass makes them all, however many.
class LineEdits {
 public:
  // The line keeps its end.
  void Replace(std::size_t line, std::string text) { changed_[line] = std::move(text); }
  void Remove(std::size_t line) { changed_[line] = std::nullopt; }
  // A new line before `line`, behind those inserted there already; the number of lines stands for
  // the end. It ends as its neighbours do.
  void Insert(std::size_t line, std::string text) { inserted_[line].push_back(std::move(text)); }

  TextLines ApplyTo(const TextLines& lines) const;

 private:
  std::map<std::size_t, std::optional<std::string>> changed_;
  std::map<std::size_t, std::vector<std::string>> inserted_;
};

// Blanks within a line; '\r' counts, as one without a '\n' behind it ends no line.
bool IsLineBlank(char c);
std::string_view TrimStart(std::string_view text);
std::string_view TrimEnd(std::string_view text);
bool HasControlCharacter(std::string_view text);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_TEXT_LINES_H_
