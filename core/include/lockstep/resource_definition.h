// Networks and volumes of a release: their definitions in canonical form (Compose Specification,
// top-level `networks` and `volumes`).
#ifndef LOCKSTEP_RESOURCE_DEFINITION_H_
#define LOCKSTEP_RESOURCE_DEFINITION_H_

#include "lockstep/result.h"
#include "lockstep/value.h"

namespace lockstep {

// A map without what is the engine's default: {} is a plain bridge network. Known members: driver,
// driver_opts, internal, attachable, enable_ipv6, config_only, labels, and ipam with driver,
// options and config entries of subnet, gateway, ip_range and aux_addresses. `x-*` is dropped, null
// is {}. Labels, options and addresses are maps of text, the entries of `config` are sorted.
// Errors: kInvalidInput naming the bad member and what is allowed; `name` and `external` are among
// what is refused, for a network belongs to its app.
Result<Value> NormalizeNetworkDefinition(const Value& raw);

// Likewise: driver, driver_opts, labels; {} is a plain local volume.
Result<Value> NormalizeVolumeDefinition(const Value& raw);

}  // namespace lockstep

#endif  // LOCKSTEP_RESOURCE_DEFINITION_H_
