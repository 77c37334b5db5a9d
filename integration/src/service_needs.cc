#include "service_needs.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "lockstep/feature_labels.h"

namespace lockstep {
namespace {

class ContractReader {
 public:
  explicit ContractReader(Problems& problems) : problems_(problems) {}

  std::vector<Alternatives> Read(const Value& contract, const Place& place) {
    std::vector<Alternatives> all;
    if (contract.is_null()) return all;
    if (contract.AsMap() == nullptr) return Wrong(place, "must be an object"), all;
    const Value* requirements = contract.Find("requires");
    if (requirements == nullptr || requirements->is_null()) return all;
    const Place here{&place, "requires"};
    const Value::List* list = requirements->AsList();
    if (list == nullptr) return Wrong(here, "must be a list"), all;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string index = std::to_string(i);
      Alternatives alternatives = ReadItem((*list)[i], {&here, index});
      if (!alternatives.empty()) all.push_back(std::move(alternatives));
    }
    return all;
  }

 private:
  void Wrong(const Place& place, std::string message) {
    problems_.push_back({"invalid-value", place.ToString(), std::move(message)});
  }

  // One requirement, or {"or": [...]}.
  Alternatives ReadItem(const Value& item, const Place& place) {
    Alternatives alternatives;
    const Value* choice = item.Find("or");
    if (choice == nullptr) {
      if (auto requirement = ReadRequirement(item, place)) {
        alternatives.push_back(*std::move(requirement));
      }
      return alternatives;
    }
    const Place here{&place, "or"};
    const Value::List* list = choice->AsList();
    if (list == nullptr || item.AsMap()->size() > 1) {
      return Wrong(here, "must be a list of requirements, and stand alone"), alternatives;
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string index = std::to_string(i);
      if (auto requirement = ReadRequirement((*list)[i], {&here, index})) {
        alternatives.push_back(*std::move(requirement));
      }
    }
    return alternatives;
  }

  std::optional<Requirement> ReadRequirement(const Value& raw, const Place& place) {
    const Value::Map* members = raw.AsMap();
    if (members == nullptr) return Wrong(place, "must be an object"), std::nullopt;
    Requirement requirement;
    for (const auto& [key, value] : *members) {
      const Place here{&place, key};
      if (key == "name" || value.is_null()) continue;
      std::string* part = key == "type"      ? &requirement.type
                          : key == "slug"    ? &requirement.slug
                          : key == "version" ? &requirement.version
                                             : nullptr;
      const std::string* text = value.AsString();
      if (part == nullptr) {
        // Not ignored: "verison" would make a requirement that every device meets.
        return Wrong(here, "is not known; known are type, slug and version"), std::nullopt;
      }
      if (text == nullptr) return Wrong(here, "must be a text"), std::nullopt;
      *part = *text;
    }
    if (requirement.type.empty()) return Wrong({&place, "type"}, "is missing"), std::nullopt;
    return requirement;
  }

  Problems& problems_;
};

}  // namespace

std::vector<Alternatives> ReadContract(const Value& contract, const Place& place,
                                       Problems& problems) {
  return ContractReader(problems).Read(contract, place);
}

void AddNeedsOfLabels(const Place& place, TargetService& service, Problems& problems) {
  for (Gap& gap : AddFeatures(service.spec)) {
    problems.push_back({std::move(gap.code), place.ToString(), std::move(gap.message), gap.blocks});
  }
  auto& all = service.requirements;
  for (Alternatives& required : RequirementsOf(service.spec.labels)) {
    // balena's builder has put them into the contract.
    const bool known = std::find(all.begin(), all.end(), required) != all.end();
    if (!known) all.push_back(std::move(required));
  }
}

}  // namespace lockstep
