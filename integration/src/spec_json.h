// Specifications as JSON, for Lockstep itself to read again.
#ifndef LOCKSTEP_INTEGRATION_SPEC_JSON_H_
#define LOCKSTEP_INTEGRATION_SPEC_JSON_H_

#include <string>
#include <string_view>
#include <vector>

#include "lockstep/service_spec.h"

namespace lockstep {

std::string WriteSpecs(const std::vector<ServiceSpec>& specs);

// What cannot be read is left out.
std::vector<ServiceSpec> ReadSpecs(std::string_view text);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_SPEC_JSON_H_
