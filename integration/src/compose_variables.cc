#include "compose_variables.h"

#include <algorithm>
#include <utility>

#include "lockstep/utf8.h"

namespace lockstep {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20;
constexpr int kDeepest = 32;

bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsNamePart(char c) { return IsNameStart(c) || (c >= '0' && c <= '9'); }

// Whether what is read comes into the outcome: of `${A:-${B:?text}}` nobody asks for B where A is
// set.
enum class Needed { kNo, kYes };

// One text, read from left to right.
class Reader {
 public:
  Reader(std::string_view text, const Variables& variables, const Place& place,
         std::map<std::string, std::string>& unset, std::size_t& written_bytes)
      : text_(text),
        variables_(variables),
        place_(place),
        unset_(unset),
        written_bytes_(written_bytes) {}

  Result<std::string> ReadAll() { return ReadText(Needed::kYes, 0); }

 private:
  char Look(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  Error Wrong(std::string message, std::string hint =
                                       "see the Compose Specification for the forms "
                                       "of a variable, or write $$ for a dollar "
                                       "sign") const {
    return ErrorAt(ErrorCode::kInvalidTarget, place_, std::move(message), std::move(hint));
  }

  // To the end of the text or, between braces, to the brace that closes.
  Result<std::string> ReadText(Needed needed, int depth) {
    if (depth > kDeepest) return Wrong("variables are nested too deep in it");
    std::string out;
    while (at_ < text_.size() && !(depth > 0 && Look() == '}')) {
      if (Look() == '$' && Look(1) == '{') {
        LOCKSTEP_TRY(const std::string value, ReadBraces(needed, depth));
        LOCKSTEP_TRYV(Append(out, value, needed));
      } else if (Look() == '$' && IsNameStart(Look(1))) {
        ++at_;
        LOCKSTEP_TRY(const std::string value, ValueOf(ReadName(), needed));
        LOCKSTEP_TRYV(Append(out, value, needed));
      } else {
        if (Look() == '$' && Look(1) == '$') ++at_;
        const std::size_t begin = at_;
        at_ = std::min(text_.find_first_of("$}", at_ + 1), text_.size());
        LOCKSTEP_TRYV(Append(out, text_.substr(begin, at_ - begin), needed));
      }
    }
    return out;
  }

  Result<void> Append(std::string& out, std::string_view part, Needed needed) {
    if (needed == Needed::kNo) return Ok();
    written_bytes_ += part.size();
    if (written_bytes_ > kMostBytes) {
      return Wrong("with its variables replaced the file is larger than " +
                       std::to_string(kMostBytes >> 20) + " MiB",
                   "look for a variable with a long value");
    }
    out += part;
    return Ok();
  }

  std::string_view ReadName() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && IsNamePart(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  Result<std::string> ValueOf(std::string_view name, Needed needed) {
    const std::string* value = variables_.Find(name);
    if (needed == Needed::kNo) return std::string();
    if (value == nullptr) {
      unset_.emplace(name, place_.ToString());
      return std::string();
    }
    if (!IsUtf8(*value)) return Wrong("the value of `" + std::string(name) + "` is not UTF-8");
    return *value;
  }

  // From "${" to behind the brace that closes it.
  Result<std::string> ReadBraces(Needed needed, int depth) {
    const std::size_t begin = at_;
    at_ += 2;
    const std::string_view name = IsNameStart(Look()) ? ReadName() : std::string_view();
    if (name.empty()) return WrongBraces(begin);
    if (Look() == '}') {
      ++at_;
      return ValueOf(name, needed);
    }
    const bool empty_counts = Look() == ':';
    if (empty_counts) ++at_;
    const char rule = Look();
    if (rule != '-' && rule != '?' && rule != '+') return WrongBraces(begin);
    ++at_;
    const std::string* value = variables_.Find(name);
    const bool has = value != nullptr && !(empty_counts && value->empty());
    const bool takes_word = rule == '+' ? has : !has;
    const Needed word_needed = takes_word ? needed : Needed::kNo;
    LOCKSTEP_TRY(std::string word, ReadText(word_needed, depth + 1));
    if (Look() != '}') return NotClosed(begin);
    ++at_;
    if (rule == '?' && word_needed == Needed::kYes) return Missing(name, value, word);
    if (takes_word) return word;
    return rule == '+' ? std::string() : ValueOf(name, needed);
  }

  Error Missing(std::string_view name, const std::string* value, const std::string& word) const {
    std::string message = '`' + std::string(name) + '`';
    message += value == nullptr ? " is not set" : " is empty";
    if (!word.empty()) message += ": " + word;
    return Wrong(std::move(message), "set it in the environment or in an env file");
  }

  // The beginning of what is wrong, for a message.
  std::string Shown(std::size_t begin, std::size_t end) const {
    constexpr std::size_t kMost = 40;
    std::size_t length = 0;
    while (begin + length < end && length < kMost) {
      length += std::max<std::size_t>(1, Utf8CharacterLength(text_.substr(begin + length)));
    }
    return '`' + std::string(text_.substr(begin, length)) + '`';
  }

  Error NotClosed(std::size_t begin) const {
    return Wrong(Shown(begin, text_.size()) + " has no brace that closes it");
  }

  Error WrongBraces(std::size_t begin) const {
    const std::size_t brace = text_.find('}', begin);
    if (brace == std::string_view::npos) return NotClosed(begin);
    return Wrong(Shown(begin, brace + 1) + " is no variable");
  }

  std::string_view text_;
  const Variables& variables_;
  const Place& place_;
  std::map<std::string, std::string>& unset_;
  std::size_t& written_bytes_;
  std::size_t at_ = 0;
};

}  // namespace

const std::string* Variables::Find(std::string_view name) const {
  if (before != nullptr) {
    if (const std::string* value = before->Find(name)) return value;
  }
  const auto found = own.find(name);
  return found == own.end() ? nullptr : &found->second;
}

Result<std::string> Interpolation::Replace(std::string_view text, const Variables& variables,
                                           const Place& place) {
  return Reader(text, variables, place, unset_, written_bytes_).ReadAll();
}

Result<Value> Interpolation::ReplaceIn(const Value& value, const Variables& variables,
                                       const Place& place) {
  if (const std::string* text = value.AsString()) {
    if (text->find('$') == std::string::npos) return value;
    LOCKSTEP_TRY(std::string replaced, Replace(*text, variables, place));
    return Value(std::move(replaced));
  }
  if (const Value::List* list = value.AsList()) {
    Value::List replaced;
    replaced.reserve(list->size());
    for (const Value& item : *list) {
      const std::string index = std::to_string(replaced.size());
      LOCKSTEP_TRY(Value part, ReplaceIn(item, variables, {&place, index}));
      replaced.push_back(std::move(part));
    }
    return Value(std::move(replaced));
  }
  if (const Value::Map* map = value.AsMap()) {
    Value::Map replaced;
    replaced.reserve(map->size());
    for (const auto& [key, member] : *map) {
      LOCKSTEP_TRY(Value part, ReplaceIn(member, variables, {&place, key}));
      replaced.push_back({key, std::move(part)});
    }
    return Value(std::move(replaced));
  }
  return value;
}

}  // namespace lockstep
