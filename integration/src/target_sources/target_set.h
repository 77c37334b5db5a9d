// Several compose files as one text, and one target:
//   {"format": "lockstep.target-set/1", "files": {"shop.yml": "name: shop\n...", ...}}
#ifndef LOCKSTEP_INTEGRATION_TARGET_SOURCES_TARGET_SET_H_
#define LOCKSTEP_INTEGRATION_TARGET_SOURCES_TARGET_SET_H_

#include <map>
#include <string>

#include "lockstep/result.h"
#include "lockstep/target.h"
#include "lockstep/value.h"

namespace lockstep {

// `files`: name -> what it holds.
std::string WriteTargetSet(const std::map<std::string, std::string>& files);

// What is in `files` of such a document; null where it is none.
const Value* FilesOfTargetSet(const Value& document);

// Puts the apps of `from` into `to`, in their order. Errors: kInvalidTarget where both have one.
Result<void> AddApps(Target from, Target& to);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_TARGET_SOURCES_TARGET_SET_H_
