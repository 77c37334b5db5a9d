// A service in the words of the Compose Specification: the `composition` of a balena service, a
// service of a compose file, and what a snapshot says of a container that exists.
#ifndef LOCKSTEP_INTEGRATION_COMPOSITION_H_
#define LOCKSTEP_INTEGRATION_COMPOSITION_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document_place.h"
#include "lockstep/nearest_word.h"
#include "lockstep/result.h"
#include "lockstep/service_spec.h"
#include "lockstep/value.h"

namespace lockstep {

// A wrong value: the rest of the document can still be read.
struct Problem {
  std::string code;   // A gap's: "invalid-value", ...
  std::string where;  // The place in the document.
  std::string message;
  bool blocks = true;
};
using Problems = std::vector<Problem>;

// Whose composition it is, and so whose defaults hold: balena's, or in a compose file those of the
// Compose Specification. What a target asks for must be known and allowed; what is said of a
// container that exists may be anything that an engine reports.
enum class CompositionOf { kBalenaTarget, kComposeFile, kContainer };

// The specification that `composition` (a map, or null) stands for, with its defaults in it. A
// field with a wrong value is added to `problems` and left out. `x-*` and `image` are ignored.
// Errors: kInvalidTarget for a composition that is no map and for an unknown field of a target.
Result<ServiceSpec> ReadComposition(const Value& composition, const Place& place, CompositionOf of,
                                    Problems& problems);

// The other way: read as a container's it gives the same fields and dependencies again. Image,
// environment, labels and `running` are not in it.
Value WriteComposition(const ServiceSpec& spec);

// Variables or labels: a map, or a list of "name=value". A null value is an absent one.
std::map<std::string, std::string> ReadTexts(const Value& raw, const Place& place,
                                             Problems& problems);

// A problem where `image` cannot be the reference of one; `web:` is what an unset variable leaves.
void CheckImage(std::string_view image, const Place& place, Problems& problems);

// A truth value, in words too (what stands in the place of a variable is text); else none.
std::optional<bool> FlagOf(const Value& value);

// kInvalidTarget about a field that is not among `known`, with the one that was probably meant.
Error UnknownFieldError(const Place& place, const std::vector<std::string_view>& known);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_COMPOSITION_H_
