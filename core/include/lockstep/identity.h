// Who is who: the labels and names by which apps, services and releases are recognised on an
// engine. They follow balena-supervisor's, so that a device can change from one to the other.
#ifndef LOCKSTEP_IDENTITY_H_
#define LOCKSTEP_IDENTITY_H_

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

inline constexpr std::string_view kLabelSupervised = "io.balena.supervised";
inline constexpr std::string_view kLabelAppId = "io.balena.app-id";
inline constexpr std::string_view kLabelAppUuid = "io.balena.app-uuid";
inline constexpr std::string_view kLabelServiceName = "io.balena.service-name";
inline constexpr std::string_view kLabelServiceId = "io.balena.service-id";
inline constexpr std::string_view kLabelConfigHash = "io.lockstep.config-hash";
// The restart policy a container was created with: its own may be set aside during an update.
inline constexpr std::string_view kLabelRestart = "io.lockstep.restart";
// The ids of the containers whose namespaces it joined, with commas; none where it joined none.
inline constexpr std::string_view kLabelShares = "io.lockstep.shares";
inline constexpr std::string_view kLabelStrategy = "io.balena.update.strategy";
// A service with it starts in a boot later than the one its container was made in.
inline constexpr std::string_view kLabelRequiresReboot = "io.balena.update.requires-reboot";
// Whether its app goes back where a release does not become healthy (rollback.h).
inline constexpr std::string_view kLabelRollback = "io.balena.update.rollback";
// Milliseconds that a hand-over may take.
inline constexpr std::string_view kLabelHandOverTimeout = "io.balena.update.handover-timeout";

// One service of one app, as locks see it. Ordered: the canonical order of taking locks.
struct ServiceRef {
  std::string app;      // The app's uuid, or a compose app's name.
  std::string app_dir;  // The app's lock directory: its numeric id, or the compose name.
  std::string service;
  friend auto operator<=>(const ServiceRef&, const ServiceRef&) = default;
};

using Labels = std::map<std::string, std::string>;

// The ids in kLabelShares, in their order; none without the label. JoinIds writes them.
std::vector<std::string> SharedContainersOf(const Labels& labels);
std::string JoinIds(const std::vector<std::string>& ids);

// What the labels of a container say. `owned` needs supervised, an app and a service label that are
// not all inherited from the image (design: I6); names and prefixes prove nothing.
struct ContainerIdentity {
  std::string app;     // Uuid; the id's text where only that is known.
  std::string app_id;  // Empty where there is none.
  std::string service;
  bool owned = false;
};
ContainerIdentity IdentityOf(const Labels& container_labels, const Labels& image_labels);

// "<service>_<imageId>_<releaseId>_<commit>"; ids that are missing are 0.
std::string ContainerName(std::string_view service, std::int64_t image_id, std::int64_t release_id,
                          std::string_view commit);
// The commit at the end of such a name (".<8 hex>" behind it is skipped); empty where there is
// none.
std::string CommitOfName(std::string_view container_name);

// True for labels that Lockstep or balena-supervisor adds to every container: not a part of a
// service's specification, and invalid in a target.
bool IsAmbientLabel(std::string_view label);
// True for variables that containers are told beside their own (BALENA_APP_ID and the like; USER,
// which a service may well set itself, only where it says what every container is told).
bool IsAmbientVariable(std::string_view name, std::string_view value);

}  // namespace lockstep

#endif  // LOCKSTEP_IDENTITY_H_
