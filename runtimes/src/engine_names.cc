#include "engine_names.h"

#include <map>

namespace lockstep::docker {
namespace {

std::string Look(const Labels& labels, std::string_view name) {
  const auto it = labels.find(std::string(name));
  return it == labels.end() ? std::string() : it->second;
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
