#include "release_checks.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "lockstep/resource_definition.h"
#include "lockstep/rollback.h"

namespace lockstep {
namespace {

void Add(Problems& problems, std::string_view code, const Place& place, std::string message) {
  problems.push_back({std::string(code), place.ToString(), std::move(message)});
}

}  // namespace

bool IsName(std::string_view name) {
  const auto alnum = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  return !name.empty() && name.size() <= 255 && alnum(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return alnum(c) || c == '_' || c == '.' || c == '-'; });
}

void CheckName(std::string_view name, const Place& place, Problems& problems) {
  if (IsName(name)) return;
  Add(problems, "invalid-name", place,
      "a name has at most 255 letters, digits, `_`, `.` and `-`, and a letter or digit first");
}

std::map<std::string, Value> ReadDefinitions(const Value::Map& given, ResourceKind kind,
                                             const Place& place, Problems& problems) {
  std::map<std::string, Value> definitions;
  for (const auto& [name, raw] : given) {
    CheckName(name, {&place, name}, problems);
    const Value& definition = raw.is_null() ? Value(Value::Map()) : raw;
    auto canonical = kind == ResourceKind::kNetwork ? NormalizeNetworkDefinition(definition)
                                                    : NormalizeVolumeDefinition(definition);
    if (!canonical) {
      Add(problems, "invalid-value", {&place, name}, canonical.assume_error().message);
    }
    definitions[name] = canonical ? std::move(canonical).assume_value() : Value(Value::Map());
  }
  return definitions;
}

void CheckLabels(const Labels& labels, const Place& place, Problems& problems) {
  for (const auto& [label, text] : labels) {
    if (IsAmbientLabel(label)) {
      Add(problems, "invalid-value", {&place, label}, "is a label that Lockstep itself sets");
    }
  }
}

Strategy ReadStrategy(const Labels& labels, const Place& place, Problems& problems) {
  const auto label = labels.find(std::string(kLabelStrategy));
  if (label == labels.end()) return Strategy::kDownloadThenKill;
  if (const auto strategy = StrategyFromName(label->second)) return *strategy;
  Add(problems, "unknown-strategy", {&place, kLabelStrategy},
      "`" + label->second +
          "` is none of download-then-kill, kill-then-download, delete-then-download and "
          "hand-over");
  return Strategy::kDownloadThenKill;
}

void CheckRollback(const Labels& labels, const Place& place, Problems& problems) {
  const auto label = labels.find(std::string(kLabelRollback));
  if (label == labels.end() || RollbackOf(labels)) return;
  Add(problems, "invalid-value", {&place, kLabelRollback},
      "`" + label->second + "` is neither yes (1, true) nor no (0, false)");
}

void CheckResources(const ServiceSpec& spec, const Place& place, TargetRelease& release,
                    Problems& problems) {
  for (const std::string& network : NetworksOf(spec)) {
    if (network == "default") release.networks.try_emplace(network, Value(Value::Map()));
    if (release.networks.contains(network)) continue;
    Add(problems, "undefined-network", {&place, "networks"},
        "`" + network + "` is not among the release's networks; declare it there");
  }
  for (const std::string& volume : VolumesOf(spec)) {
    if (release.volumes.contains(volume)) continue;
    Add(problems, "undefined-volume", {&place, "volumes"},
        "`" + volume + "` is not among the release's volumes; declare it there");
  }
}

std::vector<std::string> MissingDependencies(const ServiceSpec& spec,
                                             const TargetRelease& release) {
  std::vector<std::string> missing;
  for (const Dependency& dependency : spec.depends_on) {
    const auto other =
        std::lower_bound(release.services.begin(), release.services.end(), dependency.service,
                         [](const TargetService& candidate, const std::string& name) {
                           return candidate.name < name;
                         });
    const bool exists = other != release.services.end() && other->name == dependency.service;
    if (!exists && dependency.required) missing.push_back(dependency.service);
  }
  return missing;
}

std::vector<Gap> GapsOf(Problems problems, const std::vector<std::string>& prefixes) {
  std::vector<Gap> gaps;
  for (Problem& problem : problems) {
    std::string_view where = problem.where;
    const auto prefix =
        std::find_if(prefixes.begin(), prefixes.end(),
                     [&](const std::string& candidate) { return where.starts_with(candidate); });
    if (prefix != prefixes.end()) where.remove_prefix(prefix->size());
    gaps.push_back(
        {.code = std::move(problem.code),
         .message = std::string(where) + ": " + problem.message,
         .blocks = problem.blocks});
  }
  return gaps;
}

}  // namespace lockstep
