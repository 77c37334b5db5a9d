// A project with an engine of its own, which the shipped suite holds to the contract.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lockstep/runtimes/memory_engine.h>
#include <lockstep/testing/mock_runtime_backend.h>
#include <lockstep/testing/runtime_conformance.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

using namespace lockstep::test;

// Stands for yours: a RuntimeBackend that says its own name, and leaves the rest to another.
struct Behind {
  std::atomic<std::int64_t> ticks = 0;  // Each look at its clock is a millisecond later.
  lockstep::MemoryEngine engine{
      {.now = [this] { return lockstep::WallTime(std::chrono::milliseconds(++ticks)); }}};
};

class OwnEngine final : Behind, public testing::NiceMock<MockRuntimeBackend> {
 public:
  OwnEngine() : NiceMock(engine) {
    for (const char* image : {"app:1", "app:2"}) engine.AddImage(image);
    ON_CALL(*this, Describe).WillByDefault([](auto&&...) {
      return lockstep::EngineInfo{"own", "1.0", {}};
    });
  }
};

INSTANTIATE_TEST_SUITE_P(
    Own, RuntimeConformance, testing::Values(RuntimeConformanceFactory([] {
      return RuntimeConformanceSubject{std::make_shared<OwnEngine>(), "app:1", "app:2", "app:none"};
    })));

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  const int failed = RUN_ALL_TESTS();
  return failed != 0 || testing::UnitTest::GetInstance()->successful_test_count() == 0 ? 1 : 0;
}
