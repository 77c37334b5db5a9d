// The real tools, both ways: they hold and we wait, we hold and they wait.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "host_fixture.h"
#include "lock_file.h"

namespace lockstep::test {
namespace {

using ::testing::SizeIs;

class ToolsTest : public HostLockFsTest {
 protected:
  ToolsTest() : locks_(Open()) { EXPECT_TRUE(locks_->Prepare(kShop)); }

  // Exit status of a command, in the directory of `web` as its container sees it.
  int Run(const std::string& command) {
    const std::string in_dir =
        "cd '" + Dir(kWeb).string() + "' && { " + command + "; } 2>/dev/null";
    const int status = std::system(("bash -c \"" + in_dir + "\"").c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  static bool HasTool(const std::string& tool) {
    return std::system(("command -v " + tool + " >/dev/null").c_str()) == 0;
  }

  std::unique_ptr<HostLockFs> locks_;
};

struct Tool {
  std::string name;
  std::string tool;
  std::string take;
  std::string give;
  LockKind kind;
};

const std::vector<Tool> kTools = {
    {"MkdirWithContent", "mkdir", "mkdir updates.lock && touch updates.lock/1",
     "rm -r updates.lock", LockKind::kDirectory},
    {"Symlink", "ln", "ln -s nowhere updates.lock", "rm updates.lock", LockKind::kSymlink},
    {"HardLink", "ln", "touch token && ln token updates.lock", "rm updates.lock token",
     LockKind::kExclusiveFile},
    {"Touch", "touch", "touch updates.lock", "rm updates.lock", LockKind::kExclusiveFile},
};

class ToolTest : public ToolsTest, public ::testing::WithParamInterface<Tool> {};

TEST_P(ToolTest, HoldsUntilItGivesBackAndTheWatchWakes) {
  if (!HasTool(GetParam().tool)) GTEST_SKIP() << "no " << GetParam().tool << " here";
  ASSERT_EQ(Run(GetParam().take), 0);
  const auto holders = Holders(locks_->TakeAll(kShop, LockMode::kRespect));
  ASSERT_THAT(holders, SizeIs(1));
  EXPECT_EQ(holders.front().kind, GetParam().kind);
  EXPECT_FALSE(Exists(Lock(kDb)));

  CountingSink sink;
  std::jthread watch([&](std::stop_token stop) { EXPECT_TRUE(locks_->Watch(kShop, sink, stop)); });
  ASSERT_TRUE(sink.AwaitMoreThan(0));
  const int before = sink.calls();
  ASSERT_EQ(Run(GetParam().give), 0);
  ASSERT_TRUE(sink.AwaitMoreThan(before));
  EXPECT_FALSE(Taken(locks_->TakeAll(kShop, LockMode::kRespect)).empty());
}

INSTANTIATE_TEST_SUITE_P(Tools, ToolTest, ::testing::ValuesIn(kTools),
                         [](const auto& param_info) { return param_info.param.name; });

TEST_F(ToolsTest, NoToolGetsWhatWeHold) {
  LockSet set = Taken(locks_->TakeAll(kShop, LockMode::kRespect));
  if (HasTool("lockfile")) {
    EXPECT_EQ(Run("lockfile -r0 updates.lock"), 73);
    EXPECT_EQ(Run("lockfile -r0 resin-updates.lock"), 73);
  }
  EXPECT_NE(Run("flock -n updates.lock true"), 0);
  EXPECT_NE(Run("set -C; : >updates.lock"), 0);
  EXPECT_NE(Run("mkdir updates.lock"), 0);
  EXPECT_NE(Run("ln -s nowhere updates.lock"), 0);
  EXPECT_TRUE(set.Release());
  EXPECT_EQ(Run("flock -n updates.lock true"), 0);
}

class Flock {  // A flock(1) that waits for the lock and then holds it until it is killed.
 public:
  explicit Flock(const std::string& path) : pid_(::fork()) {
    if (pid_ != 0) return;
    // Opened to read, as nobody could with O_CREAT where the system protects regular files.
    const std::string command = "exec 9<'" + path + "' && flock 9 && exec sleep 1000";
    ::execl("/bin/bash", "bash", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  ~Flock() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Flock(const Flock&) = delete;
  Flock& operator=(const Flock&) = delete;

 private:
  pid_t pid_;
};

bool IsWaitedFor(const fs::path& lock) {
  struct stat seen {};
  if (::stat(lock.c_str(), &seen) != 0) return false;
  return lockfs::ProcLocks::Read("").IsWaitedFor({seen.st_dev, seen.st_ino, 0});
}

TEST_F(ToolsTest, AFlockThatWaitsForUsGetsAFileThatHolds) {
  LockSet set = Taken(locks_->TakeAll(kShop, LockMode::kRespect));
  const Flock waiter(Lock(kWeb).string());
  ASSERT_TRUE(Await([&] { return IsWaitedFor(Lock(kWeb)); }));
  EXPECT_TRUE(set.Release());
  EXPECT_TRUE(Exists(Lock(kWeb)));
  EXPECT_FALSE(Exists(Legacy(kWeb)));
  const auto holders = Holders(locks_->TakeAll(kShop, LockMode::kRespect));
  ASSERT_THAT(holders, SizeIs(1));
  EXPECT_FALSE(holders.front().ours);
}

// When our process dies its flock goes with it, and who waited for it now works under its own.
TEST_F(ToolsTest, ALeftoverThatAnAppHasFlockedIsTheApps) {
  Taken(locks_->TakeAll(kShop, LockMode::kRespect)).Abandon();
  const Flock holder(Lock(kWeb).string());
  ASSERT_TRUE(Await([&] { return Run("flock -n 9 9<updates.lock") != 0; }));
  ASSERT_TRUE(Open()->ReleaseLeftovers());
  EXPECT_TRUE(Exists(Lock(kWeb)));
  EXPECT_FALSE(Exists(Lock(kDb)));
  EXPECT_THAT(Holders(Open()->TakeAll(kShop, LockMode::kRespect)), SizeIs(1));
}

class WatchTest : public ToolsTest {
 protected:
  void Start() {
    watch_ = std::jthread(
        [this](std::stop_token stop) { EXPECT_TRUE(locks_->Watch(kShop, sink_, stop)); });
    ASSERT_TRUE(sink_.AwaitMoreThan(0));
  }

  CountingSink sink_;
  std::jthread watch_;
};

TEST_F(WatchTest, ADirectoryRemovedAndRemadeIsWatchedAgain) {
  Start();
  for (int round = 0; round < 5; ++round) {
    int before = sink_.calls();
    fs::remove_all(Root() / "12");
    ASSERT_TRUE(sink_.AwaitMoreThan(before));
    before = sink_.calls();
    ASSERT_TRUE(locks_->Prepare(kShop));
    ASSERT_TRUE(sink_.AwaitMoreThan(before));
  }
  // The watch may be on its way to the new directory: what is done until it stands it sees then.
  ASSERT_TRUE(Await([&] {
    const int before = sink_.calls();
    Run("rm -f updates.lock; : >updates.lock");
    return sink_.calls() > before;
  }));
}

TEST_F(WatchTest, DirectoriesThatAreMissingAreSeenToCome) {
  fs::remove_all(Root());
  Start();
  const int before = sink_.calls();
  ASSERT_TRUE(locks_->Prepare(kShop));
  ASSERT_TRUE(sink_.AwaitMoreThan(before));
}

// 20,000 files overflow the queue of events; the lock among them is not lost.
TEST_F(WatchTest, AFloodOfFilesHidesNoLock) {
  Start();
  std::jthread flood([this] {
    for (int i = 0; i < 20'000; ++i) {
      const fs::path path = Dir(kWeb) / std::to_string(i);
      ::close(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    }
    std::ofstream(Lock(kWeb)).close();
  });
  flood.join();
  // Some call came after the lock did: one more at the most is under way.
  const int before = sink_.calls();
  ASSERT_EQ(Run("rm -f updates.lock"), 0);
  ASSERT_TRUE(sink_.AwaitMoreThan(before));
}

TEST_F(WatchTest, AnUnsafeDirectoryEndsNoWatchAndIsPolled) {
  fs::remove_all(Dir(kDb));
  fs::create_directory_symlink(Dir(kWeb), Dir(kDb));
  Start();
  int before = sink_.calls();
  ASSERT_EQ(Run("touch updates.lock"), 0);
  ASSERT_TRUE(sink_.AwaitMoreThan(before));
  before = sink_.calls();
  ASSERT_TRUE(sink_.AwaitMoreThan(before + 1));  // Nothing happens; it looks all the same.
}

TEST_F(WatchTest, WithoutInotifyItLooksOnceASecondAndSaysSo) {
  lockfs::Seams seams;
  seams.no_inotify = true;
  locks_ = Open(seams);
  Start();
  ASSERT_THAT(sink_.polling(), SizeIs(1));
  EXPECT_THAT(sink_.polling().front(), ::testing::HasSubstr("looked at once a second"));
  ASSERT_TRUE(sink_.AwaitMoreThan(2));
  EXPECT_THAT(sink_.polling(), SizeIs(1)) << "once";
}

bool Write(const char* path, const std::string& text) {
  std::ofstream file(path);
  return static_cast<bool>(file << text << std::flush);
}

// In a user namespace of its own, which may have no inotify: others of this user go on.
TEST_F(WatchTest, AtTheLimitOfInotifyItSaysWhichToRaise) {
  constexpr int kCannotTell = 77;
  const std::string map = "0 " + std::to_string(::geteuid()) + " 1";
  const pid_t child = ::fork();
  if (child == 0) {
    const bool limited = ::unshare(CLONE_NEWUSER) == 0 && Write("/proc/self/uid_map", map) &&
                         Write("/proc/sys/user/max_inotify_instances", "0");
    if (!limited) ::_exit(kCannotTell);
    CountingSink sink;
    std::jthread watch(
        [&](std::stop_token stop) { (void)locks_->Watch(kShop, sink, std::move(stop)); });
    // Nothing happens; it looks all the same.
    const bool polls = sink.AwaitMoreThan(1);
    const auto said = sink.polling();
    const bool says = said.size() == 1 && said[0].find("raise fs.inotify") != std::string::npos;
    ::_exit(polls && says ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kCannotTell) GTEST_SKIP() << "makes no user namespace here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(WatchTest, WhileItIsWatchedNothingIsPolled) {
  Start();
  EXPECT_THAT(sink_.polling(), SizeIs(0));
}

TEST_F(WatchTest, WatchingMakesNothing) {
  fs::remove_all(Root());
  Start();
  ASSERT_TRUE(sink_.AwaitMoreThan(1));
  EXPECT_FALSE(Exists(Root()));
}

// Else an update that is held would wake itself for ever.
TEST_F(WatchTest, TakingInVainWakesNobody) {
  ASSERT_EQ(Run("touch updates.lock"), 0);
  ASSERT_THAT(Holders(locks_->TakeAll(kShop, LockMode::kRespect)), SizeIs(1));
  Start();
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(Holders(locks_->TakeAll(kShop, LockMode::kRespect)), SizeIs(1));
  }
  // Had they made events, these stand in the queue before this one.
  ASSERT_EQ(Run("rm updates.lock"), 0);
  ASSERT_TRUE(sink_.AwaitMoreThan(1));
  EXPECT_EQ(sink_.calls(), 2);
}

}  // namespace
}  // namespace lockstep::test
