// From what the engine reports of one container to a specification.
#ifndef LOCKSTEP_RUNTIMES_INSPECT_READING_H_
#define LOCKSTEP_RUNTIMES_INSPECT_READING_H_

#include <map>
#include <string>

#include "engine_names.h"
#include "json_read.h"
#include "lockstep/service_spec.h"

namespace lockstep::docker {

// What an engine fills in where nothing is said, as far as it tells; from GET /info.
struct EngineDefaults {
  std::string log_driver = "json-file";
  std::string runtime = "runc";
  bool limits_swap = true;  // Else any limit of memory leaves swap without one.
};

EngineDefaults ReadDefaults(const Json& info);

// What the report of a container does not tell by itself.
struct Surroundings {
  AppNames names;
  std::string service;
  // Services of the app, by the id of the container that is the newest of theirs.
  std::map<std::string, std::string> services;
  EngineDefaults defaults;
};

// See ObservedContainer: `implied` is not in `spec`.
struct Reading {
  ServiceSpec spec;
  ServiceSpec implied;
  std::string api_key;
};

// `container` and `image` are replies of GET /containers/<id>/json and /images/<id>/json. What
// Lockstep adds to every container is left out of both. A namespace of another container reads
// "service:<name>" where that is in Surroundings::services, else "container:<id>".
Reading ReadContainer(const Json& container, const Json& image, const Surroundings& around);

// The containers whose namespaces this one shares, by id.
std::vector<std::string> SharedContainers(const Json& container);

// "no", "always", "unless-stopped", "on-failure[:n]".
std::string ReadRestartPolicy(const Json& container);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_INSPECT_READING_H_
