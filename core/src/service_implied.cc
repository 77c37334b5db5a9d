#include <algorithm>
#include <utility>

#include "lockstep/service_spec.h"

namespace lockstep {
namespace {

// Whether a list in a field of this kind is a set: then each entry is said by itself.
enum class Lists { kSets, kSequences };

Lists ListsOf(FieldKind kind) {
  const bool ordered = kind == FieldKind::kCommand || kind == FieldKind::kSequence ||
                       kind == FieldKind::kHealthcheck;
  return ordered ? Lists::kSequences : Lists::kSets;
}

// What `value` says that `implied` does not; null where that is nothing.
Value Remainder(const Value& value, const Value& implied, Lists lists) {
  if (value == implied) return {};
  if (value.AsMap() != nullptr && implied.AsMap() != nullptr) {
    Value::Map left;
    for (const auto& [key, member] : *value.AsMap()) {
      const Value* known = implied.Find(key);
      Value rest = known == nullptr ? member : Remainder(member, *known, lists);
      if (!rest.is_null()) left.push_back({key, std::move(rest)});
    }
    return left.empty() ? Value() : Value(std::move(left));
  }
  const Value::List* known = implied.AsList();
  if (value.AsList() == nullptr || known == nullptr || lists == Lists::kSequences) return value;
  Value::List left;
  for (const Value& entry : *value.AsList()) {
    if (std::find(known->begin(), known->end(), entry) == known->end()) left.push_back(entry);
  }
  return left.empty() ? Value() : Value(std::move(left));
}

// A network is joined whatever else is said of it.
Value RemainingNetworks(const Value& networks, const Value& implied) {
  if (networks.AsMap() == nullptr) return networks;
  Value::Map left;
  for (const auto& [name, endpoint] : *networks.AsMap()) {
    const Value* known = implied.Find(name);
    Value rest = known == nullptr ? endpoint : Remainder(endpoint, *known, Lists::kSets);
    left.push_back({name, rest.is_null() ? Value(Value::Map{}) : std::move(rest)});
  }
  return left;
}

void RemoveImplied(std::map<std::string, std::string>& texts,
                   const std::map<std::string, std::string>& implied) {
  std::erase_if(texts, [&](const auto& text) {
    const auto known = implied.find(text.first);
    return known != implied.end() && known->second == text.second;
  });
}

}  // namespace

ServiceSpec WithoutImplied(ServiceSpec spec, const ServiceSpec& implied) {
  RemoveImplied(spec.environment, implied.environment);
  RemoveImplied(spec.labels, implied.labels);
  for (const auto& [field, known] : implied.fields) {
    const Value* value = spec.Find(field);
    if (value == nullptr) continue;
    spec.Set(field, field == Field::kNetworks
                        ? RemainingNetworks(*value, known)
                        : Remainder(*value, known, ListsOf(RowOf(field).kind)));
  }
  return spec;
}

}  // namespace lockstep
