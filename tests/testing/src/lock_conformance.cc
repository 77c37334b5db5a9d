#include "lockstep/testing/lock_conformance.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "lockstep/testing/counting_lock_sink.h"

namespace lockstep::test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const ServiceRef kWeb{"uuid-of-shop", "12", "web"};
const ServiceRef kDb{"uuid-of-shop", "12", "db"};
const ServiceRef kOther{"other", "other", "main"};
const std::vector<ServiceRef> kShop = {kWeb, kDb};

std::vector<std::string> PathsOf(const std::vector<LockHolder>& holders) {
  std::vector<std::string> paths;
  for (const LockHolder& holder : holders) paths.push_back(holder.path);
  return paths;
}

}  // namespace

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LockConformance);

int LinkLockConformance() { return 1; }

LockConformance::LockConformance() : driver_(GetParam()()), files_(0) {
  if (auto paths = locks().Resolve(kWeb)) files_ = paths.assume_value().files.size();
}

LockConformance::~LockConformance() = default;

LockSet LockConformance::Take(const std::vector<ServiceRef>& services, LockMode mode) {
  auto outcome = locks().TakeAll(services, mode);
  if (!outcome) {
    ADD_FAILURE() << Describe(outcome.assume_error());
    return {};
  }
  if (auto* taken = std::get_if<LockTaken>(&outcome.assume_value())) {
    return std::move(taken->locks);
  }
  ADD_FAILURE() << "held";
  return {};
}

std::vector<LockHolder> LockConformance::HeldBy(const std::vector<ServiceRef>& services,
                                                LockMode mode) {
  auto outcome = locks().TakeAll(services, mode);
  if (!outcome) {
    ADD_FAILURE() << Describe(outcome.assume_error());
    return {};
  }
  if (auto* held = std::get_if<LockHeld>(&outcome.assume_value())) return std::move(held->holders);
  return {};
}

std::vector<std::string> LockConformance::AppLocks(const std::vector<ServiceRef>& services) {
  auto holders = locks().Holders(services);
  if (!holders) {
    ADD_FAILURE() << Describe(holders.assume_error());
    return {};
  }
  std::vector<LockHolder> found = std::move(holders).assume_value();
  std::erase_if(found, [](const LockHolder& holder) { return holder.ours || !holder.held; });
  return PathsOf(found);
}

std::string LockConformance::Path(const ServiceRef& service, std::size_t file) {
  return locks().Resolve(service).assume_value().files.at(file);
}

std::size_t LockConformance::CountFiles(const std::vector<ServiceRef>& services) {
  std::size_t count = 0;
  for (const ServiceRef& service : services) {
    for (std::size_t file = 0; file < files(); ++file) count += app().Exists(service, file);
  }
  return count;
}

TEST_P(LockConformance, NothingIsHeldWhereNothingIs) {
  EXPECT_THAT(AppLocks(kShop), IsEmpty());
  const auto all = locks().List();
  ASSERT_TRUE(all);
  EXPECT_THAT(all.assume_value(), IsEmpty());
}

TEST_P(LockConformance, ReportsEachLockOfAnApp) {
  ASSERT_TRUE(locks().Prepare(kShop));
  for (std::size_t file = 0; file < files(); ++file) {
    ASSERT_TRUE(app().Hold(kWeb, file));
    EXPECT_THAT(AppLocks(kShop), ElementsAre(Path(kWeb, file)));
    ASSERT_TRUE(app().Remove(kWeb, file));
    EXPECT_THAT(AppLocks(kShop), IsEmpty());
  }
}

TEST_P(LockConformance, SaysWhoseALockIs) {
  ASSERT_TRUE(locks().Prepare(kShop));
  ASSERT_TRUE(app().Hold(kWeb, 0));
  const auto holders = locks().Holders(kShop);
  ASSERT_TRUE(holders);
  ASSERT_THAT(holders.assume_value(), SizeIs(1));
  const LockHolder& holder = holders.assume_value().front();
  EXPECT_EQ(holder.app, kWeb.app);
  EXPECT_EQ(holder.app_dir, kWeb.app_dir);
  EXPECT_EQ(holder.service, kWeb.service);
  EXPECT_TRUE(holder.held);
  EXPECT_FALSE(holder.ours);
  EXPECT_TRUE(holder.since.has_value());
}

TEST_P(LockConformance, ListsLocksOfEveryApp) {
  ASSERT_TRUE(locks().Prepare({{kWeb, kOther}}));
  ASSERT_TRUE(app().Hold(kWeb, 0));
  ASSERT_TRUE(app().Hold(kOther, 0));
  const auto all = locks().List();
  ASSERT_TRUE(all);
  EXPECT_THAT(PathsOf(all.assume_value()), UnorderedElementsAre(Path(kWeb, 0), Path(kOther, 0)));
}

TEST_P(LockConformance, TakesEveryFileOfEveryService) {
  LockSet set = Take(kShop);
  EXPECT_FALSE(set.empty());
  for (const ServiceRef& service : kShop) {
    for (std::size_t file = 0; file < files(); ++file) {
      EXPECT_TRUE(app().Exists(service, file));
      EXPECT_FALSE(app().Hold(service, file));
    }
  }
  EXPECT_THAT(AppLocks(kShop), IsEmpty());
  const auto holders = locks().Holders(kShop);
  ASSERT_TRUE(holders);
  EXPECT_THAT(holders.assume_value(), SizeIs(CountFiles(kShop)));
}

TEST_P(LockConformance, AServiceNamedTwiceIsTakenOnce) {
  LockSet set = Take({kWeb, kWeb});
  EXPECT_EQ(CountFiles({kWeb}), files());
  EXPECT_TRUE(set.Release());
  EXPECT_EQ(CountFiles({kWeb}), 0U);
}

TEST_P(LockConformance, NoServicesCanAlwaysBeTaken) { EXPECT_TRUE(Take({}).Release()); }

TEST_P(LockConformance, TakesNothingWhileAnAppHoldsAnything) {
  ASSERT_TRUE(locks().Prepare(kShop));
  ASSERT_TRUE(app().Hold(kWeb, files() - 1));
  EXPECT_THAT(PathsOf(HeldBy(kShop)), ElementsAre(Path(kWeb, files() - 1)));
  EXPECT_EQ(CountFiles(kShop), 1U);
}

TEST_P(LockConformance, ReportsAllWhoHold) {
  ASSERT_TRUE(locks().Prepare(kShop));
  ASSERT_TRUE(app().Hold(kDb, 0));
  ASSERT_TRUE(app().Hold(kWeb, 0));
  EXPECT_THAT(PathsOf(HeldBy(kShop)), UnorderedElementsAre(Path(kDb, 0), Path(kWeb, 0)));
}

TEST_P(LockConformance, OneAppsLockIsNothingToAnother) {
  ASSERT_TRUE(locks().Prepare({{kOther}}));
  ASSERT_TRUE(app().Hold(kOther, 0));
  EXPECT_FALSE(Take(kShop).empty());
}

TEST_P(LockConformance, ReleaseGivesAllBack) {
  LockSet set = Take(kShop);
  EXPECT_TRUE(set.Release());
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(CountFiles(kShop), 0U);
  EXPECT_TRUE(app().Hold(kWeb, 0));
}

TEST_P(LockConformance, TheEndOfASetGivesAllBack) {
  { const LockSet set = Take(kShop); }
  EXPECT_EQ(CountFiles(kShop), 0U);
}

TEST_P(LockConformance, ReleaseLeavesWhatAnAppPutInItsPlace) {
  LockSet set = Take(kShop);
  ASSERT_TRUE(app().Remove(kWeb, 0));
  ASSERT_TRUE(app().Hold(kWeb, 0));
  EXPECT_TRUE(set.Release());
  EXPECT_THAT(AppLocks(kShop), ElementsAre(Path(kWeb, 0)));
  EXPECT_EQ(CountFiles(kShop), 1U);
}

TEST_P(LockConformance, ReassertTakesAgainWhatIsMissing) {
  LockSet set = Take(kShop);
  ASSERT_TRUE(app().Remove(kWeb, 0));
  const auto holders = set.Reassert();
  ASSERT_TRUE(holders);
  EXPECT_THAT(holders.assume_value(), IsEmpty());
  EXPECT_FALSE(app().Hold(kWeb, 0));
  EXPECT_TRUE(set.Release());
  EXPECT_EQ(CountFiles(kShop), 0U);
}

TEST_P(LockConformance, ReassertReportsAnAppThatTookOne) {
  LockSet set = Take(kShop);
  ASSERT_TRUE(app().Remove(kDb, 0));
  ASSERT_TRUE(app().Hold(kDb, 0));
  const auto holders = set.Reassert();
  ASSERT_TRUE(holders);
  EXPECT_THAT(PathsOf(holders.assume_value()), ElementsAre(Path(kDb, 0)));
  EXPECT_FALSE(holders.assume_value().front().ours);
}

TEST_P(LockConformance, ForceRemovesAndReportsWhatApps) {
  ASSERT_TRUE(locks().Prepare(kShop));
  ASSERT_TRUE(app().Hold(kDb, 0));
  auto outcome = locks().TakeAll(kShop, LockMode::kForce);
  ASSERT_TRUE(outcome);
  auto* taken = std::get_if<LockTaken>(&outcome.assume_value());
  ASSERT_NE(taken, nullptr);
  EXPECT_THAT(PathsOf(taken->overridden), ElementsAre(Path(kDb, 0)));
  EXPECT_THAT(AppLocks(kShop), IsEmpty());
  EXPECT_TRUE(taken->locks.Release());
  EXPECT_EQ(CountFiles(kShop), 0U);  // It does not outlive its holder.
}

TEST_P(LockConformance, TwoSetsNeverHoldOneServiceNotEvenByForce) {
  LockSet first = Take(kShop);
  for (const LockMode mode : {LockMode::kRespect, LockMode::kForce}) {
    const auto holders = HeldBy({kWeb}, mode);
    EXPECT_THAT(holders, SizeIs(files()));
    EXPECT_THAT(holders, Each(::testing::Field(&LockHolder::ours, true)));
  }
  EXPECT_TRUE(first.Release());
  EXPECT_FALSE(Take({kWeb}).empty());
}

TEST_P(LockConformance, AbandonedLocksStayUntilLeftoversAreReleased) {
  LockSet set = Take(kShop);
  const LockSet other = Take({kOther});
  set.Abandon();
  EXPECT_EQ(CountFiles(kShop), 2 * files());
  const auto released = locks().ReleaseLeftovers();
  ASSERT_TRUE(released);
  EXPECT_EQ(released.assume_value(), static_cast<int>(2 * files()));
  EXPECT_EQ(CountFiles(kShop), 0U);
  EXPECT_EQ(CountFiles({kOther}), files());  // Held by a set that lives.
}

TEST_P(LockConformance, AbandonedLocksAreTakenOver) {
  Take(kShop).Abandon();
  LockSet set = Take(kShop);
  EXPECT_FALSE(set.empty());
  EXPECT_TRUE(set.Release());
  EXPECT_EQ(CountFiles(kShop), 0U);
}

TEST_P(LockConformance, AnAppsLockIsNoLeftover) {
  Take({kWeb}).Abandon();
  ASSERT_TRUE(app().Remove(kWeb, 0));
  ASSERT_TRUE(app().Hold(kWeb, 0));
  ASSERT_TRUE(locks().ReleaseLeftovers());
  EXPECT_THAT(AppLocks(kShop), ElementsAre(Path(kWeb, 0)));
}

TEST_P(LockConformance, ForgetRemovesAServicesLocks) {
  ASSERT_TRUE(locks().Prepare(kShop));
  ASSERT_TRUE(app().Hold(kWeb, 0));
  ASSERT_TRUE(app().Hold(kDb, 0));
  ASSERT_TRUE(locks().Forget(kWeb));
  ASSERT_TRUE(locks().Forget(kWeb));
  EXPECT_THAT(AppLocks(kShop), ElementsAre(Path(kDb, 0)));
}

TEST_P(LockConformance, RefusesNamesThatAreNoPathComponent) {
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("/"),
        std::string("a\0b", 3), std::string(300, 'a')}) {
    for (const ServiceRef& service : {ServiceRef{"a", "1", bad}, ServiceRef{"a", bad, "web"}}) {
      const std::vector<ServiceRef> services = {kWeb, service};
      const auto refused = [](const auto& result) {
        return !result && result.assume_error().code == ErrorCode::kInvalidInput;
      };
      EXPECT_TRUE(refused(locks().Resolve(service))) << bad;
      EXPECT_TRUE(refused(locks().Prepare(services))) << bad;
      EXPECT_TRUE(refused(locks().Forget(service))) << bad;
      EXPECT_TRUE(refused(locks().Holders(services))) << bad;
      EXPECT_TRUE(refused(locks().TakeAll(services, LockMode::kForce))) << bad;
    }
  }
  EXPECT_EQ(CountFiles({kWeb}), 0U);
}

TEST_P(LockConformance, WatchTellsOfLocksThatComeAndGo) {
  ASSERT_TRUE(locks().Prepare(kShop));
  CountingSink sink;
  std::jthread watch([&](std::stop_token stop) { EXPECT_TRUE(locks().Watch(kShop, sink, stop)); });
  ASSERT_TRUE(sink.AwaitMoreThan(0));
  int calls = sink.calls();
  ASSERT_TRUE(app().Hold(kWeb, 0));
  ASSERT_TRUE(sink.AwaitMoreThan(calls));
  calls = sink.calls();
  ASSERT_TRUE(app().Remove(kWeb, 0));
  ASSERT_TRUE(sink.AwaitMoreThan(calls));
}

TEST_P(LockConformance, ABadNameEndsNoWatch) {
  ASSERT_TRUE(locks().Prepare(kShop));
  const std::vector<ServiceRef> services = {{"a", "1", "a/b"}, kWeb};
  CountingSink sink;
  std::jthread watch(
      [&](std::stop_token stop) { EXPECT_TRUE(locks().Watch(services, sink, stop)); });
  ASSERT_TRUE(sink.AwaitMoreThan(0));
  const int calls = sink.calls();
  ASSERT_TRUE(app().Hold(kWeb, 0));
  ASSERT_TRUE(sink.AwaitMoreThan(calls));
}

TEST_P(LockConformance, WatchReturnsWhenItIsStopped) {
  CountingSink sink;
  std::stop_source stop;
  std::jthread watch([&] { EXPECT_TRUE(locks().Watch(kShop, sink, stop.get_token())); });
  ASSERT_TRUE(sink.AwaitMoreThan(0));
  stop.request_stop();
  watch.join();
}

TEST_P(LockConformance, ManyWhoTakeAtOnceNeverHoldTogether) {
  constexpr int kRounds = 100;
  std::atomic<int> inside{0};
  std::atomic<int> taken{0};
  const auto take_and_give = [&] {
    for (int round = 0; round < kRounds; ++round) {
      auto outcome = locks().TakeAll(kShop, LockMode::kRespect);
      ASSERT_TRUE(outcome);
      auto* mine = std::get_if<LockTaken>(&outcome.assume_value());
      if (mine == nullptr) continue;
      EXPECT_EQ(inside.fetch_add(1), 0);
      ++taken;
      inside.fetch_sub(1);
      EXPECT_TRUE(mine->locks.Release());
    }
  };
  {
    std::jthread first(take_and_give);
    std::jthread second(take_and_give);
    std::jthread third(take_and_give);
  }
  EXPECT_GT(taken, 0);
  EXPECT_EQ(CountFiles(kShop), 0U);
}

TEST_P(LockConformance, AHandOverThatIsCompleteIsSeenAtOnce) {
  ASSERT_TRUE(locks().Prepare(kShop));
  app().CompleteHandOver(kWeb);
  const auto outcome = locks().AwaitHandOver(kWeb, std::chrono::hours(1), {});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome.assume_value(), HandOverOutcome::kComplete);
}

TEST_P(LockConformance, AHandOverIsSeenWhenItComes) {
  ASSERT_TRUE(locks().Prepare(kShop));
  std::jthread later([&] { app().CompleteHandOver(kWeb); });
  const auto outcome = locks().AwaitHandOver(kWeb, std::chrono::hours(1), {});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome.assume_value(), HandOverOutcome::kComplete);
}

TEST_P(LockConformance, AHandOverThatWasClearedOrIsAnothersIsWaitedForInVain) {
  ASSERT_TRUE(locks().Prepare(kShop));
  app().CompleteHandOver(kWeb);
  app().CompleteHandOver(kDb);
  ASSERT_TRUE(locks().ClearHandOver(kWeb));
  ASSERT_TRUE(locks().ClearHandOver(kWeb)) << "again";
  const auto outcome = locks().AwaitHandOver(kWeb, std::chrono::milliseconds(30), {});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome.assume_value(), HandOverOutcome::kTimedOut);
}

TEST_P(LockConformance, WaitingForAHandOverEndsWhenItIsStopped) {
  std::stop_source stop;
  stop.request_stop();
  const auto outcome = locks().AwaitHandOver(kWeb, std::chrono::hours(1), stop.get_token());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.assume_error().code, ErrorCode::kCancelled);
}

}  // namespace lockstep::test
