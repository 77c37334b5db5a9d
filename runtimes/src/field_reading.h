// Reading canonical values of service fields, and setting them from what an engine reports.
#ifndef LOCKSTEP_RUNTIMES_FIELD_READING_H_
#define LOCKSTEP_RUNTIMES_FIELD_READING_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "lockstep/service_spec.h"

namespace lockstep::docker {

// Empty, 0 or false for a null pointer and for a value of another type.
inline const Value::List& ListOf(const Value* value) {
  static const Value::List kNoItems;
  const Value::List* list = value == nullptr ? nullptr : value->AsList();
  return list == nullptr ? kNoItems : *list;
}
inline const Value::Map& MapOf(const Value* value) {
  static const Value::Map kNoMembers;
  const Value::Map* map = value == nullptr ? nullptr : value->AsMap();
  return map == nullptr ? kNoMembers : *map;
}
inline std::string TextOf(const Value* value) {
  const std::string* text = value == nullptr ? nullptr : value->AsString();
  return text == nullptr ? std::string() : *text;
}
inline std::int64_t IntOf(const Value* value) {
  const std::int64_t* number = value == nullptr ? nullptr : value->AsInt();
  return number == nullptr ? 0 : *number;
}
inline bool FlagOf(const Value* value) {
  const bool* flag = value == nullptr ? nullptr : value->AsBool();
  return flag != nullptr && *flag;
}

// Sorts and checks, by way of the words of a target, since that is what is normalised. What the
// table of fields does not accept is left out: it cannot have come from a target.
inline void SetNormalized(ServiceSpec& spec, Field field, const Value& raw) {
  const FieldRow& row = RowOf(field);
  auto canonical = NormalizeField(row, DenormalizeField(row, raw), HostPaths::kAllowed);
  if (canonical) spec.Set(field, std::move(canonical).assume_value());
}

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_FIELD_READING_H_
