#include "config_backends/kernel_words.h"

#include <algorithm>
#include <vector>

#include "config_backends/text_lines.h"

namespace lockstep {
namespace {

struct Word {
  std::size_t begin;
  std::size_t end;
};

struct Found {
  std::vector<Word> words;  // Of the name.
  std::size_t end;          // Where another word can follow.
};

Found Find(std::string_view text, std::string_view name) {
  Found found = {{}, 0};
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && IsLineBlank(text[at])) ++at;
    const std::size_t begin = at;
    bool quoted = false;
    for (; at < text.size() && (quoted || !IsLineBlank(text[at])); ++at) {
      if (text[at] == '"') quoted = !quoted;
    }
    const std::string_view word = text.substr(begin, at - begin);
    if (word.empty() || word == "--") return found;
    if (!quoted) found.end = at;  // Behind an open quote a word would be part of this one.
    if (word.substr(0, word.find('=')) == name) found.words.push_back({begin, at});
  }
}

void Cut(std::string& text, Word word) {
  while (word.begin > 0 && IsLineBlank(text[word.begin - 1])) --word.begin;
  if (word.begin == 0) {
    while (word.end < text.size() && IsLineBlank(text[word.end])) ++word.end;
  }
  text.erase(word.begin, word.end - word.begin);
}

}  // namespace

std::optional<std::string> FindKernelWord(std::string_view words, std::string_view name) {
  const Found found = Find(words, name);
  if (found.words.empty()) return std::nullopt;
  const Word last = found.words.back();
  const std::string_view word = words.substr(last.begin, last.end - last.begin);
  return std::string(word.substr(std::min(name.size() + 1, word.size())));
}

std::string WithKernelWord(std::string_view words, std::string_view name, std::string_view value) {
  Found found = Find(words, name);
  std::string text(words);
  const std::string word = std::string(name) + '=' + std::string(value);
  if (found.words.empty()) {
    // Where there is none before it, a blank keeps it from what follows.
    const bool follows = found.end == 0 && !TrimStart(words).empty();
    if (follows) {
      text.insert(words.size() - TrimStart(words).size(), word + ' ');
    } else {
      text.insert(found.end, found.end == 0 ? word : ' ' + word);
    }
    return text;
  }
  const Word last = found.words.back();
  text.replace(last.begin, last.end - last.begin, word);
  found.words.pop_back();
  for (; !found.words.empty(); found.words.pop_back()) Cut(text, found.words.back());
  return text;
}

std::string WithoutKernelWord(std::string_view words, std::string_view name) {
  Found found = Find(words, name);
  std::string text(words);
  for (; !found.words.empty(); found.words.pop_back()) Cut(text, found.words.back());
  return text;
}

}  // namespace lockstep
