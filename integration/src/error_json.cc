#include "error_json.h"

#include <string>

namespace lockstep {

nlohmann::ordered_json ErrorToJson(const Error& error) {
  nlohmann::ordered_json out;
  out["code"] = ErrorCodeName(error.code);
  out["message"] = error.message;
  if (!error.where.empty()) out["where"] = error.where;
  if (!error.context.empty()) out["context"] = error.context;
  if (!error.hint.empty()) out["hint"] = error.hint;
  return out;
}

nlohmann::ordered_json ErrorDocument(const Error& error) {
  nlohmann::ordered_json out;
  out["error"] = ErrorToJson(error);
  return out;
}

}  // namespace lockstep
