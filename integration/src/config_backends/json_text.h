// A JSON text that people and other programs keep too: one field of it is read or changed, all else
// stays as it is to the byte.
#ifndef LOCKSTEP_INTEGRATION_JSON_TEXT_H_
#define LOCKSTEP_INTEGRATION_JSON_TEXT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/result.h"
#include "lockstep/value.h"

namespace lockstep {

// The keys that lead to a field, from the outermost: {"os", "power", "mode"}. Never empty.
using JsonPath = std::vector<std::string>;

// Errors of both: kInvalidInput: `text` is no JSON (see ParseJson()) or no object, or something
// that the path leads through is no object. No error repeats a value that is in the text: there are
// keys among them.

// None where there is no such field, or where it is null.
Result<std::optional<Value>> JsonField(std::string_view text, const JsonPath& path);

// `text` with that field set to `value` or (none) gone. Indentation, line ends, the order of the
// keys and the way in which numbers are written stay. What is said already is not said anew.
// A new field is put in front of its neighbours: at the end, a comma would change a line of
// another. With a field that goes, objects on its path go that it leaves empty.
Result<std::string> WithJsonField(std::string_view text, const JsonPath& path,
                                  const std::optional<Value>& value);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_JSON_TEXT_H_
