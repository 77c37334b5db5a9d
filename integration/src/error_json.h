// An error as JSON, as the command prints it with --json.
#ifndef LOCKSTEP_INTEGRATION_ERROR_JSON_H_
#define LOCKSTEP_INTEGRATION_ERROR_JSON_H_

#include <nlohmann/json.hpp>

#include "lockstep/error.h"

namespace lockstep {

// {"code", "message", "where", "context", "hint"}; what is empty is left out, but for the first
// two.
nlohmann::ordered_json ErrorToJson(const Error& error);
// {"error": {...}}
nlohmann::ordered_json ErrorDocument(const Error& error);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_ERROR_JSON_H_
