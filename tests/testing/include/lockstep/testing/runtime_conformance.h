// What every RuntimeBackend must do, as tests. Run them on one of your own:
//
//   INSTANTIATE_TEST_SUITE_P(MyEngine, RuntimeConformance,
//                            ::testing::Values(RuntimeConformanceFactory([] { ... })));
//
// with `using namespace lockstep::test`; the tests come with lockstep::testing. They make and
// remove things of the app "lockstep-conformance" only.
#ifndef LOCKSTEP_TESTING_RUNTIME_CONFORMANCE_H_
#define LOCKSTEP_TESTING_RUNTIME_CONFORMANCE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "lockstep/runtime_backend.h"

namespace lockstep::test {

struct RuntimeConformanceSubject {
  std::shared_ptr<RuntimeBackend> backend;
  std::string image;         // Can be pulled; its containers run until they are stopped.
  std::string other_image;   // Another content.
  std::string absent_image;  // What its registry does not have.
  int free_port = 18473;     // On the engine's host.
  // Its containers print "cannot start" and exit with 1; empty: there is none, and that is not
  // tried.
  std::string failing_image = {};
};

using RuntimeConformanceFactory = std::function<RuntimeConformanceSubject()>;

class RuntimeConformance : public ::testing::TestWithParam<RuntimeConformanceFactory> {
 protected:
  RuntimeConformance();
  ~RuntimeConformance() override;  // Removes what the app has.

  RuntimeBackend& backend() { return *subject_.backend; }
  const RuntimeConformanceSubject& subject() const { return subject_; }
  std::stop_token never() const { return {}; }

  // A container to be made; its image is pulled first.
  ContainerSpec Wanted(const std::string& service, const std::string& hash = "c1:1");
  NetworkSpec Network(const std::string& name, Value config = Value::Map{}) const;
  VolumeSpec Volume(const std::string& name) const;
  // Each fails the test and returns something empty where it does not work.
  std::string Pull(const std::string& reference);
  std::string Create(const ContainerSpec& spec);
  std::string Started(const ContainerSpec& spec);
  EngineState Look(ObserveRequest request = {});
  // None where there is no such container.
  std::optional<ObservedContainer> Find(const std::string& id, ObserveRequest request = {});

 private:
  void Clear();

  RuntimeConformanceSubject subject_;
};

// A static library gives a program only what it asks for: this asks for the tests.
int LinkRuntimeConformance();
inline const int kRuntimeConformanceLinked = LinkRuntimeConformance();

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTING_RUNTIME_CONFORMANCE_H_
