// What both target readers check of a release: names, labels, definitions, and that what a service
// names is there. A wrong value becomes a Problem, and the Problems of an app become its gaps.
#ifndef LOCKSTEP_INTEGRATION_RELEASE_CHECKS_H_
#define LOCKSTEP_INTEGRATION_RELEASE_CHECKS_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "composition.h"
#include "document_place.h"
#include "lockstep/identity.h"
#include "lockstep/target.h"
#include "lockstep/value.h"

namespace lockstep {

// Whether it can be a service's, a network's, a volume's or a release's name.
bool IsName(std::string_view name);
void CheckName(std::string_view name, const Place& place, Problems& problems);

enum class ResourceKind { kNetwork, kVolume };

// The definitions in canonical form. A wrong one is declared all the same, as an empty one: one
// slip, one gap.
std::map<std::string, Value> ReadDefinitions(const Value::Map& given, ResourceKind kind,
                                             const Place& place, Problems& problems);

// Labels that Lockstep sets are refused.
void CheckLabels(const Labels& labels, const Place& place, Problems& problems);
// What the strategy label says; the default where it says nothing or nothing known.
Strategy ReadStrategy(const Labels& labels, const Place& place, Problems& problems);

// What the rollback label says must be a yes or a no.
void CheckRollback(const Labels& labels, const Place& place, Problems& problems);

// That the release declares the networks and volumes of `spec`, at `place`. The default network is
// declared where it is used.
void CheckResources(const ServiceSpec& spec, const Place& place, TargetRelease& release,
                    Problems& problems);
// What `spec` cannot do without and is no service of `release`, whose services are sorted.
std::vector<std::string> MissingDependencies(const ServiceSpec& spec, const TargetRelease& release);

// One gap for each problem. The first of `prefixes` ("apps.x.") that a place begins with is left out there.
std::vector<Gap> GapsOf(Problems problems, const std::vector<std::string>& prefixes);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_RELEASE_CHECKS_H_
