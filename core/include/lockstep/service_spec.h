// ServiceSpec: the whole normalised configuration of one service. Two services with equal
// specifications and equal image content are the same to the planner, and interrupt nobody.
#ifndef LOCKSTEP_SERVICE_SPEC_H_
#define LOCKSTEP_SERVICE_SPEC_H_

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/service_field.h"
#include "lockstep/value.h"

namespace lockstep {

// When a service that depends on another may start (Compose Specification, depends_on.condition).
enum class DependencyCondition { kStarted, kHealthy, kCompletedSuccessfully };

struct Dependency {
  std::string service;
  DependencyCondition condition = DependencyCondition::kStarted;
  bool restart = false;  // Restarted when the other one is made anew.
  bool required = true;  // False: an absent service is no error.
  friend bool operator==(const Dependency&, const Dependency&) = default;
};

// How the tag of an image is looked up (Compose Specification, pull_policy).
enum class PullPolicy {
  kMissing,  // Pulled where the image is not present.
  kAlways,   // Looked up again for each release.
  kNever,    // Only what is present will do.
};

enum class Strategy { kDownloadThenKill, kKillThenDownload, kDeleteThenDownload, kHandOver };

std::string_view StrategyName(Strategy strategy);
std::optional<Strategy> StrategyFromName(std::string_view name);

// One canonical field; a field at its neutral default is left out of a specification.
struct FieldValue {
  Field field;
  Value value;
  friend bool operator==(const FieldValue&, const FieldValue&) = default;
};

// Complete as it is: what a reader's defaults add is in it, what Lockstep adds to every container
// (ambient labels, variables and mounts) is not.
struct ServiceSpec {
  std::string image;  // The reference, as the target writes it.
  bool running = true;
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> labels;
  std::vector<Dependency> depends_on;  // Sorted by service. Ordering only: no difference by itself.
  std::vector<FieldValue> fields;      // Sorted by field, each once.
  // Those that are no property of a container (FieldRow::of_container), apart, so that what
  // compares `fields` does not see them: no difference by themselves, and unknown of an observed
  // container.
  std::vector<FieldValue> other_fields;

  // The canonical value of `field`, null where it is at its neutral default.
  const Value* Find(Field field) const;
  // Keeps both lists sorted; a null value, or one equal to the neutral default, removes the field.
  void Set(Field field, Value value);

  friend bool operator==(const ServiceSpec&, const ServiceSpec&) = default;
};

// Views on fields that decisions need, with the engine's defaults where nothing is said. Lists are
// sorted, each name once.
std::string RestartPolicyOf(const ServiceSpec& spec);  // "no", "always", "on-failure:3", ...
// In the target's own words: those of `networks`, and the one that `network_mode` may name. None
// with a `network_mode` of host, none, bridge, service:<name> or container:<id>.
std::vector<std::string> NetworksOf(const ServiceSpec& spec);
std::vector<std::string> VolumesOf(const ServiceSpec& spec);  // Named volumes only.
// The services whose network, process or IPC namespace it joins ("service:<name>").
std::vector<std::string> SharedServicesOf(const ServiceSpec& spec);
std::chrono::milliseconds StopGraceOf(const ServiceSpec& spec);  // 10 s where nothing is said.
// How long its new container may take to hand over: its label, 60 s where that says nothing usable.
std::chrono::milliseconds HandOverTimeoutOf(const ServiceSpec& spec);
PullPolicy PullPolicyOf(const ServiceSpec& spec);
// Whether the specification has one that is not disabled; the image may bring another.
bool HasHealthCheck(const ServiceSpec& spec);
// How long a health check may take to say "healthy": start period and all retries. By the engine's
// defaults where nothing is said (the image's are not known here); 0 where it is disabled.
std::chrono::milliseconds HealthBudgetOf(const ServiceSpec& spec);

// `spec` without what `implied` says too, entry by entry where a field has entries. For what an
// image or an engine says of a container by itself (ObservedContainer::implied): to ask for the
// same is to ask for nothing.
ServiceSpec WithoutImplied(ServiceSpec spec, const ServiceSpec& implied);

// "c1:<16 hex>": a versioned hash over environment, labels and fields; image, `running` and
// `depends_on` are compared by themselves. Stable across releases of Lockstep with the same "c1".
std::string ConfigHash(const ServiceSpec& spec);

}  // namespace lockstep

#endif  // LOCKSTEP_SERVICE_SPEC_H_
