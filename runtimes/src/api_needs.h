// What an engine is too old for, and would pass over without a word.
#ifndef LOCKSTEP_RUNTIMES_API_NEEDS_H_
#define LOCKSTEP_RUNTIMES_API_NEEDS_H_

#include <string_view>

#include "lockstep/result.h"
#include "lockstep/service_spec.h"

namespace lockstep::docker {

// `api_version`: the newest that the engine speaks, "1.41". Error: kUnsupported, with the field.
Result<void> CheckNeeds(const ServiceSpec& spec, std::string_view api_version);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_API_NEEDS_H_
