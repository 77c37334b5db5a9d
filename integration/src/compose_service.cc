#include "compose_service.h"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "compose_env_file.h"
#include "compose_host_paths.h"
#include "compose_refusals.h"
#include "lockstep/service_field.h"
#include "lockstep/utf8.h"
#include "release_checks.h"
#include "service_needs.h"

namespace lockstep {
namespace {

constexpr std::size_t kMostEnvFileBytes = std::size_t{64} << 20;  // Of all services together.

Error Refuse(const Place& place, std::string message, std::string hint) {
  return ErrorAt(ErrorCode::kInvalidTarget, place, std::move(message), std::move(hint));
}

class ServiceReader {
 public:
  ServiceReader(const Place& place, ComposeReading& reading) : place_(place), reading_(reading) {}

  Result<TargetService> Read(const std::string& name, const Value::Map& raw) {
    CheckName(name, place_, reading_.problems);
    LOCKSTEP_TRYV(CheckFields(raw));
    LOCKSTEP_TRY(const Value members, WithValues(raw));
    LOCKSTEP_TRYV(CheckScale(members));
    TargetService service;
    service.name = name;
    LOCKSTEP_TRY(service.spec, ReadComposition(Composition(members), place_,
                                               CompositionOf::kComposeFile, reading_.problems));
    LOCKSTEP_TRY(service.spec.image, ReadImage(members));
    LOCKSTEP_TRYV(ReadEnvironment(members, service.spec.environment));
    AddNeedsOfLabels({&place_, "labels"}, service, reading_.problems);
    CheckLabels(service.spec.labels, {&place_, "labels"}, reading_.problems);
    service.strategy = ReadStrategy(service.spec.labels, {&place_, "labels"}, reading_.problems);
    CheckRollback(service.spec.labels, {&place_, "labels"}, reading_.problems);
    return service;
  }

 private:
  void Add(const Place& place, std::string message) {
    reading_.problems.push_back({"invalid-value", place.ToString(), std::move(message)});
  }

  Result<void> CheckFields(const Value::Map& raw) const {
    for (const Value::Member& member : raw) {
      if (FindServiceField(member.key) != nullptr || member.key == "scale") continue;
      if (auto refused = RefusedField(ComposePart::kService, {&place_, member.key})) {
        return *std::move(refused);
      }
    }
    return Ok();
  }

  // Without extensions, which mean nothing here: whatever stands in them is right.
  Result<Value> WithValues(const Value::Map& raw) const {
    Value::Map members;
    for (const Value::Member& member : raw) {
      if (!member.key.starts_with("x-")) members.push_back(member);
    }
    return reading_.interpolation.ReplaceIn(Value(std::move(members)), reading_.variables, place_);
  }

  Result<void> CheckScale(const Value& members) const {
    const Value* scale = members.Find("scale");
    if (scale == nullptr || scale->is_null() || *scale == Value(1) || *scale == Value("1")) {
      return Ok();
    }
    return *RefusedField(ComposePart::kService, {&place_, "scale"});
  }

  Result<std::string> ReadImage(const Value& members) {
    const Place here{&place_, "image"};
    const Value* image = members.Find("image");
    if (image == nullptr || image->is_null()) {
      return Refuse(here, "is missing", "name the image that the service runs");
    }
    const std::string* text = image->AsString();
    if (text == nullptr) {
      Add(here, "it is no reference of an image; write such as registry.example/web:1.2");
      return std::string();
    }
    CheckImage(*text, here, reading_.problems);
    return *text;
  }

  // What is left for ReadComposition, in its words.
  Value Composition(const Value& members) const {
    Value::Map composition;
    for (const auto& [key, value] : *members.AsMap()) {
      if (key == "scale" || key == "profiles" || key == "env_file") continue;
      if (key == "volumes") {
        const std::string* home = reading_.variables.Find("HOME");
        composition.push_back({key, WithHostPaths(value, reading_.options.directory,
                                                  home == nullptr ? std::string() : *home)});
      } else if (key == "labels") {
        composition.push_back({key, WithoutBareNames(value)});
      } else {
        composition.push_back({key, value});
      }
    }
    return composition;
  }

  // A label without a value is an empty one.
  static Value WithoutBareNames(const Value& labels) {
    if (const Value::Map* map = labels.AsMap()) {
      Value::Map out = *map;
      for (Value::Member& label : out) {
        if (label.value.is_null()) label.value = Value("");
      }
      return out;
    }
    if (labels.AsList() == nullptr) return labels;
    Value::List out = *labels.AsList();
    for (Value& label : out) {
      const std::string* text = label.AsString();
      if (text != nullptr && text->find('=') == std::string::npos) label = *text + "=";
    }
    return out;
  }

  // `environment` goes before `env_file`. `own` is what the former says with values.
  Result<void> ReadEnvironment(const Value& members, std::map<std::string, std::string>& own) {
    const Value* files = members.Find("env_file");
    Variables variables{.before = &reading_.variables, .own = {}};
    if (files != nullptr) {
      LOCKSTEP_TRYV(ReadEnvFiles(*files, variables));
    }
    if (const Value* environment = members.Find("environment")) {
      for (const std::string& name : BareNames(*environment)) {
        variables.own.erase(name);
        const std::string* value = reading_.variables.Find(name);
        if (value == nullptr) continue;
        if (!IsUtf8(*value)) Add({&place_, "environment"}, '`' + name + "` is not UTF-8");
        own.emplace(name, *value);
      }
    }
    own.insert(variables.own.begin(), variables.own.end());
    return Ok();
  }

  static std::vector<std::string> BareNames(const Value& environment) {
    std::vector<std::string> names;
    if (const Value::Map* map = environment.AsMap()) {
      for (const auto& [name, value] : *map) {
        if (value.is_null() && !name.empty()) names.push_back(name);
      }
    } else if (const Value::List* list = environment.AsList()) {
      for (const Value& item : *list) {
        const std::string* name = item.AsString();
        if (name != nullptr && !name->empty() && name->find('=') == std::string::npos) {
          names.push_back(*name);
        }
      }
    }
    return names;
  }

  Result<void> ReadEnvFiles(const Value& files, Variables& variables) {
    const Place here{&place_, "env_file"};
    if (files.is_null()) return Ok();
    if (files.AsList() == nullptr) return ReadEnvEntry(files, here, variables);
    for (const Value& entry : *files.AsList()) {
      LOCKSTEP_TRYV(ReadEnvEntry(entry, here, variables));
    }
    return Ok();
  }

  // A path, or {path, required, format}.
  Result<void> ReadEnvEntry(const Value& entry, const Place& place, Variables& variables) {
    const Value* path_value = entry.AsMap() == nullptr ? &entry : entry.Find("path");
    const std::string* path = path_value == nullptr ? nullptr : path_value->AsString();
    if (path == nullptr || path->empty()) {
      Add(place, "must be a path, a list of paths, or {path, required, format}");
      return Ok();
    }
    bool required = true;
    EnvFileFormat format = EnvFileFormat::kDotenv;
    if (const Value::Map* map = entry.AsMap()) {
      for (const auto& [key, value] : *map) {
        const auto flag = FlagOf(value);
        if (key == "path" || key.starts_with("x-") || value.is_null()) continue;
        if (key == "required" && flag) {
          required = *flag;
        } else if (key == "format" && value == Value("raw")) {
          format = EnvFileFormat::kRaw;
        } else {
          Add({&place, key},
              "is not known, or has a wrong value; known are path, required (true "
              "or false) and format (raw)");
        }
      }
    }
    return ReadOneEnvFile(*path, required, format, place, variables);
  }

  Result<void> ReadOneEnvFile(const std::string& path, bool required, EnvFileFormat format,
                              const Place& place, Variables& variables) {
    auto text = reading_.options.read_file(PathFrom(reading_.options.directory, path));
    if (!text) {
      Error error = std::move(text).assume_error();
      if (!required && error.code == ErrorCode::kNotFound) return Ok();
      if (error.code == ErrorCode::kNotFound) error.hint = "write it, or say `required: false`";
      error.code = ErrorCode::kInvalidTarget;
      error.where = place.ToString();
      return WithContext(std::move(error), error.where);
    }
    reading_.env_file_bytes += text.assume_value().size();
    if (reading_.env_file_bytes > kMostEnvFileBytes) {
      return Refuse(place, "the files of all services are larger than 64 MiB together",
                    "check that they are the right files");
    }
    auto read = ReadEnvFile(text.assume_value(), format, place, reading_.interpolation, variables);
    if (!read) return WithContext(std::move(read).assume_error(), path);
    return Ok();
  }

  const Place& place_;
  ComposeReading& reading_;
};

}  // namespace

Result<TargetService> ReadComposeService(const std::string& name, const Value& raw,
                                         const Place& place, ComposeReading& reading) {
  if (raw.AsMap() == nullptr) {
    return Refuse(place, "must be a map of fields",
                  "see the Compose Specification for the fields of a service");
  }
  return ServiceReader(place, reading).Read(name, *raw.AsMap());
}

}  // namespace lockstep
