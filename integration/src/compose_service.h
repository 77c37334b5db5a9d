// One service of a compose file.
#ifndef LOCKSTEP_INTEGRATION_COMPOSE_SERVICE_H_
#define LOCKSTEP_INTEGRATION_COMPOSE_SERVICE_H_

#include <cstddef>
#include <string>

#include "compose_target.h"
#include "compose_variables.h"
#include "composition.h"
#include "document_place.h"
#include "lockstep/result.h"
#include "lockstep/target.h"
#include "lockstep/value.h"

namespace lockstep {

// What the parts of one file share while it is read.
struct ComposeReading {
  const ComposeOptions& options;
  const Variables& variables;
  Interpolation& interpolation;
  Problems& problems;
  std::size_t env_file_bytes = 0;  // Read so far for `env_file`.
};

// The service `name`, which is `raw` in the document: variables are not replaced yet. What it names
// (networks, volumes, services) is not looked for, and its `profiles` are not asked.
// Errors: as ReadComposeTarget.
Result<TargetService> ReadComposeService(const std::string& name, const Value& raw,
                                         const Place& place, ComposeReading& reading);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_COMPOSE_SERVICE_H_
