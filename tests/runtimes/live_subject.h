// The real engine that LOCKSTEP_TEST_ENGINE and LOCKSTEP_TEST_REGISTRY name.
#ifndef LOCKSTEP_TESTS_RUNTIMES_LIVE_SUBJECT_H_
#define LOCKSTEP_TESTS_RUNTIMES_LIVE_SUBJECT_H_

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "lockstep/runtimes/docker_engine.h"
#include "lockstep/testing/runtime_conformance.h"

namespace lockstep::test {

inline std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

inline std::string LiveEngineUrl() { return FromEnvironment("LOCKSTEP_TEST_ENGINE"); }

inline RuntimeConformanceSubject LiveSubject() {
  const std::string registry = FromEnvironment("LOCKSTEP_TEST_REGISTRY");
  DockerOptions options;
  options.url = LiveEngineUrl();
  auto engine = MakeDockerEngine(options);
  if (!engine || registry.empty()) {
    std::fprintf(stderr, "LOCKSTEP_TEST_ENGINE and LOCKSTEP_TEST_REGISTRY name no engine\n");
    std::exit(1);
  }
  return {std::move(engine).assume_value(),
          registry + "/app:v1",
          registry + "/app:v2",
          registry + "/app:none",
          18473,
          registry + "/crash:1"};
}

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_RUNTIMES_LIVE_SUBJECT_H_
