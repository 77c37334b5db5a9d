#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "yaml_value.h"

namespace lockstep {
namespace {

struct Word {
  std::string_view text;
  int meaning;  // Of a truth value: 0 or 1. Of a number without end: -1 or 1, 0 for none.
};

constexpr std::array kTruthValues = {
    Word{"true", 1},  Word{"True", 1},  Word{"TRUE", 1},
    Word{"false", 0}, Word{"False", 0}, Word{"FALSE", 0},
};

constexpr std::array kNumberWords = {
    Word{".inf", 1},   Word{".Inf", 1},  Word{".INF", 1},   Word{"+.inf", 1},
    Word{"+.Inf", 1},  Word{"+.INF", 1}, Word{"-.inf", -1}, Word{"-.Inf", -1},
    Word{"-.INF", -1}, Word{".nan", 0},  Word{".NaN", 0},   Word{".NAN", 0},
};

template <typename Words>
const Word* FindWord(const Words& words, std::string_view text) {
  const auto found =
      std::find_if(words.begin(), words.end(), [&](const Word& word) { return word.text == text; });
  return found == words.end() ? nullptr : &*found;
}

std::size_t DigitsAt(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789"), text.size());
}

template <typename Number, typename... Base>
std::optional<Number> Parse(std::string_view text, Base... base) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, number, base...);
  if (text.empty() || fault != std::errc() || stop != end) return std::nullopt;
  return number;
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool LooksLikeNumber(std::string_view text) {
  const std::size_t whole = DigitsAt(text);
  text.remove_prefix(whole);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const std::size_t part = DigitsAt(text);
    if (whole + part == 0) return false;
    text.remove_prefix(part);
  } else if (whole == 0) {
    return false;
  }
  if (text.empty()) return true;
  if (text.front() != 'e' && text.front() != 'E') return false;
  text.remove_prefix(1);
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && DigitsAt(text) == text.size();
}

Value Based(std::string_view digits, int base, std::string_view text) {
  const auto number = digits.starts_with('-') ? std::nullopt : Parse<std::int64_t>(digits, base);
  return number ? Value(*number) : Value(text);
}

}  // namespace

Value ResolvePlainScalar(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {};
  if (const Word* word = FindWord(kTruthValues, text)) return word->meaning == 1;
  if (const Word* word = FindWord(kNumberWords, text)) {
    using Limits = std::numeric_limits<double>;
    return word->meaning == 0 ? Limits::quiet_NaN() : word->meaning * Limits::infinity();
  }
  if (text.starts_with("0x")) return Based(text.substr(2), 16, text);
  if (text.starts_with("0o")) return Based(text.substr(2), 8, text);
  const bool is_signed = text.starts_with('-') || text.starts_with('+');
  const std::string_view digits = text.substr(is_signed ? 1 : 0);
  const std::string_view number = text.substr(text.starts_with('+') ? 1 : 0);
  if (DigitsAt(digits) == digits.size() && !digits.empty()) {
    if (digits.size() > 1 && digits.front() == '0')
      return text;  // Octal to some, a code to others.
    const auto whole = Parse<std::int64_t>(number);
    return whole ? Value(*whole) : Value(text);
  }
  if (!LooksLikeNumber(digits)) return text;
  const auto real = Parse<double>(number);
  return real ? Value(*real) : Value(text);
}

}  // namespace lockstep
