#include "engine_names.h"

#include <map>

namespace lockstep::docker {
namespace {

// The value of io.balena.<name>; that of io.resin.<name>, as an old device says it, where there is
// none.
std::string Look(const Labels& labels, std::string_view label) {
  constexpr std::string_view kPrefix = "io.balena.";
  const auto value_of = [&](const std::string& key) {
    const auto it = labels.find(key);
    return it == labels.end() ? std::string() : it->second;
  };
  const std::string value = value_of(std::string(label));
  return value.empty() ? value_of("io.resin." + std::string(label.substr(kPrefix.size()))) : value;
}

}  // namespace

Labels ResourceLabels(const AppNames& names) {
  Labels labels;
  labels[std::string(kLabelSupervised)] = "true";
  labels[std::string(kLabelAppUuid)] = names.app;
  if (!names.app_id.empty()) labels[std::string(kLabelAppId)] = names.app_id;
  return labels;
}

AppNames AppOfResource(const Labels& labels) {
  if (Look(labels, kLabelSupervised).empty()) return {};
  AppNames names{Look(labels, kLabelAppUuid), Look(labels, kLabelAppId)};
  if (names.app.empty()) names.app = names.app_id;
  return names;
}

Labels WithoutAmbient(Labels labels) {
  std::erase_if(labels, [](const auto& label) {
    return IsAmbientLabel(label.first) || label.first == kLabelCustomIpam;
  });
  return labels;
}

}  // namespace lockstep::docker
