#include "lockstep/change.h"

#include <algorithm>
#include <string>

namespace lockstep {
namespace {

using TextMap = std::map<std::string, std::string>;

Value TextOrNull(const TextMap& map, const std::string& key) {
  const auto it = map.find(key);
  return it == map.end() ? Value() : Value(it->second);
}

void DiffMaps(std::string_view prefix, const TextMap& from, const TextMap& to, bool secret,
              std::vector<Reason>& reasons) {
  const auto differ = [&](const std::string& key) {
    Reason reason;
    reason.code = ReasonCode::kFieldChanged;
    reason.field = std::string(prefix) + "." + key;
    reason.from = TextOrNull(from, key);
    reason.to = TextOrNull(to, key);
    reason.secret = secret;
    reasons.push_back(std::move(reason));
  };
  auto a = from.begin();
  auto b = to.begin();
  while (a != from.end() || b != to.end()) {
    if (b == to.end() || (a != from.end() && a->first < b->first)) {
      differ(a++->first);
    } else if (a == from.end() || b->first < a->first) {
      differ(b++->first);
    } else {
      if (a->second != b->second) differ(a->first);
      ++a;
      ++b;
    }
  }
}

void DiffFields(const ServiceSpec& from, const ServiceSpec& to, std::vector<Reason>& reasons) {
  const auto differ = [&](Field field, const Value* old_value, const Value* new_value) {
    const FieldRow& row = RowOf(field);
    Reason reason;
    reason.code = ReasonCode::kFieldChanged;
    reason.field = row.name;
    reason.from = DenormalizeField(row, old_value == nullptr ? row.neutral : *old_value);
    reason.to = DenormalizeField(row, new_value == nullptr ? row.neutral : *new_value);
    reasons.push_back(std::move(reason));
  };
  auto a = from.fields.begin();
  auto b = to.fields.begin();
  while (a != from.fields.end() || b != to.fields.end()) {
    if (b == to.fields.end() || (a != from.fields.end() && a->field < b->field)) {
      differ(a->field, &a->value, nullptr);
      ++a;
    } else if (a == from.fields.end() || b->field < a->field) {
      differ(b->field, nullptr, &b->value);
      ++b;
    } else {
      if (!(a->value == b->value)) differ(a->field, &a->value, &b->value);
      ++a;
      ++b;
    }
  }
}

}  // namespace

std::vector<Reason> DiffSpecs(const ServiceSpec& from, const ServiceSpec& to) {
  std::vector<Reason> reasons;
  DiffFields(from, to, reasons);
  DiffMaps("environment", from.environment, to.environment, true, reasons);
  DiffMaps("labels", from.labels, to.labels, false, reasons);
  return reasons;
}

}  // namespace lockstep
