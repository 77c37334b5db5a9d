// What a compose file may say and Lockstep refuses by name, with the reason and what to write
// instead. What it does not know at all is refused too, elsewhere.
#ifndef LOCKSTEP_INTEGRATION_COMPOSE_REFUSALS_H_
#define LOCKSTEP_INTEGRATION_COMPOSE_REFUSALS_H_

#include <optional>

#include "document_place.h"
#include "lockstep/error.h"

namespace lockstep {

enum class ComposePart { kFile, kService, kNetwork, kVolume };

// kInvalidTarget where the field `place.key` of such a part is refused; none where it is not.
std::optional<Error> RefusedField(ComposePart part, const Place& place);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_COMPOSE_REFUSALS_H_
