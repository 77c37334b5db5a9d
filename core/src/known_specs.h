// What containers were made from, as the store remembers it: an engine need not be asked.
#ifndef LOCKSTEP_KNOWN_SPECS_H_
#define LOCKSTEP_KNOWN_SPECS_H_

#include <map>
#include <string>
#include <vector>

#include "lockstep/observed_state.h"
#include "lockstep/store.h"

namespace lockstep {

// By app and config hash. Several services may have one hash: the image and the dependencies are no
// part of it.
using KnownSpecs = std::map<std::string, std::multimap<std::string, const ServiceSpec*>>;

// Those of apps at rest. While a cutover is under way the policies of containers are set aside, and
// only a look into each of them tells. Points into `stored`.
KnownSpecs KnownSpecsOf(const StoreState& stored);

// Sorted, each once.
std::vector<std::string> WithHashesOf(const KnownSpecs& known, std::vector<std::string> hashes);

// Gives each owned container that was not looked into the specification that its hash stands for:
// of several the one of its image, or none.
void FillIn(const KnownSpecs& known, EngineState& engine);

}  // namespace lockstep

#endif  // LOCKSTEP_KNOWN_SPECS_H_
