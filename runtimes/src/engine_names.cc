#include "engine_names.h"

#include <map>
#include <optional>
#include <utility>

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

// None where nobody supervises what has these labels.
std::optional<AppNames> AppOfLabels(const Labels& labels) {
  if (Look(labels, kLabelSupervised).empty()) return std::nullopt;
  return AppNames{Look(labels, kLabelAppUuid), Look(labels, kLabelAppId)};
}

// Of "<first>_<rest>"; empty where there is no such.
std::string_view FirstPart(std::string_view name) {
  const std::size_t end = name.find('_');
  return end == std::string_view::npos ? std::string_view() : name.substr(0, end);
}

bool IsMadeOf(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}
bool IsUuid(std::string_view text) {
  constexpr std::size_t kShortest = 32;
  return text.size() >= kShortest && IsMadeOf(text, "0123456789abcdefABCDEF");
}
bool IsNumber(std::string_view text) { return !text.empty() && IsMadeOf(text, "0123456789"); }

}  // namespace

Labels ResourceLabels(const AppNames& names) {
  Labels labels;
  labels[std::string(kLabelSupervised)] = "true";
  labels[std::string(kLabelAppUuid)] = names.app;
  if (!names.app_id.empty()) labels[std::string(kLabelAppId)] = names.app_id;
  return labels;
}

AppNames AppOfNetwork(const Labels& labels, std::string_view engine_name) {
  auto names = AppOfLabels(labels);
  if (!names) return {};
  const std::string_view first = FirstPart(engine_name);
  if (names->app.empty()) names->app = IsUuid(first) ? std::string(first) : names->app_id;
  return *std::move(names);
}

AppNames AppOfVolume(const Labels& labels, std::string_view engine_name) {
  auto names = AppOfLabels(labels);
  if (!names) return {};
  const std::string_view first = FirstPart(engine_name);
  if (names->app_id.empty() && IsNumber(first) && first != names->app) names->app_id = first;
  if (names->app.empty()) names->app = names->app_id;
  return *std::move(names);
}

Labels WithoutAmbient(Labels labels) {
  std::erase_if(labels, [](const auto& label) {
    return IsAmbientLabel(label.first) || label.first == kLabelCustomIpam;
  });
  return labels;
}

}  // namespace lockstep::docker
