#include <algorithm>
#include <array>
#include <utility>

#include "service_field_kinds.h"

namespace lockstep::fields {
namespace {

constexpr std::string_view kNoBinds =
    " mounts a path of the host; bind mounts are not allowed: "
    "use a named volume";

bool HasDrive(std::string_view text) {
  return text.size() > 2 && text[1] == ':' && (text[2] == '\\' || text[2] == '/') &&
         text.find(":/", 2) != std::string_view::npos;
}

// As Compose tells a path from a volume's name.
bool IsHostPath(std::string_view source) {
  return source.starts_with('.') || source.starts_with('~') ||
         source.find_first_of("/\\") != std::string_view::npos;
}

// Absolute and without "//", "." and "..", as the engine reports it; empty where it is no path, or
// is the root, which nothing can be mounted on.
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
  return clean;
}

Result<Value> Target(const Value& raw) {
  LOCKSTEP_TRY(const std::string text, TextOf(raw));
  std::string clean = CleanPath(text);
  if (clean.empty()) return WrongValue(raw, "path in a container; write one such as /var/data");
  return Value(std::move(clean));
}

Result<Value> Source(const Value& raw) {
  LOCKSTEP_TRY(std::string text, TextOf(raw));
  if (!text.empty() && IsHostPath(text)) return Invalid(Show(raw) + std::string(kNoBinds));
  if (!text.empty() && !IsName(text)) {
    return WrongValue(raw, "name of a volume; use letters, digits, \"_\", \".\" and \"-\"");
  }
  return Value(std::move(text));
}

// A number only: as text it could be octal or decimal.
Result<Value> Mode(const Value& raw) {
  const auto* mode = raw.AsInt();
  if (mode == nullptr || *mode < 0 || *mode > 07777) {
    return WrongValue(raw, "mode; write permission bits as a number, such as 0o1777");
  }
  return raw;
}

Result<Value> VolumeOptions(const Value& raw) {
  constexpr std::array kRules = {MemberRule{"nocopy", Bool}};
  LOCKSTEP_TRY(Value::Map map, Members(raw, kRules));
  return Value(std::move(map));
}

Result<Value> TmpfsOptions(const Value& raw) {
  constexpr std::array kRules = {MemberRule{"size", Bytes}, MemberRule{"mode", Mode}};
  LOCKSTEP_TRY(Value::Map map, Members(raw, kRules));
  return Value(std::move(map));
}

Result<Value> LongVolume(const Value& raw) {
  constexpr std::array kRules = {
      MemberRule{"type", Text},
      MemberRule{"source", Source},
      MemberRule{"target", Target},
      MemberRule{"read_only", Bool},
      MemberRule{"volume", VolumeOptions},
      MemberRule{"tmpfs", TmpfsOptions},
  };
  const Value* type = raw.Find("type");
  if (type != nullptr && *type == Value("bind")) return Invalid(Show(raw) + std::string(kNoBinds));
  LOCKSTEP_TRY(Value::Map map, Members(raw, kRules));
  const bool is_tmpfs = type != nullptr && *type == Value("tmpfs");
  if (!is_tmpfs && (type == nullptr || *type != Value("volume"))) {
    return WrongValue(type == nullptr ? raw : *type, "type of a volume; write volume or tmpfs");
  }
  Value::Map result;
  for (auto& [key, value] : map) {
    if (key == (is_tmpfs ? "volume" : "tmpfs") || (is_tmpfs && key == "source")) {
      return Invalid(Show(key) + " does not go with type " + *type->AsString());
    }
    if (const Value::Map* options = value.AsMap()) {
      result.insert(result.end(), options->begin(), options->end());
    } else {
      result.push_back({key, std::move(value)});
    }
  }
  Value volume(std::move(result));
  if (volume.Find("target") == nullptr) {
    return Invalid(Show(raw) + " has no target; write target: /path/in/container");
  }
  return volume;
}

// "target", "source:target" or "source:target:option,option".
Result<Value> ShortVolume(const Value& raw) {
  LOCKSTEP_TRY(const std::string text, TextOf(raw));
  const Error wrong = WrongValue(raw, "volume; write name:/path[:ro]");
  const std::size_t first = text.find(':');
  if (first == std::string::npos) {
    std::string target = CleanPath(text);
    if (target.empty()) return wrong;
    return Value(Value::Map{{"target", std::move(target)}, {"type", "volume"}});
  }
  if (HasDrive(text) || IsHostPath(text.substr(0, first))) {
    return Invalid(Show(raw) + std::string(kNoBinds));
  }
  const std::size_t second = text.find(':', first + 1);
  LOCKSTEP_TRY(Value source, Source(text.substr(0, first)));
  std::string target = CleanPath(std::string_view(text).substr(first + 1, second - first - 1));
  if (first == 0 || target.empty()) return wrong;
  Value::Map volume{
      {"source", std::move(source)}, {"target", std::move(target)}, {"type", "volume"}};
  std::string_view options =
      second == std::string::npos ? std::string_view() : std::string_view(text).substr(second + 1);
  while (!options.empty()) {
    const std::size_t end = std::min(options.find(','), options.size());
    const std::string_view option = options.substr(0, end);
    options.remove_prefix(std::min(end + 1, options.size()));
    if (option == "ro") {
      volume.push_back({"read_only", true});
    } else if (option == "nocopy") {
      volume.push_back({"nocopy", true});
    } else if (option != "rw") {
      return WrongValue(option, "option of a volume; allowed are ro, rw and nocopy");
    }
  }
  return Value(std::move(volume));
}

Value VolumeText(const Value& canonical) {
  const Value* type = canonical.Find("type");
  const Value* source = canonical.Find("source");
  const Value* target = canonical.Find("target");
  const Value* read_only = canonical.Find("read_only");
  if (type == nullptr || target == nullptr || target->AsString() == nullptr) return canonical;
  const bool plain = canonical.AsMap()->size() == (read_only != nullptr ? 4U : 3U);
  if (plain && *type == Value("volume") && source != nullptr && source->AsString() != nullptr &&
      target->AsString()->find(':') == std::string::npos) {
    return *source->AsString() + ':' + *target->AsString() + (read_only != nullptr ? ":ro" : "");
  }
  Value::Map result;
  Value::Map options;
  for (const auto& [key, value] : *canonical.AsMap()) {
    const bool is_option = key == "nocopy" || key == "size" || key == "mode";
    (is_option ? options : result).push_back({key, value});
  }
  if (!options.empty()) {
    result.push_back({*type == Value("tmpfs") ? "tmpfs" : "volume", std::move(options)});
  }
  return result;
}

}  // namespace

Result<Value> Volumes(const Value& raw) {
  const Value::List* items = raw.AsList();
  if (items == nullptr) return WrongValue(raw, "list of volumes");
  Value::List list;
  for (const Value& item : *items) {
    LOCKSTEP_TRY(Value volume, item.AsMap() != nullptr ? LongVolume(item) : ShortVolume(item));
    list.push_back(std::move(volume));
  }
  SortUnique(list);
  std::vector<std::string_view> targets;
  for (const Value& volume : list) targets.push_back(*volume.Find("target")->AsString());
  std::sort(targets.begin(), targets.end());
  if (const auto twice = std::adjacent_find(targets.begin(), targets.end());
      twice != targets.end()) {
    return Invalid("two volumes are mounted at " + Show(*twice) + "; leave one out");
  }
  return Value(std::move(list));
}

Value VolumesText(const Value& canonical) {
  const Value::List* items = canonical.AsList();
  if (items == nullptr) return canonical;
  Value::List list;
  list.reserve(items->size());
  for (const Value& item : *items) list.push_back(VolumeText(item));
  return list;
}

}  // namespace lockstep::fields
