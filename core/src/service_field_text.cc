#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "service_field_kinds.h"

namespace lockstep::fields {
namespace {

// What Linux allows for one argument or variable of a process; nothing else needs to be longer.
constexpr std::size_t kLongestText = 128 * 1024;
constexpr std::size_t kLongestName = 255;
constexpr std::size_t kShown = 60;

// Whole numbers beyond this are not exact in a double.
constexpr double kExactDouble = 9007199254740992.0;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlphanumeric(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool IsContinuationByte(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::string Cut(std::string_view text) {
  if (text.size() <= kShown) return std::string(text);
  std::size_t end = kShown;
  while (end > 0 && IsContinuationByte(text[end])) --end;
  return std::string(text.substr(0, end)) + "...";
}

bool IsEmptyValue(const Value& value) {
  if (const bool* flag = value.AsBool()) return !*flag;
  if (const auto* number = value.AsInt()) return *number == 0;
  if (const std::string* text = value.AsString()) return text->empty();
  if (const Value::List* list = value.AsList()) return list->empty();
  if (const Value::Map* map = value.AsMap()) return map->empty();
  return value.is_null();
}

std::string NamesOf(std::span<const MemberRule> rules) {
  std::string names;
  for (const MemberRule& rule : rules) {
    if (!rule.allowed) continue;
    if (!names.empty()) names += ", ";
    names += rule.name;
  }
  return names;
}

std::optional<std::int64_t> DecimalInt(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Error Invalid(std::string message) {
  return MakeError(ErrorCode::kInvalidInput, std::move(message));
}

std::string Show(const Value& value) {
  const std::string* text = value.AsString();
  return text != nullptr ? '"' + Cut(*text) + '"' : Cut(ToText(value, kShown));
}

Error WrongValue(const Value& value, std::string_view allowed) {
  return Invalid(Show(value) + " is no " + std::string(allowed));
}

Result<std::string> TextOf(const Value& raw) {
  if (const std::string* text = raw.AsString()) {
    if (text->find('\0') != std::string::npos) return Invalid(Show(raw) + " has a NUL byte in it");
    if (text->size() > kLongestText) {
      return Invalid(Show(raw) + " is " + std::to_string(text->size()) +
                     " bytes long; at most 128 KiB are allowed");
    }
    return *text;
  }
  if (const auto* number = raw.AsInt()) return std::to_string(*number);
  if (const double* number = raw.AsDouble(); number != nullptr && std::isfinite(*number)) {
    return ToText(raw);
  }
  return WrongValue(raw, "text; write it in quotes");
}

Result<std::vector<std::string>> TextsOf(const Value& raw) {
  std::vector<std::string> texts;
  if (const Value::List* list = raw.AsList()) {
    texts.reserve(list->size());
    for (const Value& item : *list) {
      LOCKSTEP_TRY(std::string text, TextOf(item));
      texts.push_back(std::move(text));
    }
    return texts;
  }
  if (raw.AsMap() != nullptr || raw.is_null() || raw.AsBool() != nullptr) {
    return WrongValue(raw, "list of texts");
  }
  LOCKSTEP_TRY(std::string text, TextOf(raw));
  texts.push_back(std::move(text));
  return texts;
}

Result<std::int64_t> IntOf(const Value& raw) {
  if (const auto* whole = raw.AsInt()) return *whole;
  if (const double* number = raw.AsDouble()) {
    if (std::abs(*number) <= kExactDouble && std::trunc(*number) == *number) {
      return static_cast<std::int64_t>(*number);
    }
  } else if (const std::string* text = raw.AsString()) {
    if (const auto decimal = DecimalInt(*text)) return *decimal;
  }
  return WrongValue(raw, "whole number");
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && IsAlphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsAlphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

bool IsIpv4(std::string_view text) {
  for (int part = 0; part < 4; ++part) {
    const std::size_t dot = text.find('.');
    const std::string_view digits = text.substr(0, dot);
    if (digits.empty() || digits.size() > 3 || !std::all_of(digits.begin(), digits.end(), IsDigit))
      return false;
    if (digits.size() == 3 && digits > "255") return false;
    if ((dot == std::string_view::npos) != (part == 3)) return false;
    text.remove_prefix(part == 3 ? text.size() : dot + 1);
  }
  return text.empty();
}

bool IsIpv6(std::string_view text) {
  return text.size() <= 45 && std::count(text.begin(), text.end(), ':') >= 2 &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
                  c == '.';
         });
}

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::string Upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::string CleanPath(std::string_view path) {
  if (!path.starts_with('/')) return {};
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string clean;
  for (const std::string_view part : parts) {
    clean += '/';
    clean += part;
  }
  return clean.empty() ? "/" : clean;
}

std::optional<std::int64_t> Scaled(std::string_view number, std::int64_t unit) {
  __extension__ using Wide = __int128;
  constexpr std::size_t kMostDigits = 18;  // So that no product below overflows.
  const std::size_t point = number.find('.');
  const std::string_view whole = number.substr(0, point);
  std::string_view part = point == std::string_view::npos ? "" : number.substr(point + 1);
  part = part.substr(0, kMostDigits);
  if (whole.empty() && part.empty()) return std::nullopt;
  if (!std::all_of(number.begin(), number.end(), [](char c) { return IsDigit(c) || c == '.'; }) ||
      std::count(number.begin(), number.end(), '.') > 1) {
    return std::nullopt;
  }
  Wide value = 0;
  for (const char c : whole) {
    value = value * 10 + (c - '0');
    if (value > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  }
  Wide fraction = 0;
  Wide scale = 1;
  for (const char c : part) {
    fraction = fraction * 10 + (c - '0');
    scale *= 10;
  }
  value = value * unit + (fraction * unit + scale / 2) / scale;
  if (value > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

Result<void> EachOnce(std::vector<std::string_view> paths) {
  std::sort(paths.begin(), paths.end());
  const auto twice = std::adjacent_find(paths.begin(), paths.end());
  if (twice == paths.end()) return Ok();
  return Invalid("two volumes are mounted at " + Show(*twice) + "; leave one out");
}

Result<Value> Unsupported(const Value& raw) {
  return Invalid(Show(raw) + " is not supported; leave it out");
}

void SortUnique(Value::List& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

Value ListOf(std::vector<std::string> texts) {
  Value::List list;
  list.reserve(texts.size());
  for (std::string& text : texts) list.emplace_back(std::move(text));
  return list;
}

Result<Value::Map> Members(const Value& raw, std::span<const MemberRule> rules) {
  const Value::Map* members = raw.AsMap();
  if (members == nullptr) return WrongValue(raw, "map of " + NamesOf(rules));
  Value::Map result;
  for (const auto& [key, value] : *members) {
    if (key.starts_with("x-")) continue;
    const auto rule = std::find_if(rules.begin(), rules.end(),
                                   [&k = key](const MemberRule& r) { return r.name == k; });
    if (rule == rules.end()) {
      return Invalid(Show(key) + " is not known here; allowed are " + NamesOf(rules));
    }
    if (value.is_null()) continue;
    auto normal = rule->normalize(value);
    if (!normal) {
      Error error = std::move(normal).assume_error();
      error.message = key + ": " + error.message;
      return error;
    }
    if (!IsEmptyValue(normal.assume_value())) {
      result.push_back({key, std::move(normal).assume_value()});
    }
  }
  return result;
}

}  // namespace lockstep::fields
