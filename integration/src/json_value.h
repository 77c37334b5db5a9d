// JSON at the edge: text into Value and back. Nothing that a document holds can crash or exhaust
// the process: nesting is bounded, and the text must be UTF-8.
#ifndef LOCKSTEP_INTEGRATION_JSON_VALUE_H_
#define LOCKSTEP_INTEGRATION_JSON_VALUE_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "lockstep/result.h"
#include "lockstep/value.h"

namespace lockstep {

// Deeper documents are refused: what walks a tree recursively must not run out of stack.
inline constexpr int kMaxJsonDepth = 64;

// Numbers become int where they fit in 64 bits, else double. Errors: kInvalidInput, with line and
// column where there are any: no JSON, nested too deep, an object that names a key twice, a text
// with a NUL character.
Result<Value> ParseJson(std::string_view text);

nlohmann::ordered_json ToJson(const Value& value);

// Text of `json`; bytes that are not UTF-8 come out as replacement characters.
// `indent`: spaces for each level, -1 for one line.
std::string Dump(const nlohmann::ordered_json& json, int indent = -1);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_JSON_VALUE_H_
