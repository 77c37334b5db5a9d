#include <algorithm>
#include <array>
#include <utility>

#include "lockstep/service_field.h"
#include "service_field_kinds.h"

namespace lockstep::fields {
namespace {

Result<std::vector<std::string>> NonEmptyTextsOf(const Value& raw) {
  LOCKSTEP_TRY(std::vector<std::string> texts, TextsOf(raw));
  for (const std::string& text : texts) {
    if (text.empty()) return Invalid("an entry is empty; leave it out");
  }
  return texts;
}

Result<std::string> MappedTextOf(const Value& raw) {
  if (raw.is_null()) return std::string();
  if (const bool* flag = raw.AsBool()) return std::string(*flag ? "true" : "false");
  return TextOf(raw);
}

Result<std::string> Host(const std::string& text, std::size_t separator) {
  constexpr std::string_view kAllowed = "host entry; write host:ip";
  const std::string host = text.substr(0, separator);
  std::string ip = text.substr(separator + 1);
  if (ip.size() > 2 && ip.front() == '[' && ip.back() == ']') ip = ip.substr(1, ip.size() - 2);
  // "host-gateway" is the engine's word for its own address.
  if (!IsName(host) || (!IsIpv4(ip) && !IsIpv6(ip) && ip != "host-gateway")) {
    return WrongValue(text, kAllowed);
  }
  return host + ':' + Lower(std::move(ip));
}

Result<std::string> Device(const std::string& source, const std::string& target,
                           const std::string& permissions, const Value& raw) {
  const std::string sorted = Permissions(permissions);
  if (source.empty() || source.front() != '/' || target.empty() || target.front() != '/' ||
      source.find(':') != std::string::npos || target.find(':') != std::string::npos ||
      sorted.empty()) {
    return WrongValue(raw, "device; write /host/path[:/container/path[:rwm]]");
  }
  return source + ':' + target + ':' + sorted;
}

Result<std::string> ShortDevice(const Value& raw) {
  LOCKSTEP_TRY(const std::string text, TextOf(raw));
  const std::size_t first = text.find(':');
  const std::string source = text.substr(0, first);
  if (first == std::string::npos) return Device(source, source, "rwm", raw);
  const std::size_t second = text.find(':', first + 1);
  const std::string target = text.substr(first + 1, second - first - 1);
  if (second != std::string::npos) return Device(source, target, text.substr(second + 1), raw);
  // "host:rwm": the second part may be the permissions already.
  if (!target.empty() && target.front() != '/') return Device(source, source, target, raw);
  return Device(source, target, "rwm", raw);
}

Result<std::string> LongDevice(const Value& raw) {
  constexpr std::array kRules = {MemberRule{"source", Text}, MemberRule{"target", Text},
                                 MemberRule{"permissions", Text}};
  LOCKSTEP_TRY(Value::Map map, Members(raw, kRules));
  const Value members(std::move(map));
  const auto text_or = [&members](std::string_view key, std::string other) {
    const Value* value = members.Find(key);
    return value == nullptr ? other : *value->AsString();
  };
  const std::string source = text_or("source", "");
  return Device(source, text_or("target", source), text_or("permissions", "rwm"), raw);
}

constexpr std::array kUlimitRules = {MemberRule{"soft", Integer}, MemberRule{"hard", Integer}};

Result<Value> Ulimit(const Value& raw) {
  constexpr std::string_view kAllowed =
      "limit; write a number (-1: unlimited) or {soft: n, hard: n} with soft not above hard";
  std::int64_t soft = 0;
  std::int64_t hard = 0;
  if (raw.AsMap() != nullptr) {
    LOCKSTEP_TRYV(Members(raw, kUlimitRules));
    const Value* raw_soft = raw.Find("soft");
    const Value* raw_hard = raw.Find("hard");
    if (raw_soft == nullptr || raw_hard == nullptr) return WrongValue(raw, kAllowed);
    LOCKSTEP_TRY(soft, IntOf(*raw_soft));
    LOCKSTEP_TRY(hard, IntOf(*raw_hard));
  } else {
    LOCKSTEP_TRY(soft, IntOf(raw));
    hard = soft;
  }
  const bool soft_above_hard = hard != -1 && (soft == -1 || soft > hard);
  if (soft < -1 || hard < -1 || soft_above_hard) return WrongValue(raw, kAllowed);
  return Value(Value::Map{{"hard", hard}, {"soft", soft}});
}

}  // namespace

Result<Value> Command(const Value& raw) {
  if (raw.AsString() != nullptr) {
    LOCKSTEP_TRY(const std::string text, TextOf(raw));
    LOCKSTEP_TRY(std::vector<std::string> words, SplitCommand(text));
    return ListOf(std::move(words));
  }
  if (raw.AsList() == nullptr) return WrongValue(raw, "command; write text or a list of texts");
  return Sequence(raw);
}

Result<Value> Sequence(const Value& raw) {
  LOCKSTEP_TRY(std::vector<std::string> texts, TextsOf(raw));
  return ListOf(std::move(texts));
}

Result<Value> Set(const Value& raw) {
  LOCKSTEP_TRY(std::vector<std::string> texts, NonEmptyTextsOf(raw));
  Value::List list(texts.begin(), texts.end());
  SortUnique(list);
  return Value(std::move(list));
}

Result<Value> Tmpfs(const Value& raw) {
  LOCKSTEP_TRY(const std::vector<std::string> texts, TextsOf(raw));
  Value::List list;
  for (const std::string& text : texts) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    const std::string path = CleanPath(std::string_view(text).substr(0, colon));
    if (path.empty() || path == "/") {
      return WrongValue(text, "path in a container; write one such as /run[:size=64m,mode=755]");
    }
    const std::string options = text.substr(std::min(colon + 1, text.size()));
    list.emplace_back(options.empty() ? path : path + ':' + options);
  }
  SortUnique(list);
  std::vector<std::string_view> paths;
  for (const Value& entry : list) {
    const std::string_view text = *entry.AsString();
    paths.push_back(text.substr(0, text.find(':')));
  }
  LOCKSTEP_TRYV(EachOnce(std::move(paths)));
  return Value(std::move(list));
}

Result<Value> Mapping(const Value& raw) {
  Value::Map result;
  if (const Value::Map* map = raw.AsMap()) {
    for (const auto& [key, value] : *map) {
      LOCKSTEP_TRYV(TextOf(key));
      LOCKSTEP_TRY(std::string text, MappedTextOf(value));
      result.push_back({key, std::move(text)});
    }
  } else if (raw.AsList() != nullptr) {
    LOCKSTEP_TRY(const std::vector<std::string> texts, TextsOf(raw));
    for (const std::string& text : texts) {
      const std::size_t equals = text.find('=');
      result.push_back({text.substr(0, equals),
                        equals == std::string::npos ? std::string() : text.substr(equals + 1)});
    }
  } else {
    return WrongValue(raw, R"(mapping; write a map, or a list of "key=value")");
  }
  Value mapping(std::move(result));
  if (mapping.Find("") != nullptr) return Invalid("a key is empty; write key=value");
  return mapping;
}

Result<Value> ExtraHosts(const Value& raw) {
  Value::List list;
  if (const Value::Map* map = raw.AsMap()) {
    for (const auto& [host, ips] : *map) {
      LOCKSTEP_TRYV(TextOf(host));
      LOCKSTEP_TRY(const std::vector<std::string> texts, TextsOf(ips));
      for (const std::string& ip : texts) {
        std::string entry = host;
        entry += '=';
        entry += ip;
        LOCKSTEP_TRY(std::string normal, Host(entry, host.size()));
        list.emplace_back(std::move(normal));
      }
    }
  } else {
    LOCKSTEP_TRY(const std::vector<std::string> texts, TextsOf(raw));
    for (const std::string& text : texts) {
      const std::size_t separator = text.find_first_of(":=");
      if (separator == std::string::npos) return WrongValue(text, "host entry; write host:ip");
      LOCKSTEP_TRY(std::string normal, Host(text, separator));
      list.emplace_back(std::move(normal));
    }
  }
  SortUnique(list);
  return Value(std::move(list));
}

Result<Value> Devices(const Value& raw) {
  const Value::List* items = raw.AsList();
  if (items == nullptr) return WrongValue(raw, "list of devices");
  Value::List list;
  for (const Value& item : *items) {
    LOCKSTEP_TRY(std::string device,
                 item.AsMap() != nullptr ? LongDevice(item) : ShortDevice(item));
    list.emplace_back(std::move(device));
  }
  SortUnique(list);
  return Value(std::move(list));
}

Result<Value> Ulimits(const Value& raw) {
  const Value::Map* map = raw.AsMap();
  if (map == nullptr) return WrongValue(raw, "map of limits, such as nofile: 1024");
  Value::Map result;
  for (const auto& [name, value] : *map) {
    if (name.empty() || name.find_first_not_of("abcdefghijklmnopqrstuvwxyz") != std::string::npos) {
      return WrongValue(name, "name of a limit; write such as nofile or nproc");
    }
    LOCKSTEP_TRY(Value limit, Ulimit(value));
    result.push_back({name, std::move(limit)});
  }
  return Value(std::move(result));
}

Result<Value> Logging(const Value& raw) {
  constexpr std::array kRules = {MemberRule{"driver", Text}, MemberRule{"options", Mapping}};
  LOCKSTEP_TRY(Value::Map map, Members(raw, kRules));
  return Value(std::move(map));
}

}  // namespace lockstep::fields
