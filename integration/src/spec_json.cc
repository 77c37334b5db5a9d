#include "spec_json.h"

#include <utility>

#include "composition.h"
#include "json_value.h"

namespace lockstep {
namespace {

const Value kNothing{Value::Map()};

}  // namespace

std::string WriteSpecs(const std::vector<ServiceSpec>& specs) {
  auto list = nlohmann::ordered_json::array();
  for (const ServiceSpec& spec : specs) {
    list.push_back({{"image", spec.image},
                    {"running", spec.running},
                    {"environment", spec.environment},
                    {"labels", spec.labels},
                    {"composition", ToJson(WriteComposition(spec))}});
  }
  return Dump(list);
}

std::vector<ServiceSpec> ReadSpecs(std::string_view text) {
  std::vector<ServiceSpec> specs;
  const auto read = ParseJson(text);
  if (!read || read.assume_value().AsList() == nullptr) return specs;
  for (const Value& item : *read.assume_value().AsList()) {
    const auto part = [&](std::string_view name) -> const Value& {
      const Value* found = item.Find(name);
      return found == nullptr ? kNothing : *found;
    };
    Problems problems;
    auto spec = ReadComposition(part("composition"), Place(), CompositionOf::kContainer, problems);
    if (!spec) continue;
    ServiceSpec& whole = spec.assume_value();
    if (const std::string* image = part("image").AsString()) whole.image = *image;
    if (const bool* running = part("running").AsBool()) whole.running = *running;
    whole.environment = ReadTexts(part("environment"), Place(), problems);
    whole.labels = ReadTexts(part("labels"), Place(), problems);
    if (problems.empty()) specs.push_back(std::move(whole));
  }
  return specs;
}

}  // namespace lockstep
