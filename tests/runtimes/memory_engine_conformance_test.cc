#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "lockstep/runtimes/memory_engine.h"
#include "lockstep/testing/runtime_conformance.h"

namespace lockstep::test {
namespace {

RuntimeConformanceSubject MemorySubject() {
  MemoryOptions options;
  // Two looks at the system clock may fall into one millisecond.
  options.now = [ticks = std::make_shared<std::atomic<std::int64_t>>(0)] {
    return WallTime(std::chrono::milliseconds(++*ticks));
  };
  const auto engine = std::make_shared<MemoryEngine>(options);
  engine->AddImage("registry/app:v1");
  engine->AddImage("registry/app:v2");
  engine->AddImage("registry/crash:1", {.exit_code = 1, .output = "cannot start\n"});
  return {engine, "registry/app:v1", "registry/app:v2", "registry/app:none",
          18473,  "registry/crash:1"};
}

INSTANTIATE_TEST_SUITE_P(Memory, RuntimeConformance,
                         ::testing::Values(RuntimeConformanceFactory(MemorySubject)));

}  // namespace
}  // namespace lockstep::test
