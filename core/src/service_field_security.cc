#include <algorithm>
#include <array>
#include <utility>

#include "service_field_kinds.h"

namespace lockstep::fields {
namespace {

// "5" or "*".
bool IsDeviceNumber(std::string_view text) {
  constexpr std::size_t kMostDigits = 10;
  return text == "*" || (!text.empty() && text.size() <= kMostDigits &&
                         text.find_first_not_of("0123456789") == std::string_view::npos);
}

// "c 1:3 mr" -> "c 1:3 rm"
Result<std::string> DeviceRule(const std::string& text) {
  constexpr std::string_view kAllowed =
      "device rule; write <a, b or c> <major>:<minor> <rwm>, such as c 1:3 mr";
  const std::size_t first = text.find(' ');
  const std::size_t second = first == std::string::npos ? first : text.find(' ', first + 1);
  const std::size_t colon = text.find(':');
  if (first != 1 || second == std::string::npos || colon == std::string::npos || colon > second ||
      std::string_view("abc").find(text.front()) == std::string_view::npos) {
    return WrongValue(text, kAllowed);
  }
  const std::string_view view = text;
  const std::string permissions = Permissions(view.substr(second + 1));
  if (!IsDeviceNumber(view.substr(first + 1, colon - first - 1)) ||
      !IsDeviceNumber(view.substr(colon + 1, second - colon - 1)) || permissions.empty()) {
    return WrongValue(text, kAllowed);
  }
  return text.substr(0, second + 1) + permissions;
}

// "label:disable" -> "label=disable"; a profile may have either sign in it.
Result<std::string> SecurityOption(std::string text) {
  constexpr std::string_view kNoNewPrivileges = "no-new-privileges";
  const std::size_t sign = text.find_first_of("=:");
  if (text.empty() || sign == 0) return WrongValue(text, "security option; write name=value");
  if (sign != std::string::npos) text[sign] = '=';
  if (text == std::string(kNoNewPrivileges) + "=true") text = kNoNewPrivileges;
  return text;
}

}  // namespace

std::string Permissions(std::string_view text) {
  std::string sorted;
  for (const char c : {'r', 'w', 'm'}) {
    if (text.find(c) != std::string_view::npos) sorted += c;
  }
  if (sorted.size() != text.size()) sorted.clear();  // Another letter, or one twice.
  return sorted;
}

Result<Value> DeviceRules(const Value& raw) {
  LOCKSTEP_TRY(const std::vector<std::string> texts, TextsOf(raw));
  Value::List list;
  for (const std::string& text : texts) {
    LOCKSTEP_TRY(std::string rule, DeviceRule(text));
    list.emplace_back(std::move(rule));
  }
  SortUnique(list);
  return Value(std::move(list));
}

Result<Value> Security(const Value& raw) {
  LOCKSTEP_TRY(std::vector<std::string> texts, TextsOf(raw));
  Value::List list;
  for (std::string& text : texts) {
    LOCKSTEP_TRY(std::string option, SecurityOption(std::move(text)));
    list.emplace_back(std::move(option));
  }
  SortUnique(list);
  return Value(std::move(list));
}

}  // namespace lockstep::fields
