// A composition that others wrote for other programs: what of it Lockstep does not know.
#ifndef LOCKSTEP_INTEGRATION_COMPOSITION_FROM_ELSEWHERE_H_
#define LOCKSTEP_INTEGRATION_COMPOSITION_FROM_ELSEWHERE_H_

#include <string_view>

#include "composition.h"
#include "document_place.h"
#include "lockstep/value.h"

namespace lockstep {

inline constexpr std::string_view kUnknownField = "unknown-field";
inline constexpr std::string_view kIgnoredField = "ignored-field";

// Takes out of `composition` what ReadComposition would refuse, with a problem for each: one that
// blocks nothing for a field of the Compose Specification, which balena's supervisor ignores too.
void DropUnknownFields(Value& composition, const Place& place, Problems& problems);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_COMPOSITION_FROM_ELSEWHERE_H_
