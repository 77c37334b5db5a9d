// What a file of the host becomes by changes to its configuration, looked at again before anybody
// writes it.
#ifndef LOCKSTEP_INTEGRATION_CHANGED_TEXT_H_
#define LOCKSTEP_INTEGRATION_CHANGED_TEXT_H_

#include <string>
#include <string_view>

#include "lockstep/config_backend.h"
#include "lockstep/result.h"

namespace lockstep {

// `changes` by the backend's keys, which all begin with `prefix`; Format has the key without it.
// A boot file that says something else than was meant can cost a visit to the device, so the
// outcome is parsed anew: it must have the wanted values, every other one and all the rest as
// before.
//
// Format: Parse(text), ToText(), Values(), Rest(), Set(key, value), Erase(key), Canonical(key,
// value). Errors: those of Parse(), Set() and Erase(); kInternal (the check failed).
template <typename Format>
Result<std::string> ChangedText(std::string_view text, std::string_view prefix,
                                const ConfigChanges& changes) {
  LOCKSTEP_TRY(Format format, Format::Parse(text));
  ConfigValues expected = format.Values();
  const std::string rest = format.Rest();
  for (const auto& [name, value] : changes) {
    if (!name.starts_with(prefix)) {
      return MakeError(ErrorCode::kInternal, name + " is a key of another backend");
    }
    const std::string key = name.substr(prefix.size());
    if (value) {
      LOCKSTEP_TRYV(format.Set(key, *value));
      expected[key] = Format::Canonical(key, *value);
    } else {
      LOCKSTEP_TRYV(format.Erase(key));
      expected.erase(key);
    }
  }
  std::string changed = format.ToText();
  const auto parsed_again = Format::Parse(changed);
  const Format* again = parsed_again ? &parsed_again.assume_value() : nullptr;
  if (again == nullptr || again->Values() != expected || again->Rest() != rest) {
    return MakeError(ErrorCode::kInternal, "the changed file would not say what was asked for");
  }
  return changed;
}

// The values of `text` by the backend's keys.
template <typename Format>
Result<ConfigValues> ReadValues(std::string_view text, std::string_view prefix) {
  LOCKSTEP_TRY(const Format format, Format::Parse(text));
  ConfigValues values;
  for (const auto& [key, value] : format.Values()) values[std::string(prefix) + key] = value;
  return values;
}

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_CHANGED_TEXT_H_
