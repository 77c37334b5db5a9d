#include "composition_from_elsewhere.h"

#include <string>
#include <utility>
#include <vector>

#include "compose_refusals.h"
#include "lockstep/service_field.h"

namespace lockstep {
namespace {

bool IsKnown(std::string_view key) {
  return FindServiceField(key) != nullptr || key == "environment" || key == "labels" ||
         key == "depends_on" || key == "image" || key.starts_with("x-");
}

// What a compose file may say of a service, and a balena state does not mean.
bool IsOfComposeAlone(const Place& place) {
  return place.key == "env_file" || place.key == "profiles" ||
         RefusedField(ComposePart::kService, place).has_value();
}

}  // namespace

void DropUnknownFields(Value& composition, const Place& place, Problems& problems) {
  const Value::Map* given = composition.AsMap();
  if (given == nullptr) return;
  std::vector<std::string_view> known = {"environment", "labels", "depends_on", "image"};
  for (const FieldRow& row : ServiceFields()) known.push_back(row.name);
  Value::Map kept;
  for (const Value::Member& member : *given) {
    const Place here{&place, member.key};
    if (IsKnown(member.key)) {
      kept.push_back(member);
    } else if (IsOfComposeAlone(here)) {
      problems.push_back({std::string(kIgnoredField), here.ToString(), "is ignored", false});
    } else {
      problems.push_back(
          {std::string(kUnknownField), here.ToString(), UnknownFieldError(here, known).message});
    }
  }
  composition = Value(std::move(kept));
}

}  // namespace lockstep
