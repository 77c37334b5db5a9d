// Files that flock(1) leaves behind: proven, taken, and never guessed at.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <thread>

#include "flock_history.h"
#include "host_fixture.h"
#include "proc_locks.h"

namespace lockstep::test {
namespace {

using lockfs::FileInfo;
using lockfs::FlockHistory;
using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Verdict = FlockHistory::Verdict;

FileInfo FileOfFlock() {
  FileInfo file;
  file.id = {1, 2, 3};
  file.mode = S_IFREG | 0644;
  file.links = 1;
  return file;
}

struct Look {
  int at_ms;
  bool flocked;
};
struct Course {
  std::string name;
  std::vector<Look> looks;
  Verdict last;
};

class FlockHistoryTest : public ::testing::TestWithParam<Course> {};

TEST_P(FlockHistoryTest, Judges) {
  FlockHistory history;
  auto verdict = Verdict::kHeld;
  for (const Look& look : GetParam().looks) {
    verdict = history.Judge("updates.lock", FileOfFlock(), look.flocked,
                            FlockHistory::TimePoint(milliseconds(look.at_ms)));
  }
  EXPECT_EQ(verdict, GetParam().last);
}

INSTANTIATE_TEST_SUITE_P(
    Courses, FlockHistoryTest,
    ::testing::Values(
        Course{"NeverFlocked", {{0, false}, {1000, false}, {2000, false}}, Verdict::kHeld},
        Course{"MadeFirstAndFlockedLater",
               {{0, false}, {1000, true}, {2000, true}, {3000, false}, {4000, false}},
               Verdict::kHeld},
        Course{"FlockedForAnInstant", {{0, true}, {1000, false}, {2000, false}}, Verdict::kHeld},
        Course{"FlockedOnce", {{0, true}}, Verdict::kUndecided},
        Course{"TwoLooksTooNear",
               {{0, true}, {999, true}, {1000, false}, {2000, false}},
               Verdict::kHeld},
        Course{"Flocked", {{0, true}, {1000, true}}, Verdict::kUndecided},
        Course{"JustFree", {{0, true}, {1000, true}, {2000, false}}, Verdict::kUndecided},
        Course{"FreeForTooShort",
               {{0, true}, {1000, true}, {2000, false}, {2999, false}},
               Verdict::kUndecided},
        Course{"LeftBehind",
               {{0, true}, {1000, true}, {2000, false}, {3000, false}},
               Verdict::kLeftBehind},
        Course{"LookedAtOften",
               {{0, true}, {500, true}, {1000, true}, {1500, false}, {2000, false}, {2500, false}},
               Verdict::kLeftBehind},
        Course{"StaysLeftBehind",
               {{0, true}, {1000, true}, {2000, false}, {3000, false}, {3001, false}},
               Verdict::kLeftBehind},
        Course{"FlockedAgain",
               {{0, true}, {1000, true}, {2000, false}, {3000, false}, {4000, true}},
               Verdict::kUndecided},
        Course{"FlockedInBetween",
               {{0, true}, {1000, true}, {2000, false}, {2500, true}, {3000, false}},
               Verdict::kUndecided}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(FlockHistoryOfOtherFilesTest, WhatFlockDoesNotMakeIsHeldForGood) {
  const auto judged = [](const FileInfo& oddity) {
    FlockHistory history;
    const auto at = [](int ms) { return FlockHistory::TimePoint(milliseconds(ms)); };
    history.Judge("l", FileOfFlock(), true, at(0));
    history.Judge("l", FileOfFlock(), true, at(1000));
    history.Judge("l", oddity, true, at(1500));
    history.Judge("l", FileOfFlock(), false, at(2000));
    return history.Judge("l", FileOfFlock(), false, at(3000));
  };
  EXPECT_EQ(judged(FileOfFlock()), Verdict::kLeftBehind);
  FileInfo odd = FileOfFlock();
  odd.size = 1;
  EXPECT_EQ(judged(odd), Verdict::kHeld) << "with data in it";
  odd = FileOfFlock();
  odd.links = 2;
  EXPECT_EQ(judged(odd), Verdict::kHeld) << "with another name";
  odd = FileOfFlock();
  odd.mode = S_IFREG | 0444;
  EXPECT_EQ(judged(odd), Verdict::kHeld) << "as lockfile(1) makes it";
  odd = FileOfFlock();
  odd.id.inode = 7;
  EXPECT_EQ(judged(odd), Verdict::kHeld) << "another file";
}

// Another process that has the file flocked from its construction on.
class FlockProcess {
 public:
  explicit FlockProcess(const std::string& path) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      // What was open here is no lock of that process.
      ::dup2(ready[1], 3);
      ::close_range(4, ~0U, 0);
      const int fd = ::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
      if (::flock(fd, LOCK_EX) == 0) (void)!::write(3, "", 1);
      ::pause();
      ::_exit(0);
    }
    ::close(ready[1]);
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
  }
  ~FlockProcess() { End(); }
  FlockProcess(const FlockProcess&) = delete;
  FlockProcess& operator=(const FlockProcess&) = delete;

  pid_t pid() const { return pid_; }
  void End() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
};

class FlockTest : public HostLockFsTest {
 protected:
  void SetUp() override {
    if (!lockfs::ProcLocks::Read("").whole()) {
      GTEST_SKIP() << "runs inside a pid namespace: /proc/locks does not tell of every process";
    }
    seams_.now = [this] { return now_; };
    locks_ = Open(seams_);
    ASSERT_TRUE(locks_->Prepare(kShop));
  }

  void Advance() { now_ += FlockHistory::kApart; }
  LockHolder TheHolder() {
    const auto holders = locks_->Holders(kShop);
    if (!holders || holders.assume_value().size() != 1) return {};
    return holders.assume_value().front();
  }
  // Leaves a file behind as flock(1) does, and has it proven.
  void LeaveBehind(const ServiceRef& service) {
    FlockProcess flock(Lock(service).string());
    ASSERT_TRUE(locks_->Holders(kShop));
    Advance();
    ASSERT_TRUE(locks_->Holders(kShop));
    flock.End();
    ASSERT_TRUE(locks_->Holders(kShop));
    Advance();
  }

  // By the clock of the machine: an flock that goes on is proven when it was seen for a second.
  void HoldUntilProven() {
    ASSERT_TRUE(TheHolder().held);
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begin < FlockHistory::kApart) {
      ASSERT_TRUE(TheHolder().held);
    }
    ASSERT_TRUE(TheHolder().held);
  }

  FlockHistory::TimePoint now_;
  lockfs::Seams seams_;
  std::unique_ptr<HostLockFs> locks_;
};

TEST_F(FlockTest, HoldsWhileAProcessHasItAndSaysWhich) {
  const FlockProcess flock(Lock(kWeb).string());
  const LockHolder holder = TheHolder();
  EXPECT_TRUE(holder.held);
  EXPECT_EQ(holder.kind, LockKind::kFlock);
  EXPECT_THAT(holder.holder, HasSubstr("(pid " + std::to_string(flock.pid()) + ")"));
  EXPECT_THAT(Holders(locks_->TakeAll(kShop, LockMode::kRespect)), SizeIs(1));
}

TEST_F(FlockTest, WhatItLeavesBehindIsFreeAndGoesWithOurs) {
  LeaveBehind(kWeb);
  EXPECT_FALSE(TheHolder().held);
  EXPECT_THAT(TheHolder().notes, Contains(StartsWith("left behind by flock(1)")));
  LockSet set = Taken(locks_->TakeAll(kShop, LockMode::kRespect));
  EXPECT_TRUE(Exists(Lock(kDb)));
  const lockfs::UniqueFd app(::open(Lock(kWeb).c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_NE(::flock(app.get(), LOCK_EX | LOCK_NB), 0) << "while it is ours";
  EXPECT_TRUE(set.Release());
  EXPECT_FALSE(Exists(Lock(kWeb)));
  EXPECT_FALSE(Exists(Lock(kDb)));
}

TEST_F(FlockTest, OneThatWasMadeBeforeItWasFlockedHolds) {
  std::ofstream(Lock(kWeb)).close();
  ASSERT_TRUE(locks_->Holders(kShop));
  LeaveBehind(kWeb);
  EXPECT_TRUE(TheHolder().held);
  EXPECT_THAT(Holders(locks_->TakeAll(kShop, LockMode::kRespect)), SizeIs(1));
  EXPECT_TRUE(Exists(Lock(kWeb)));
}

TEST_F(FlockTest, OneThatWasFlockedForAnInstantHolds) {
  FlockProcess(Lock(kWeb).string()).End();
  for (int look = 0; look < 5; ++look, Advance()) EXPECT_TRUE(TheHolder().held);
  EXPECT_THAT(Holders(locks_->TakeAll(kShop, LockMode::kRespect)), SizeIs(1));
}

TEST_F(FlockTest, OneThatIsFlockedAgainHolds) {
  LeaveBehind(kWeb);
  EXPECT_FALSE(TheHolder().held);
  const FlockProcess again(Lock(kWeb).string());
  EXPECT_TRUE(TheHolder().held);
  EXPECT_THAT(Holders(locks_->TakeAll(kShop, LockMode::kRespect)), SizeIs(1));
}

TEST_F(FlockTest, ANewFileOfTheSameNameHolds) {
  LeaveBehind(kWeb);
  fs::remove(Lock(kWeb));
  std::ofstream(Lock(kWeb)).close();
  EXPECT_TRUE(TheHolder().held);
}

TEST_F(FlockTest, InsideAPidNamespaceEverythingHoldsAndSaysSo) {
  seams_.in_pid_namespace = true;
  locks_ = Open(seams_);
  LeaveBehind(kWeb);
  EXPECT_TRUE(TheHolder().held);
  EXPECT_THAT(TheHolder().notes, Contains(HasSubstr("inside a container")));
  EXPECT_THAT(Holders(locks_->TakeAll(kShop, LockMode::kRespect)), SizeIs(1));
}

TEST_F(FlockTest, AnAttemptThatFailsLeavesTheFileAsItWas) {
  std::optional<FlockProcess> app;
  seams_.at = [&](std::string_view point) {
    if (point == "left-file-taken" && !app) app.emplace(Lock(kWeb).string());
  };
  locks_ = Open(seams_);
  LeaveBehind(kDb);
  LeaveBehind(kWeb);
  ASSERT_TRUE(Exists(Lock(kDb)) && Exists(Lock(kWeb)));
  const auto before = fs::last_write_time(Lock(kDb));
  EXPECT_THAT(Holders(locks_->TakeAll(kShop, LockMode::kRespect)), SizeIs(1));
  ASSERT_TRUE(app) << "it got as far as the second file";
  EXPECT_TRUE(Exists(Lock(kDb)));
  EXPECT_EQ(fs::last_write_time(Lock(kDb)), before);
  EXPECT_FALSE(Exists(Legacy(kDb)));
}

TEST_F(FlockTest, OneThatWasOursInAProcessThatDiedIsReleased) {
  LeaveBehind(kWeb);
  Taken(locks_->TakeAll(kShop, LockMode::kRespect)).Abandon();
  EXPECT_TRUE(Exists(Lock(kWeb)));
  ASSERT_TRUE(Open()->ReleaseLeftovers());
  EXPECT_FALSE(Exists(Lock(kWeb)));
}

// No event tells that an flock ended.
TEST_F(FlockTest, TheWatchSeesOneEnd) {
  locks_ = Open();  // By the clock of the machine: the watch looks once a second.
  FlockProcess flock(Lock(kWeb).string());
  CountingSink sink;
  std::jthread watch([&](std::stop_token stop) { EXPECT_TRUE(locks_->Watch(kShop, sink, stop)); });
  ASSERT_TRUE(sink.AwaitMoreThan(0));
  HoldUntilProven();
  const int before = sink.calls();
  flock.End();
  ASSERT_TRUE(sink.AwaitMoreThan(before));
  EXPECT_FALSE(Taken(locks_->TakeAll(kShop, LockMode::kRespect)).empty());
}

// It is flocked again between the watch's word that it is free and the attempt to take it.
TEST_F(FlockTest, TheWatchSeesOneEndThatCameBack) {
  locks_ = Open();
  std::optional<FlockProcess> flock(std::in_place, Lock(kWeb).string());
  CountingSink sink;
  std::jthread watch([&](std::stop_token stop) { EXPECT_TRUE(locks_->Watch(kShop, sink, stop)); });
  ASSERT_TRUE(sink.AwaitMoreThan(0));
  HoldUntilProven();
  int before = sink.calls();
  flock.reset();
  ASSERT_TRUE(sink.AwaitMoreThan(before));
  flock.emplace(Lock(kWeb).string());
  EXPECT_THAT(Holders(locks_->TakeAll(kShop, LockMode::kRespect)), SizeIs(1));
  before = sink.calls();
  flock.reset();
  ASSERT_TRUE(sink.AwaitMoreThan(before));
}

TEST(ProcLocksTest, KnowsNothingWhereItCannotBeRead) {
  const auto locks = lockfs::ProcLocks::Read("");
  EXPECT_EQ(locks.DescribeHolder({1, 2, 3}), "");
  EXPECT_FALSE(locks.IsFlocked({1, 2, 3}));
}

}  // namespace
}  // namespace lockstep::test
