// Volumes, paths of the host and tmpfs of a service, as the engine's JSON has them: both
// directions.
#ifndef LOCKSTEP_RUNTIMES_MOUNT_JSON_H_
#define LOCKSTEP_RUNTIMES_MOUNT_JSON_H_

#include "engine_names.h"
#include "json_read.h"
#include "lockstep/runtime_backend.h"

namespace lockstep::docker {

// Adds to HostConfig what is mounted in the container that `spec` describes.
void AddMounts(const ContainerSpec& spec, const AppNames& names, Json& host);

// Without the lock directories. `config` and `host`: of the container.
void ReadMounts(const Json& config, const Json& host, const AppNames& names, ServiceSpec& spec);
// Anonymous volumes, as `config` of a container or an image lists them.
Value::List AnonymousVolumes(const Json& config);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_MOUNT_JSON_H_
