#include <algorithm>
#include <array>
#include <utility>

#include "lockstep/service_field.h"
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

// Where something is mounted in a container: empty where nothing can be.
std::string TargetPath(std::string_view path) {
  std::string clean = CleanPath(path);
  return clean == "/" ? std::string() : clean;
}

Result<Value> Target(const Value& raw) {
  LOCKSTEP_TRY(const std::string text, TextOf(raw));
  std::string clean = TargetPath(text);
  if (clean.empty()) return WrongValue(raw, "path in a container; write one such as /var/data");
  return Value(std::move(clean));
}

Result<Value> VolumeName(const std::string& text) {
  if (!text.empty() && !IsName(text)) {
    return WrongValue(text, "name of a volume; use letters, digits, \"_\", \".\" and \"-\"");
  }
  return Value(text);
}

// `raw` is the mount it is from, for the message.
Result<Value> HostPath(std::string_view path, const Value& raw) {
  std::string clean = CleanPath(path);
  if (clean.empty()) {
    return Invalid(Show(raw) +
                   " mounts a path that is relative or of another home; write an absolute path of "
                   "the host");
  }
  return Value(std::move(clean));
}

// A number only: as text it could be octal or decimal.
Result<Value> Mode(const Value& raw) {
  const auto* mode = raw.AsInt();
  if (mode == nullptr || *mode < 0 || *mode > 07777) {
    return WrongValue(raw, "mode; write permission bits as a number, such as 0o1777");
  }
  return raw;
}

// One word of the short form, and the member that it says. Another member than a flag holds the
// word itself.
struct Option {
  std::string_view word;
  std::string_view member;
  bool flag;
  bool of_volume;
  bool of_bind;
};

constexpr std::array kOptions = {
    Option{"rw", "", true, true, true},
    Option{"ro", "read_only", true, true, true},
    Option{"nocopy", "nocopy", true, true, false},
    Option{"z", "selinux", false, false, true},
    Option{"Z", "selinux", false, false, true},
    Option{"shared", "propagation", false, false, true},
    Option{"rshared", "propagation", false, false, true},
    Option{"slave", "propagation", false, false, true},
    Option{"rslave", "propagation", false, false, true},
    Option{"private", "propagation", false, false, true},
    Option{"rprivate", "propagation", false, false, true},
};

// The word must be one of those that say `member`.
Result<Value> WordOf(std::string_view member, const Value& raw, std::string_view allowed) {
  for (const Option& option : kOptions) {
    if (option.member == member && raw == Value(option.word)) return raw;
  }
  return WrongValue(raw, allowed);
}

Result<Value> Propagation(const Value& raw) {
  return WordOf("propagation", raw,
                "propagation; write shared, slave, private, rshared, rslave or rprivate");
}

Result<Value> Selinux(const Value& raw) {
  return WordOf("selinux", raw, "label of SELinux; write z or Z");
}

// To `must_exist`, its opposite: what is false is left out.
Result<Value> CreateHostPath(const Value& raw) {
  LOCKSTEP_TRY(const Value create, Bool(raw));
  return Value(!*create.AsBool());
}

Result<Value> VolumeOptions(const Value& raw) {
  constexpr std::array kRules = {MemberRule{"nocopy", Bool},
                                 MemberRule{"subpath", Unsupported, false}};
  LOCKSTEP_TRY(Value::Map map, Members(raw, kRules));
  return Value(std::move(map));
}

Result<Value> TmpfsOptions(const Value& raw) {
  constexpr std::array kRules = {MemberRule{"size", Bytes}, MemberRule{"mode", Mode}};
  LOCKSTEP_TRY(Value::Map map, Members(raw, kRules));
  return Value(std::move(map));
}

Result<Value> BindOptions(const Value& raw) {
  constexpr std::array kRules = {
      MemberRule{"propagation", Propagation}, MemberRule{"create_host_path", CreateHostPath},
      MemberRule{"selinux", Selinux}, MemberRule{"recursive", Unsupported, false}};
  LOCKSTEP_TRY(Value::Map map, Members(raw, kRules));
  return Value(std::move(map));
}

Result<Value> CheckBind(Value bind, const Value& raw) {
  if (bind.Find("source") == nullptr) {
    return Invalid(Show(raw) + " has no source; write source: /path/on/host");
  }
  if (bind.Find("must_exist") != nullptr) {
    if (bind.Find("selinux") == nullptr) return bind;
    return Invalid("selinux does not go with create_host_path: false; leave one out");
  }
  for (const std::string_view key : {"source", "target"}) {
    const Value& path = *bind.Find(key);
    if (path.AsString()->find(':') == std::string::npos) continue;
    return Invalid(Show(path) +
                   " has a \":\" in it; write the long form with "
                   "create_host_path: false");
  }
  return bind;
}

// The source as its type has it.
Result<Value> SourceOf(std::string_view type, const Value& raw, HostPaths host_paths) {
  LOCKSTEP_TRY(const std::string text, TextOf(raw));
  if (type == "bind") return HostPath(text, raw);
  if (host_paths == HostPaths::kRefused && IsHostPath(text)) {
    return Invalid(Show(raw) + std::string(kNoBinds));
  }
  return VolumeName(text);
}

Result<std::string_view> TypeOf(const Value& raw, HostPaths host_paths) {
  const Value* type = raw.Find("type");
  const std::string* name = type == nullptr ? nullptr : type->AsString();
  if (name != nullptr && *name == "bind" && host_paths == HostPaths::kRefused) {
    return Invalid(Show(raw) + std::string(kNoBinds));
  }
  for (const std::string_view known : {"bind", "tmpfs", "volume"}) {
    if (name != nullptr && *name == known) return known;
  }
  return WrongValue(type == nullptr ? raw : *type,
                    host_paths == HostPaths::kRefused
                        ? "type of a volume; write volume or tmpfs"
                        : "type of a volume; write volume, bind or tmpfs");
}

Result<Value> LongVolume(const Value& raw, HostPaths host_paths) {
  constexpr std::array kRules = {
      MemberRule{"type", Text},
      MemberRule{"source", Text},
      MemberRule{"target", Target},
      MemberRule{"read_only", Bool},
      MemberRule{"volume", VolumeOptions},
      MemberRule{"tmpfs", TmpfsOptions},
      MemberRule{"bind", BindOptions},
      MemberRule{"image", Unsupported, false},
      MemberRule{"consistency", Unsupported, false},
  };
  LOCKSTEP_TRY(const std::string_view type, TypeOf(raw, host_paths));
  LOCKSTEP_TRY(Value::Map map, Members(raw, kRules));
  Value::Map result;
  for (auto& [key, value] : map) {
    const Value::Map* options = value.AsMap();
    if ((options != nullptr && key != type) || (key == "source" && type == "tmpfs")) {
      return Invalid(Show(key) + " does not go with type " + std::string(type));
    }
    if (options == nullptr) {
      if (key == "source") {
        LOCKSTEP_TRY(value, SourceOf(type, value, host_paths));
      }
      result.push_back({key, std::move(value)});
      continue;
    }
    for (const auto& [name, option] : *options) {
      result.push_back({name == "create_host_path" ? "must_exist" : name, option});
    }
  }
  Value volume(std::move(result));
  if (volume.Find("target") == nullptr) {
    return Invalid(Show(raw) + " has no target; write target: /path/in/container");
  }
  return type == "bind" ? CheckBind(std::move(volume), raw) : Result<Value>(std::move(volume));
}

Result<void> ReadOptions(std::string_view options, bool bind, Value::Map& volume) {
  while (!options.empty()) {
    const std::size_t end = std::min(options.find(','), options.size());
    const std::string_view word = options.substr(0, end);
    options.remove_prefix(std::min(end + 1, options.size()));
    const auto* option = std::find_if(kOptions.begin(), kOptions.end(), [&](const Option& o) {
      return o.word == word && (bind ? o.of_bind : o.of_volume);
    });
    if (option == kOptions.end()) {
      return WrongValue(word, bind ? "option of a bind mount; allowed are ro, rw, z, Z and those "
                                     "of propagation"
                                   : "option of a volume; allowed are ro, rw and nocopy");
    }
    if (option->member.empty()) continue;
    volume.push_back(
        {std::string(option->member), option->flag ? Value(true) : Value(option->word)});
  }
  return Ok();
}

// "target", "source:target" or "source:target:option,option".
Result<Value> ShortVolume(const Value& raw, HostPaths host_paths) {
  LOCKSTEP_TRY(const std::string text, TextOf(raw));
  const std::string_view allowed = host_paths == HostPaths::kRefused
                                       ? "volume; write name:/path[:ro]"
                                       : "volume; write name:/path[:ro] or /host:/path[:ro]";
  const std::size_t first = text.find(':');
  if (first == std::string::npos) {
    std::string target = TargetPath(text);
    if (target.empty()) return WrongValue(raw, allowed);
    return Value(Value::Map{{"target", std::move(target)}, {"type", "volume"}});
  }
  const bool bind = HasDrive(text) || IsHostPath(text.substr(0, first));
  if (bind && host_paths == HostPaths::kRefused) {
    return Invalid(Show(raw) + std::string(kNoBinds));
  }
  const std::size_t second = text.find(':', first + 1);
  LOCKSTEP_TRY(Value source,
               bind ? HostPath(text.substr(0, first), raw) : VolumeName(text.substr(0, first)));
  std::string target = TargetPath(std::string_view(text).substr(first + 1, second - first - 1));
  if (first == 0 || target.empty()) return WrongValue(raw, allowed);
  Value::Map volume{{"source", std::move(source)},
                    {"target", std::move(target)},
                    {"type", bind ? "bind" : "volume"}};
  if (second != std::string::npos) {
    LOCKSTEP_TRYV(ReadOptions(std::string_view(text).substr(second + 1), bind, volume));
  }
  return Value(std::move(volume));
}

// Which map of options of the long form a member is in; empty: it is none.
std::string_view OptionsOf(std::string_view key) {
  if (key == "nocopy") return "volume";
  if (key == "size" || key == "mode") return "tmpfs";
  if (key == "propagation" || key == "selinux" || key == "must_exist") return "bind";
  return {};
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
  std::string_view name;
  for (const auto& [key, value] : *canonical.AsMap()) {
    const std::string_view in = OptionsOf(key);
    if (in.empty()) {
      result.push_back({key, value});
    } else if (key == "must_exist") {
      options.push_back({"create_host_path", false});
    } else {
      options.push_back({key, value});
    }
    if (!in.empty()) name = in;
  }
  if (!options.empty()) result.push_back({std::string(name), std::move(options)});
  return result;
}

Result<Value> Mounts(const Value& raw, HostPaths host_paths) {
  const Value::List* items = raw.AsList();
  if (items == nullptr) return WrongValue(raw, "list of volumes");
  Value::List list;
  for (const Value& item : *items) {
    LOCKSTEP_TRY(Value volume, item.AsMap() != nullptr ? LongVolume(item, host_paths)
                                                       : ShortVolume(item, host_paths));
    list.push_back(std::move(volume));
  }
  SortUnique(list);
  std::vector<std::string_view> targets;
  for (const Value& volume : list) targets.push_back(*volume.Find("target")->AsString());
  LOCKSTEP_TRYV(EachOnce(std::move(targets)));
  return Value(std::move(list));
}

}  // namespace

Result<Value> Volumes(const Value& raw) { return Mounts(raw, HostPaths::kRefused); }

Result<Value> VolumesAndBinds(const Value& raw) { return Mounts(raw, HostPaths::kAllowed); }

Value VolumesText(const Value& canonical) {
  const Value::List* items = canonical.AsList();
  if (items == nullptr) return canonical;
  Value::List list;
  list.reserve(items->size());
  for (const Value& item : *items) list.push_back(VolumeText(item));
  return list;
}

}  // namespace lockstep::fields
