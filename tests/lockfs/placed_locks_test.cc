// Other schemes of locks: one for all services of an app, and those that OS 1.X keeps beside data.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "host_fixture.h"
#include "lockstep/lockfs/data_locks.h"
#include "lockstep/lockfs/joined_lock_fs.h"
#include "lockstep/lockfs/placed_lock_fs.h"

namespace lockstep::test {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

std::vector<std::string> PathsOf(const std::vector<LockHolder>& holders) {
  std::vector<std::string> paths;
  for (const LockHolder& holder : holders) paths.push_back(holder.path);
  return paths;
}

class AppWideLocksTest : public HostLockFsTest {
 protected:
  std::unique_ptr<LockFs> OpenAppWide() {
    return PlaceLocks(Open(), {[](const ServiceRef& service) {
                        return ServiceRef{service.app, service.app_dir, "app"};
                      }});
  }
  fs::path AppLock() const { return Root() / "12/app/updates.lock"; }
};

TEST_F(AppWideLocksTest, OneLockHoldsAndServesAllServices) {
  const auto locks = OpenAppWide();
  ASSERT_TRUE(locks->Prepare(kShop));
  EXPECT_EQ(locks->Resolve(kWeb).assume_value().engine_dir,
            locks->Resolve(kDb).assume_value().engine_dir);
  std::ofstream(AppLock()).close();
  const auto holders = Holders(locks->TakeAll(kShop, LockMode::kRespect));
  EXPECT_THAT(PathsOf(holders), ElementsAre(AppLock()));
  EXPECT_EQ(holders.front().service, kShop.front().service) << "a service of the app, by name";
  fs::remove(AppLock());
  LockSet set = Taken(locks->TakeAll(kShop, LockMode::kRespect));
  EXPECT_TRUE(Exists(AppLock()));
  EXPECT_FALSE(Exists(Lock(kWeb)));
  EXPECT_TRUE(set.Release());
  EXPECT_FALSE(Exists(AppLock()));
}

TEST_F(AppWideLocksTest, AServiceThatGoesLeavesTheLockToTheOthers) {
  const auto locks = OpenAppWide();
  ASSERT_TRUE(locks->Prepare(kShop));
  std::ofstream(AppLock()).close();
  ASSERT_TRUE(locks->Forget(kWeb));
  EXPECT_TRUE(Exists(AppLock()));
}

// As the command joins them on such a device.
class DataLocksTest : public HostLockFsTest {
 protected:
  DataLocksTest() { fs::create_directories(DataLock().parent_path()); }

  std::unique_ptr<LockFs> OpenWithData(std::string boot = "this-boot") {
    options_.boot_id = boot;
    const auto data = DataLockOptions(options_, (scratch_.path() / "data").string());
    auto opened = OpenHostLockFs(data);
    EXPECT_TRUE(opened) << Describe(opened.assume_error());
    return JoinLocks(Open(), PlaceLocks(std::move(opened).assume_value(), DataLockPlacement()));
  }
  fs::path DataLock() const { return scratch_.path() / "data/resin-data/12/resin-updates.lock"; }
};

TEST_F(DataLocksTest, EitherHoldsAndBothAreTaken) {
  const auto locks = OpenWithData();
  ASSERT_TRUE(locks->Prepare(kShop));
  std::ofstream(DataLock()).close();
  EXPECT_THAT(PathsOf(Holders(locks->TakeAll(kShop, LockMode::kRespect))), ElementsAre(DataLock()));
  EXPECT_FALSE(Exists(Lock(kWeb))) << "all or nothing over both";
  std::ofstream(Lock(kWeb)).close();
  EXPECT_THAT(PathsOf(Holders(locks->TakeAll(kShop, LockMode::kRespect))),
              UnorderedElementsAre(DataLock(), Lock(kWeb)));
  fs::remove(DataLock());
  fs::remove(Lock(kWeb));
  LockSet set = Taken(locks->TakeAll(kShop, LockMode::kRespect));
  EXPECT_TRUE(Exists(DataLock()) && Exists(Lock(kWeb)));
  EXPECT_TRUE(set.Release());
  EXPECT_FALSE(Exists(DataLock()) || Exists(Lock(kWeb)));
}

TEST_F(DataLocksTest, TheListLeavesOutWhatElseLiesBesideTheData) {
  for (const char* other : {"docker/containers", "resin-data/12/deep"}) {
    fs::create_directories(scratch_.path() / "data" / other);
    std::ofstream(scratch_.path() / "data" / other / "resin-updates.lock").close();
  }
  std::ofstream(DataLock()).close();
  const auto all = OpenWithData()->List();
  ASSERT_TRUE(all);
  ASSERT_THAT(PathsOf(all.assume_value()), ElementsAre(DataLock()));
  EXPECT_EQ(all.assume_value().front().app_dir, "12");
}

// The app may have taken it before Lockstep was there: it is never cleared blindly.
TEST_F(DataLocksTest, AnAppsLockFromBeforeTheStartHoldsInEveryBoot) {
  std::ofstream(DataLock()).close();
  for (const char* boot : {"this-boot", "next-boot"}) {
    const auto locks = OpenWithData(boot);
    ASSERT_TRUE(locks->ReleaseLeftovers());
    EXPECT_THAT(Holders(locks->TakeAll(kShop, LockMode::kRespect)), SizeIs(1)) << boot;
  }
  EXPECT_TRUE(Exists(DataLock()));
}

TEST_F(DataLocksTest, OursFromBeforeAPowerCutIsStale) {
  Taken(OpenWithData()->TakeAll(kShop, LockMode::kRespect)).Abandon();
  ASSERT_TRUE(Exists(DataLock()));
  const auto locks = OpenWithData("next-boot");
  ASSERT_TRUE(locks->ReleaseLeftovers());
  EXPECT_FALSE(Exists(DataLock()));
}

TEST_F(DataLocksTest, ForgettingAServiceLeavesItsData) {
  std::ofstream(DataLock().parent_path() / "data") << "the user's";
  const auto locks = OpenWithData();
  ASSERT_TRUE(locks->Forget(kWeb));
  EXPECT_TRUE(Exists(DataLock().parent_path() / "data"));
}

}  // namespace
}  // namespace lockstep::test
