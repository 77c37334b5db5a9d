#include "composition.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

namespace lockstep {
namespace {

constexpr std::string_view kInvalidValue = "invalid-value";

struct ConditionName {
  DependencyCondition condition;
  std::string_view name;
};
constexpr ConditionName kConditions[] = {
    {DependencyCondition::kStarted, "service_started"},
    {DependencyCondition::kHealthy, "service_healthy"},
    {DependencyCondition::kCompletedSuccessfully, "service_completed_successfully"},
};

void AddProblem(Problems& problems, const Place& place, std::string message) {
  problems.push_back({std::string(kInvalidValue), place.ToString(), std::move(message)});
}

// As people write it: 100000, where the shortest text would be 1e+05.
std::optional<std::string> NumberText(double number) {
  constexpr double kLeast = 1e-6;
  constexpr double kMost = 1e21;
  if (!std::isfinite(number)) return std::nullopt;
  const double size = std::abs(number);
  if (size != 0 && (size < kLeast || size >= kMost)) return ToText(Value(number));
  std::array<char, 64> buffer;
  const auto written =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::fixed);
  return std::string(buffer.data(), written.ptr);
}

// A scalar as the text an environment holds.
std::optional<std::string> TextOf(const Value& value) {
  if (const std::string* text = value.AsString()) return *text;
  if (const double* number = value.AsDouble()) return NumberText(*number);
  if (value.AsBool() != nullptr || value.AsInt() != nullptr) return ToText(value);
  return std::nullopt;
}

void ReadCondition(const Value& raw, const Place& place, Dependency& dependency,
                   Problems& problems) {
  const std::string* name = raw.AsString();
  for (const ConditionName& known : kConditions) {
    if (name != nullptr && *name == known.name) {
      dependency.condition = known.condition;
      return;
    }
  }
  AddProblem(problems, place,
             "must be service_started, service_healthy or service_completed_successfully");
}

void ReadDependency(const Value& raw, const Place& place, Dependency& dependency,
                    Problems& problems) {
  const Value::Map* members = raw.AsMap();
  if (members == nullptr) {
    if (!raw.is_null()) AddProblem(problems, place, "must be a map with `condition`");
    return;
  }
  for (const Value::Member& member : *members) {
    const Place here{&place, member.key};
    if (member.key.starts_with("x-")) continue;
    if (member.key == "condition") {
      ReadCondition(member.value, here, dependency, problems);
    } else if (member.key == "restart" || member.key == "required") {
      const std::optional<bool> value = FlagOf(member.value);
      if (!value) AddProblem(problems, here, "must be true or false");
      if (value) (member.key == "restart" ? dependency.restart : dependency.required) = *value;
    } else {
      AddProblem(problems, here, "is not known; known are condition, restart and required");
    }
  }
}

std::vector<Dependency> ReadDependsOn(const Value& raw, const Place& place, Problems& problems) {
  std::vector<Dependency> dependencies;
  const auto find = [&](const std::string& service) {
    return std::any_of(dependencies.begin(), dependencies.end(),
                       [&](const Dependency& d) { return d.service == service; });
  };
  if (const Value::List* list = raw.AsList()) {
    for (const Value& item : *list) {
      const std::string* service = item.AsString();
      if (service == nullptr) {
        AddProblem(problems, place, "must list names of services");
      } else if (!find(*service)) {
        dependencies.push_back({.service = *service});
      }
    }
  } else if (const Value::Map* map = raw.AsMap()) {
    for (const Value::Member& member : *map) {
      dependencies.push_back({.service = member.key});
      ReadDependency(member.value, {&place, member.key}, dependencies.back(), problems);
    }
  } else {
    AddProblem(problems, place, "must be a list of services, or a map");
  }
  return dependencies;
}

Error UnknownField(const Place& place, CompositionOf of) {
  std::vector<std::string_view> known = {"environment", "labels", "depends_on", "image"};
  if (of == CompositionOf::kComposeFile) known.insert(known.end(), {"env_file", "profiles"});
  for (const FieldRow& row : ServiceFields()) known.push_back(row.name);
  return UnknownFieldError(place, known);
}

// A path of the host is for whoever writes a file on it; a balena target comes from elsewhere.
void ReadField(const FieldRow& row, const Value& raw, const Place& place, CompositionOf of,
               ServiceSpec& spec, Problems& problems) {
  const bool refused = of == CompositionOf::kBalenaTarget;
  auto canonical = NormalizeField(row, raw, refused ? HostPaths::kRefused : HostPaths::kAllowed);
  if (!canonical) {
    AddProblem(problems, place, canonical.assume_error().message);
    return;
  }
  spec.Set(row.field, std::move(canonical).assume_value());
}

// `network_mode: front` is balena's other way to say "join front"; modes of the engine stay.
void ReadNetworkMode(const Place& place, ServiceSpec& spec, Problems& problems) {
  const Value* mode = spec.Find(Field::kNetworkMode);
  const std::string* name = mode == nullptr ? nullptr : mode->AsString();
  if (name == nullptr) return;
  const bool of_engine = *name == "host" || *name == "none" || *name == "bridge" ||
                         name->starts_with("service:") || name->starts_with("container:");
  if (of_engine) {
    if (spec.Find(Field::kNetworks) != nullptr) {
      AddProblem(problems, {&place, "network_mode"},
                 "`" + *name + "` leaves no room for `networks`; give one of the two");
    }
    return;
  }
  Value::Map networks;
  if (const Value* given = spec.Find(Field::kNetworks)) networks = *given->AsMap();
  const auto same = [&](const Value::Member& member) { return member.key == *name; };
  if (std::none_of(networks.begin(), networks.end(), same)) {
    networks.push_back({*name, Value(Value::Map())});
  }
  spec.Set(Field::kNetworkMode, Value());
  spec.Set(Field::kNetworks, Value(std::move(networks)));
}

void AddSharedNamespaceDependencies(ServiceSpec& spec) {
  for (const std::string& service : SharedServicesOf(spec)) {
    const auto same = [&](const Dependency& d) { return d.service == service; };
    if (std::none_of(spec.depends_on.begin(), spec.depends_on.end(), same)) {
      spec.depends_on.push_back({.service = service});
    }
  }
}

// What is meant by saying nothing: the Compose Specification's defaults are the neutral ones, but
// for the default network. A network mode takes its place; a target that lists no networks says
// nothing about them.
void AddDefaults(const Value::Map& given, CompositionOf of, ServiceSpec& spec) {
  const auto says = [&](std::string_view name) {
    return std::any_of(given.begin(), given.end(), [&](const Value::Member& member) {
      return member.key == name && !member.value.is_null();
    });
  };
  for (const FieldRow& row : ServiceFields()) {
    if (of == CompositionOf::kComposeFile) break;
    if (row.field == Field::kNetworks || row.balena_default.is_null()) continue;
    if (!says(row.name)) spec.Set(row.field, row.balena_default);
  }
  if (of == CompositionOf::kContainer && says(RowOf(Field::kNetworks).name)) return;
  if (spec.Find(Field::kNetworks) == nullptr && spec.Find(Field::kNetworkMode) == nullptr) {
    spec.Set(Field::kNetworks, RowOf(Field::kNetworks).balena_default);
  }
}

Value WriteDependsOn(const std::vector<Dependency>& dependencies) {
  const auto plain = [](const Dependency& d) { return d == Dependency{.service = d.service}; };
  if (std::all_of(dependencies.begin(), dependencies.end(), plain)) {
    Value::List list;
    for (const Dependency& d : dependencies) list.emplace_back(d.service);
    return list;
  }
  Value::Map map;
  for (const Dependency& d : dependencies) {
    Value::Map members;
    for (const ConditionName& known : kConditions) {
      if (known.condition == d.condition) members.push_back({"condition", Value(known.name)});
    }
    if (d.restart) members.push_back({"restart", Value(true)});
    if (!d.required) members.push_back({"required", Value(false)});
    map.push_back({d.service, Value(std::move(members))});
  }
  return map;
}

}  // namespace

void CheckImage(std::string_view image, const Place& place, Problems& problems) {
  // Letters, digits and what stands between them in a reference.
  constexpr std::string_view kBetween = "._-/:@";
  const auto alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const bool possible = !image.empty() && alnum(image.front()) && alnum(image.back()) &&
                        std::all_of(image.begin(), image.end(), [&](char c) {
                          return alnum(c) || kBetween.find(c) != std::string_view::npos;
                        });
  if (possible) return;
  AddProblem(problems, place,
             '`' + std::string(image) +
                 "` is no reference of an image; write such as registry.example/web:1.2");
}

std::optional<bool> FlagOf(const Value& value) {
  if (const bool* flag = value.AsBool()) return *flag;
  if (value == Value("true")) return true;
  if (value == Value("false")) return false;
  return std::nullopt;
}

Error UnknownFieldError(const Place& place, const std::vector<std::string_view>& known) {
  const std::string_view meant = NearestWord(place.key, known);
  return ErrorAt(ErrorCode::kInvalidTarget, place,
                 "`" + std::string(place.key) + "` is not a field that Lockstep knows" +
                     (meant.empty() ? "" : " (did you mean `" + std::string(meant) + "`?)"),
                 "correct it or take it out; a field named x-... is ignored");
}

std::map<std::string, std::string> ReadTexts(const Value& raw, const Place& place,
                                             Problems& problems) {
  std::map<std::string, std::string> texts;
  const auto add = [&](std::string name, std::string text) {
    if (name.empty() || name.find('=') != std::string::npos) {
      AddProblem(problems, place, "`" + name + "` cannot be a name");
    } else {
      texts[std::move(name)] = std::move(text);
    }
  };
  if (const Value::Map* map = raw.AsMap()) {
    for (const Value::Member& member : *map) {
      if (member.value.is_null()) continue;
      if (auto text = TextOf(member.value)) {
        add(member.key, std::move(*text));
      } else {
        AddProblem(problems, {&place, member.key}, "must be a text");
      }
    }
  } else if (const Value::List* list = raw.AsList()) {
    for (const Value& item : *list) {
      const std::string* text = item.AsString();
      const auto equals = text == nullptr ? std::string::npos : text->find('=');
      if (text == nullptr) {
        AddProblem(problems, place, "must list texts of the form name=value");
      } else if (equals != std::string::npos) {  // A bare name means: from the caller's own.
        add(text->substr(0, equals), text->substr(equals + 1));
      }
    }
  } else if (!raw.is_null()) {
    AddProblem(problems, place, "must be a map of texts");
  }
  return texts;
}

Result<ServiceSpec> ReadComposition(const Value& composition, const Place& place, CompositionOf of,
                                    Problems& problems) {
  static const Value::Map kNothing;
  const Value::Map* given = composition.is_null() ? &kNothing : composition.AsMap();
  if (given == nullptr) {
    return ErrorAt(ErrorCode::kInvalidTarget, place, "must be a map of fields",
                   "see the Compose Specification for the fields of a service");
  }
  ServiceSpec spec;
  for (const auto& [key, raw] : *given) {
    const Place here{&place, key};
    if (key.starts_with("x-") || key == "image") continue;
    const FieldRow* row = FindServiceField(key);
    const bool known =
        row != nullptr || key == "environment" || key == "labels" || key == "depends_on";
    if (!known && of != CompositionOf::kContainer) return UnknownField(here, of);
    if (!known || raw.is_null()) continue;
    if (row != nullptr) {
      ReadField(*row, raw, here, of, spec, problems);
    } else if (key == "environment") {
      spec.environment = ReadTexts(raw, here, problems);
    } else if (key == "labels") {
      spec.labels = ReadTexts(raw, here, problems);
    } else {
      spec.depends_on = ReadDependsOn(raw, here, problems);
    }
  }
  ReadNetworkMode(place, spec, problems);
  AddSharedNamespaceDependencies(spec);
  std::sort(spec.depends_on.begin(), spec.depends_on.end(),
            [](const Dependency& a, const Dependency& b) { return a.service < b.service; });
  AddDefaults(*given, of, spec);
  return spec;
}

Value WriteComposition(const ServiceSpec& spec) {
  Value::Map out;
  for (const FieldRow& row : ServiceFields()) {
    if (const Value* value = spec.Find(row.field)) {
      out.push_back({std::string(row.name), DenormalizeField(row, *value)});
    } else if (!row.balena_default.is_null() && !row.neutral.is_null()) {
      out.push_back({std::string(row.name), DenormalizeField(row, row.neutral)});
    }
  }
  if (!spec.depends_on.empty()) out.push_back({"depends_on", WriteDependsOn(spec.depends_on)});
  return out;
}

}  // namespace lockstep
