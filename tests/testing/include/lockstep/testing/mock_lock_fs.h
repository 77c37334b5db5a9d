// MockLockFs: for tests where the call itself is the promise. Whatever is not expected goes to the
// LockFs that stands behind it.
#ifndef LOCKSTEP_TESTING_MOCK_LOCK_FS_H_
#define LOCKSTEP_TESTING_MOCK_LOCK_FS_H_

#include <gmock/gmock.h>

#include <vector>

#include "lockstep/lock_fs.h"

namespace lockstep::test {

// `behind` outlives the mock. Wrap it: ::testing::NiceMock<MockLockFs> locks(fake);
class MockLockFs : public LockFs {
 public:
  using Services = std::span<const ServiceRef>;

  explicit MockLockFs(LockFs& behind);
  // Out of line, as the constructor: what gMock makes of each method is then compiled once.
  ~MockLockFs() override;

  MOCK_METHOD(Result<LockPaths>, Resolve, (const ServiceRef& service), (const, override));
  MOCK_METHOD(Result<void>, Prepare, (Services services), (override));
  MOCK_METHOD(Result<void>, Forget, (const ServiceRef& service), (override));
  MOCK_METHOD(Result<std::vector<LockHolder>>, Holders, (Services services), (override));
  MOCK_METHOD(Result<std::vector<LockHolder>>, List, (), (override));
  MOCK_METHOD(Result<LockOutcome>, TakeAll, (Services services, LockMode mode), (override));
  MOCK_METHOD(Result<int>, ReleaseLeftovers, (), (override));
  MOCK_METHOD(Result<void>, ClearHandOver, (const ServiceRef& service), (override));
  MOCK_METHOD(Result<HandOverOutcome>, AwaitHandOver,
              (const ServiceRef& service, std::chrono::milliseconds timeout, std::stop_token stop),
              (override));
  MOCK_METHOD(Result<void>, Watch, (Services services, LockSink& sink, std::stop_token stop),
              (override));
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTING_MOCK_LOCK_FS_H_
