#include <utility>

#include "lockstep/service_field.h"
#include "service_field_kinds.h"

namespace lockstep {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

// What a backslash takes its meaning from between double quotes.
constexpr std::string_view kEscapable = "$`\"\\";

// Reads from the opening quote at `at` to behind the closing one; false where there is none.
bool ReadQuoted(std::string_view text, std::size_t& at, std::string& word) {
  const char quote = text[at];
  for (++at; at < text.size(); ++at) {
    if (text[at] == quote) {
      ++at;
      return true;
    }
    if (quote == '"' && text[at] == '\\' && at + 1 < text.size()) {
      const char next = text[at + 1];
      if (next == '\n') {
        ++at;
        continue;
      }
      if (kEscapable.find(next) != std::string_view::npos) ++at;
    }
    word += text[at];
  }
  return false;
}

}  // namespace

Result<std::vector<std::string>> SplitCommand(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;  // '' is a word, though an empty one.
  std::size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (kBlanks.find(c) != std::string_view::npos) {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
      ++at;
    } else if (c == '\'' || c == '"') {
      in_word = true;
      if (!ReadQuoted(text, at, word)) {
        return fields::Invalid(fields::Show(text) + " has a quote (" + c +
                               ") that is not closed; close it or write a list");
      }
    } else if (c == '\\' && at + 1 < text.size()) {
      if (text[at + 1] != '\n') {  // Else the line goes on.
        in_word = true;
        word += text[at + 1];
      }
      at += 2;
    } else {
      in_word = true;
      word += c;
      ++at;
    }
  }
  if (in_word) words.push_back(std::move(word));
  return words;
}

}  // namespace lockstep
