#include "lockstep/identity.h"

#include <algorithm>
#include <array>

namespace lockstep {
namespace {

std::string_view Look(const Labels& labels, std::string_view name) {
  const auto it = labels.find(std::string(name));
  return it == labels.end() ? std::string_view() : std::string_view(it->second);
}

bool AllDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool AllHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// An old device says io.resin.* where a newer one says io.balena.*; the newer word wins.
std::string_view LookBoth(const Labels& labels, std::string_view name) {
  constexpr std::string_view kPrefix = "io.balena.";
  const std::string_view value = Look(labels, name);
  if (!value.empty() || !name.starts_with(kPrefix)) return value;
  const auto it = labels.find("io.resin." + std::string(name.substr(kPrefix.size())));
  return it == labels.end() ? std::string_view() : std::string_view(it->second);
}

constexpr std::array<std::string_view, 6> kAmbientLabels = {
    kLabelSupervised,  kLabelAppId,     kLabelAppUuid,
    kLabelServiceName, kLabelServiceId, "io.balena.image-id",
};

}  // namespace

ContainerIdentity IdentityOf(const Labels& container_labels, const Labels& image_labels) {
  ContainerIdentity identity;
  const std::string_view uuid = LookBoth(container_labels, kLabelAppUuid);
  const std::string_view id = LookBoth(container_labels, kLabelAppId);
  identity.app = uuid.empty() ? id : uuid;
  identity.app_id = id;
  identity.service = LookBoth(container_labels, kLabelServiceName);
  const std::string_view supervised = LookBoth(container_labels, kLabelSupervised);
  const bool labelled = !supervised.empty() && !identity.app.empty() && !identity.service.empty();
  // An image may carry our labels (made by `docker commit`): then every container of it would look
  // like ours, whoever runs it.
  const bool inherited = LookBoth(image_labels, kLabelSupervised) == supervised &&
                         LookBoth(image_labels, kLabelServiceName) == identity.service &&
                         (LookBoth(image_labels, kLabelAppUuid) == identity.app ||
                          LookBoth(image_labels, kLabelAppId) == identity.app);
  identity.owned = labelled && !inherited;
  return identity;
}

std::vector<std::string> SharedContainersOf(const Labels& labels) {
  std::vector<std::string> ids;
  std::string_view rest = Look(labels, kLabelShares);
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    ids.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return ids;
}

std::string JoinIds(const std::vector<std::string>& ids) {
  std::string text;
  for (const std::string& id : ids) text += (text.empty() ? "" : ",") + id;
  return text;
}

std::string ContainerName(std::string_view service, std::int64_t image_id, std::int64_t release_id,
                          std::string_view commit) {
  std::string name(service);
  name += '_';
  name += std::to_string(image_id);
  name += '_';
  name += std::to_string(release_id);
  name += '_';
  name += commit;
  return name;
}

std::string CommitOfName(std::string_view name) {
  // "<final>.<8 hex>": the name of a container made while the final name was still taken.
  if (const auto dot = name.rfind('.');
      dot != std::string_view::npos && name.size() - dot == 9 && AllHex(name.substr(dot + 1))) {
    name = name.substr(0, dot);
  }
  const auto commit_at = name.rfind('_');
  if (commit_at == std::string_view::npos || commit_at == 0) return {};
  const auto release_at = name.rfind('_', commit_at - 1);
  if (release_at == std::string_view::npos || release_at == 0) return {};
  const auto image_at = name.rfind('_', release_at - 1);
  if (image_at == std::string_view::npos) return {};
  if (!AllDigits(name.substr(release_at + 1, commit_at - release_at - 1)) ||
      !AllDigits(name.substr(image_at + 1, release_at - image_at - 1))) {
    return {};
  }
  return std::string(name.substr(commit_at + 1));
}

bool IsAmbientLabel(std::string_view label) {
  constexpr std::string_view kResin = "io.resin.";
  if (label.starts_with("io.lockstep.")) return true;
  const std::string renamed = label.starts_with(kResin)
                                  ? "io.balena." + std::string(label.substr(kResin.size()))
                                  : std::string(label);
  return std::find(kAmbientLabels.begin(), kAmbientLabels.end(), renamed) != kAmbientLabels.end();
}

}  // namespace lockstep
