#include <algorithm>
#include <array>
#include <utility>

#include "lockstep/service_field.h"
#include "service_field_kinds.h"

namespace lockstep::fields {
namespace {

// Names another's namespace: "service:web", "container:0a1b".
bool IsAnothers(std::string_view mode) {
  for (const std::string_view prefix : {"service:", "container:"}) {
    if (mode.starts_with(prefix)) return IsName(mode.substr(prefix.size()));
  }
  return false;
}

// One of `words`, or another's; `none` for an empty text.
Result<Value> Mode(const Value& raw, std::initializer_list<std::string_view> words,
                   std::string_view none, std::string_view allowed) {
  LOCKSTEP_TRY(std::string text, TextOf(raw));
  if (text.empty()) return Value(none);
  const bool known = std::find(words.begin(), words.end(), text) != words.end();
  if (!known && !IsAnothers(text)) return WrongValue(raw, allowed);
  return Value(std::move(text));
}

bool IsHexDigit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

Result<Value> Path(const Value& raw) {
  LOCKSTEP_TRY(const std::string text, TextOf(raw));
  if (text.empty()) return Value("");
  std::string clean = CleanPath(text);
  if (clean.empty()) return WrongValue(raw, "absolute path; write one such as /srv");
  return Value(std::move(clean));
}

Result<Value> MacAddress(const Value& raw) {
  constexpr std::size_t kLength = 17;
  LOCKSTEP_TRY(std::string text, TextOf(raw));
  if (text.empty()) return Value("");
  text = Lower(std::move(text));
  std::replace(text.begin(), text.end(), '-', ':');
  bool right = text.size() == kLength;
  for (std::size_t i = 0; right && i < kLength; ++i) {
    right = i % 3 == 2 ? text[i] == ':' : IsHexDigit(text[i]);
  }
  if (!right) return WrongValue(raw, "MAC address; write six pairs, such as 02:42:ac:11:65:43");
  return Value(std::move(text));
}

Result<Value> Signal(const Value& raw) {
  constexpr std::string_view kDigits = "0123456789";
  constexpr std::size_t kLongest = 16;
  LOCKSTEP_TRY(std::string text, TextOf(raw));
  if (text.empty()) return Value("");
  text = Upper(std::move(text));
  const bool number = text.find_first_not_of(kDigits) == std::string::npos;
  if (!number && !text.starts_with("SIG")) text.insert(0, "SIG");
  if (text.size() > kLongest ||
      text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-") != std::string::npos) {
    return WrongValue(raw, "signal; write such as SIGINT or 2");
  }
  return Value(std::move(text));
}

Result<Value> NetworkMode(const Value& raw) {
  LOCKSTEP_TRY(std::string text, TextOf(raw));
  if (!text.empty() && !IsName(text) && !IsAnothers(text)) {
    return WrongValue(raw,
                      "network mode; write host, none, bridge, the name of a network, "
                      "service:<name> or container:<name or id>");
  }
  return Value(std::move(text));
}

Result<Value> PidMode(const Value& raw) {
  return Mode(raw, {"host"}, "", "pid mode; write host, service:<name> or container:<name or id>");
}

Result<Value> IpcMode(const Value& raw) {
  return Mode(raw, {"private", "shareable", "host", "none"}, "private",
              "ipc mode; write private, shareable, host, none, service:<name> or "
              "container:<name or id>");
}

Result<Value> UtsMode(const Value& raw) {
  LOCKSTEP_TRY(std::string text, TextOf(raw));
  if (!text.empty() && text != "host") return WrongValue(raw, "uts mode; write host");
  return Value(std::move(text));
}

Result<Value> PullPolicy(const Value& raw) {
  const std::string* text = raw.AsString();
  const std::string_view policy = text == nullptr ? std::string_view() : *text;
  if (policy == "always" || policy == "never" || policy == "missing") return raw;
  if (policy == "if_not_present") return Value("missing");
  if (policy == "build") return Invalid("\"build\" builds an image; name one that is built");
  if (policy == "daily" || policy == "weekly" || policy.starts_with("every_")) {
    return Invalid(Show(raw) +
                   " needs the time of the last pull, which is not kept; write always, never or "
                   "missing");
  }
  return WrongValue(raw, "pull policy; write missing, always or never");
}

Result<Value> Capabilities(const Value& raw) {
  constexpr std::string_view kPrefix = "CAP_";
  LOCKSTEP_TRY(std::vector<std::string> names, TextsOf(raw));
  Value::List list;
  for (std::string& given : names) {
    std::string name = Upper(given);
    if (name.starts_with(kPrefix)) name.erase(0, kPrefix.size());
    const bool right =
        !name.empty() &&
        name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == std::string::npos;
    if (!right) return WrongValue(given, "capability; write such as NET_ADMIN or ALL");
    list.emplace_back(std::move(name));
  }
  SortUnique(list);
  return Value(std::move(list));
}

}  // namespace lockstep::fields
