#include "config_backends/config_json_backend.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace lockstep {
namespace {

using Type = ConfigJsonField::Type;

std::vector<ConfigRule> RulesOf(const std::string& name,
                                const std::vector<ConfigJsonField>& fields) {
  std::vector<ConfigRule> rules;
  for (const ConfigJsonField& field : fields) {
    rules.push_back(
        {.backend = name,
         .key = field.key,
         .needs_reboot = field.needs_reboot,
         .absent = field.absent,
         .forbidden = {},
         .refusal = [refusal = field.refusal](std::string_view,
                                              std::string_view value) { return refusal(value); },
         .canonical = nullptr});
    if (field.canonical != nullptr) rules.back().canonical = field.canonical;
  }
  return rules;
}

std::string Canonical(const ConfigJsonField& field, std::string_view value) {
  return field.canonical == nullptr ? std::string(value) : field.canonical(value);
}

Error WrongType(const ConfigJsonField& field) {
  std::string way;
  for (const std::string& key : field.path) way += (way.empty() ? "" : ".") + key;
  return MakeError(
      ErrorCode::kInvalidInput,
      '"' + way + "\" in it is no " + (field.type == Type::kBool ? "boolean" : "string"),
      "make it one, or remove it");
}

// The field in the words of a target. None where balenaOS takes it for not set.
Result<std::optional<std::string>> ValueOf(const ConfigJsonField& field, std::string_view text) {
  LOCKSTEP_TRY(const std::optional<Value> value, JsonField(text, field.path));
  if (!value) return std::optional<std::string>();
  if (field.type == Type::kBool) {
    if (const bool* truth = value->AsBool()) {
      return std::optional<std::string>(*truth ? "true" : "false");
    }
    // As others write it who set it by hand.
    const std::string* word = value->AsString();
    const std::string text_of = word != nullptr ? *word : ToText(*value);
    if (!field.refusal(text_of).empty()) return WrongType(field);
    return std::optional(Canonical(field, text_of));
  }
  std::string found;
  if (const std::string* string = value->AsString()) {
    found = *string;
  } else if (const std::int64_t* number = value->AsInt()) {
    found = std::to_string(*number);
  } else {
    return WrongType(field);
  }
  found = Canonical(field, found);
  if (found.empty()) return std::optional<std::string>();
  return std::optional(std::move(found));
}

Value Wanted(const ConfigJsonField& field, const std::string& value) {
  return field.type == Type::kBool ? Value(value == "true") : Value(value);
}

Result<std::string> Changed(const std::string& text, const ConfigJsonField& field,
                            const std::optional<std::string>& value) {
  LOCKSTEP_TRY(const std::optional<std::string> now, ValueOf(field, text));
  if (!value) return WithJsonField(text, field.path, std::nullopt);
  if (std::string why = field.refusal(*value); !why.empty()) {
    return MakeError(ErrorCode::kInvalidInput, "the value of " + field.key + ' ' + why);
  }
  const std::string wanted = Canonical(field, *value);
  if (now == wanted) return text;
  return WithJsonField(text, field.path, Wanted(field, wanted));
}

}  // namespace

ConfigJsonBackend::ConfigJsonBackend(std::string path)
    : ConfigJsonBackend("config.json", std::move(path), HostFields()) {}

PowerFanBackend::PowerFanBackend(std::string path)
    : ConfigJsonBackend("power and fan", std::move(path), PowerFanFields()) {}

ConfigJsonBackend::ConfigJsonBackend(std::string name, std::string path,
                                     std::vector<ConfigJsonField> fields)
    : name_(std::move(name)),
      file_(std::move(path)),
      fields_(std::move(fields)),
      rules_(RulesOf(name_, fields_)) {}

Result<std::string> ConfigJsonBackend::Text() const {
  LOCKSTEP_TRY(std::optional<std::string> text, file_.Read());
  if (text) return std::move(*text);
  return WithContext(
      MakeError(ErrorCode::kNotFound, "there is no such file",
                "see that the device runs balenaOS and that its boot partition is mounted there"),
      "read " + file_.path());
}

Result<ConfigValues> ConfigJsonBackend::Read() {
  LOCKSTEP_TRY(const std::string text, Text());
  ConfigValues values;
  for (const ConfigJsonField& field : fields_) {
    auto value = ValueOf(field, text);
    if (!value) return WithContext(std::move(value).assume_error(), "read " + file_.path());
    if (value.assume_value()) values.emplace(field.key, *std::move(value).assume_value());
  }
  return values;
}

Result<void> ConfigJsonBackend::Write(const ConfigChanges& changes) {
  LOCKSTEP_TRY(const std::string old, Text());
  std::string text = old;
  for (const auto& [key, value] : changes) {
    const auto field =
        std::find_if(fields_.begin(), fields_.end(),
                     [&key = key](const ConfigJsonField& one) { return one.key == key; });
    auto changed = field == fields_.end()
                       ? Result<std::string>(MakeError(ErrorCode::kInvalidInput,
                                                       key + " is no field that may be set"))
                       : Changed(text, *field, value);
    if (!changed) return WithContext(std::move(changed).assume_error(), "change " + file_.path());
    text = std::move(changed).assume_value();
  }
  return file_.Replace(old, text);
}

}  // namespace lockstep
