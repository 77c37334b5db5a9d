// Apps that take and drop their locks as fast as they can, and Lockstep that takes all of them in
// between: never both at once, and nothing left at the end.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "host_fixture.h"

namespace lockstep::test {
namespace {

using ::testing::IsEmpty;

class StressTest : public HostLockFsTest {
 protected:
  // On devices the locks are in memory, too.
  StressTest() { options_ = OptionsIn(memory_.path()); }

  static constexpr int kApps = 16;
  static constexpr int kRounds = 1'000'000;
  static constexpr int kRoundsBetweenPauses = 100;

  // One app: takes the lock of its service in one of the two names.
  void RunApp(int app) {
    const ServiceRef& service = kShop[static_cast<std::size_t>(app) % kShop.size()];
    const std::string path = (app % 4 < 2 ? Lock(service) : Legacy(service)).string();
    for (int round = 1; app_turns_ < kRounds; ++round) {
      // Else one of sixteen always holds, and we would never get a turn.
      if (round % kRoundsBetweenPauses == 0) AwaitOurNextAttempt();
      const int made = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
      if (made < 0) continue;
      ++apps_inside_;
      if (we_are_inside_) ++both_;
      ++app_turns_;
      --apps_inside_;
      ::close(made);
      if (::unlink(path.c_str()) != 0) ++lost_;
    }
    --apps_left_;
  }

  void AwaitOurNextAttempt() const {
    const int before = our_attempts_;
    while (our_attempts_ == before && app_turns_ < kRounds) std::this_thread::yield();
  }

  void RunLockstep(HostLockFs& locks) {
    for (; apps_left_ != 0; ++our_attempts_) {
      auto outcome = locks.TakeAll(kShop, LockMode::kRespect);
      if (!outcome) continue;  // Apps took and dropped them all the time.
      auto* taken = std::get_if<LockTaken>(&outcome.assume_value());
      if (taken == nullptr) continue;
      we_are_inside_ = true;
      if (apps_inside_ != 0) ++both_;
      ++our_turns_;
      we_are_inside_ = false;
      if (!taken->locks.Release()) ++lost_;
    }
  }

  ScratchDir memory_{fs::exists("/dev/shm") ? "/dev/shm" : fs::temp_directory_path()};
  std::atomic<int> apps_left_{kApps};
  std::atomic<int> apps_inside_{0};
  std::atomic<bool> we_are_inside_{false};
  std::atomic<int> both_{0};
  std::atomic<int> lost_{0};  // Locks that were not there any more when they were given back.
  std::atomic<int> app_turns_{0};
  std::atomic<int> our_turns_{0};
  std::atomic<int> our_attempts_{0};
};

TEST_F(StressTest, AMillionRoundsOfSixteenAppsNeverMeetUs) {
  const auto locks = Open();
  ASSERT_TRUE(locks->Prepare(kShop));
  {
    std::vector<std::jthread> apps;
    for (int app = 0; app < kApps; ++app) apps.emplace_back([this, app] { RunApp(app); });
    RunLockstep(*locks);
  }
  EXPECT_EQ(both_, 0);
  EXPECT_EQ(lost_, 0);
  EXPECT_GT(our_turns_, 100);
  for (const ServiceRef& service : kShop) EXPECT_TRUE(fs::is_empty(Dir(service)));
  EXPECT_TRUE(fs::is_empty(Root() / ".lockstep"));
  RecordProperty("app_turns", app_turns_);
  RecordProperty("our_turns", our_turns_);
}

}  // namespace
}  // namespace lockstep::test
