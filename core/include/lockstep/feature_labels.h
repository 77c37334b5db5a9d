// Feature labels: what a service asks of its host by labels such as io.balena.features.dbus. One
// table says what each adds; they are balena-supervisor's, so that services made for it run alike.
#ifndef LOCKSTEP_FEATURE_LABELS_H_
#define LOCKSTEP_FEATURE_LABELS_H_

#include <string>
#include <string_view>
#include <vector>

#include "lockstep/identity.h"
#include "lockstep/requirement.h"
#include "lockstep/service_spec.h"
#include "lockstep/target.h"

namespace lockstep {

// Labels that say something besides what AddFeatures adds.
inline constexpr std::string_view kFeatureOptional = "io.balena.features.optional";
inline constexpr std::string_view kFeatureBalenaSocket = "io.balena.features.balena-socket";
// These bring variables (ambient.h) where the device knows them: DeviceInfo says of what.
inline constexpr std::string_view kFeatureSupervisorApi = "io.balena.features.supervisor-api";
inline constexpr std::string_view kFeatureBalenaApi = "io.balena.features.balena-api";
inline constexpr std::string_view kFeatureHostOsBoardRev = "io.balena.features.host-os.board-rev";

// Whether `labels` ask for `feature`: it is there with a value of 1, true or on, in any case.
bool HasFeature(const Labels& labels, std::string_view feature);

// For readers of targets, once a service's labels, environment and volumes are complete. Gives old
// labels their new names (io.resin.features.resin-api is io.balena.features.balena-api; the new
// one wins where there are both), and adds what the features ask for: paths of the host to
// `volumes`, a GPU to `gpus`, variables to the environment (the service's own win). It is part of
// the specification from then on, and so the same for every device: where a host lacks one of the
// paths, the engine makes an empty directory (and refuses a container that is to have a socket that
// is not there). Doing it twice changes nothing more.
//
// Returns what is to be said of the labels, without the service's name:
//   unsupported-feature  blocks: a feature that Lockstep cannot give
//   invalid-value        blocks: two mounts in one place
//   unknown-feature      does not: no such feature, or neither a yes nor a no
std::vector<Gap> AddFeatures(ServiceSpec& spec);

// What `labels` require of the device (io.balena.features.requires.hw.device-type: jetson-nano), as
// balena's builder makes a contract of them. For readers of targets; their names are new ones.
std::vector<Alternatives> RequirementsOf(const Labels& labels);

// Where the engine's socket is on its host, for a service that asks for it: on a device that is not
// balenaOS. Nothing where it does not ask.
void PlaceEngineSocket(const std::string& path, ServiceSpec& spec);

}  // namespace lockstep

#endif  // LOCKSTEP_FEATURE_LABELS_H_
