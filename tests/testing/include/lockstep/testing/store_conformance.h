// What every Store must do, as a suite. An implementation runs it from a test file with:
//
//   const bool registered = RegisterStoreConformance("MyStore", [] { return ...; });
#ifndef LOCKSTEP_TESTING_STORE_CONFORMANCE_H_
#define LOCKSTEP_TESTING_STORE_CONFORMANCE_H_

#include <functional>
#include <memory>
#include <string>

#include "lockstep/store.h"

namespace lockstep::test {

// One place where a state is kept. Made empty; what is in it goes with it.
class StorePlace {
 public:
  virtual ~StorePlace() = default;
  // The store of this place, as a process finds it when it starts: everything that was put before
  // is there. The one that an earlier call returned is used no more.
  virtual Store& Open() = 0;
};

using StorePlaceFactory = std::function<std::unique_ptr<StorePlace>()>;

// Adds the suite `name` + "Conformance" to the test program; before its tests run. Returns true.
bool RegisterStoreConformance(const std::string& name, const StorePlaceFactory& make);

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTING_STORE_CONFORMANCE_H_
