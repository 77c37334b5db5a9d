// What a service of a target needs of its device: by its contract, and by its labels.
#ifndef LOCKSTEP_INTEGRATION_SERVICE_NEEDS_H_
#define LOCKSTEP_INTEGRATION_SERVICE_NEEDS_H_

#include <vector>

#include "composition.h"
#include "document_place.h"
#include "lockstep/requirement.h"
#include "lockstep/target.h"
#include "lockstep/value.h"

namespace lockstep {

// What `contract` requires; nothing where it is null. Of a requirement type, slug and version are
// read and `name` is ignored; one of a type that nobody knows is kept, for no device meets it. A
// wrong value is added to `problems` and left out.
std::vector<Alternatives> ReadContract(const Value& contract, const Place& place,
                                       Problems& problems);

// For readers of every kind, once labels, environment, composition and contract of `service` are
// read: gives old labels their new names, adds the features that labels ask for to the
// specification (AddFeatures) and the requirements that they name to those of the contract.
// `place` is that of the labels.
void AddNeedsOfLabels(const Place& place, TargetService& service, Problems& problems);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_SERVICE_NEEDS_H_
