// A CI that tests with the shipped doubles: no engine, no libcurl.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lockstep/testing/fake_lock_fs.h>

#include <variant>
#include <vector>

TEST(FakeLockFsTest, LockOfAnAppHoldsTheOthers) {
  lockstep::test::FakeLockFs locks;
  const std::vector<lockstep::ServiceRef> services = {{"shop", "1", "db"}, {"shop", "1", "web"}};
  ASSERT_TRUE(locks.HoldByApp(services[1]));
  const auto outcome = locks.TakeAll(services, lockstep::LockMode::kRespect);
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(std::holds_alternative<lockstep::LockHeld>(outcome.assume_value()));
}

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
