// What every ConfigBackend must do, as a suite. An implementation runs it from a test file with:
//
//   const bool registered = RegisterConfigConformance("MyBackend", [] { return ...; });
#ifndef LOCKSTEP_TESTING_CONFIG_CONFORMANCE_H_
#define LOCKSTEP_TESTING_CONFIG_CONFORMANCE_H_

#include <functional>
#include <memory>
#include <string>

#include "lockstep/config_backend.h"

namespace lockstep::test {

// One place where configuration is kept, as a device has it. What is in it goes with it.
class ConfigPlace {
 public:
  virtual ~ConfigPlace() = default;
  // The backend of this place, as a process finds it when it starts. The one that an earlier call
  // returned is used no more.
  virtual ConfigBackend& Open() = 0;
  // What can be set here, and is not yet: at least one key, each of another rule if it has several.
  virtual ConfigValues Settable() const = 0;
};

using ConfigPlaceFactory = std::function<std::unique_ptr<ConfigPlace>()>;

// Adds the suite `name` + "Conformance" to the test program; before its tests run. Returns true.
bool RegisterConfigConformance(const std::string& name, const ConfigPlaceFactory& make);

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTING_CONFIG_CONFORMANCE_H_
