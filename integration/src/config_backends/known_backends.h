// The configuration backends that Lockstep knows, and which of them a device has.
#ifndef LOCKSTEP_INTEGRATION_KNOWN_BACKENDS_H_
#define LOCKSTEP_INTEGRATION_KNOWN_BACKENDS_H_

#include <memory>
#include <string>
#include <vector>

#include "lockstep/config_backend.h"
#include "options.h"

namespace lockstep {

// Where the parts of a host are that tell which backends it has.
struct ConfigPlaces {
  std::string root;  // In front of every path of the host; empty: none.
  std::string boot;  // The boot files.
};

// --boot-dir, or the first of the usual places that exists.
ConfigPlaces FindConfigPlaces(const CommonOptions& options);

// Those of this device. A board is recognised by what it has: the files that a backend is about,
// and for those that would write where others keep something else, its device tree.
std::vector<std::unique_ptr<ConfigBackend>> BackendsOf(const ConfigPlaces& places);

// The rules of all that are known: for a plan without a device.
std::vector<ConfigRule> KnownConfigRules();

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_KNOWN_BACKENDS_H_
