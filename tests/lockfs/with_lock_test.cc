// `with-lock` as an app runs it: a process of its own, against a HostLockFs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "host_fixture.h"
#include "proc_locks.h"

namespace lockstep::test {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class WithLockTest : public HostLockFsTest {
 protected:
  WithLockTest() : locks_(Open()) { EXPECT_TRUE(locks_->Prepare(kShop)); }
  ~WithLockTest() override {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  }

  std::string ErrorPath() const { return (scratch_.path() / "stderr").string(); }
  // Starts it with these arguments, in the directory of `web`.
  void Start(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {LOCKSTEP_WITH_LOCK, "--service-dir", Dir(kWeb).string()});
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::dup2(::open(ErrorPath().c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    ::execv(argv[0], argv.data());
    ::_exit(99);
  }
  // Its exit status; -1 where a signal ended it.
  int End() {
    int status = 0;
    EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  int Run(std::vector<std::string> arguments) {
    Start(std::move(arguments));
    return End();
  }
  void Signal(int number) const { ::kill(pid_, number); }
  std::string Said() const {
    std::ifstream file(ErrorPath());
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::unique_ptr<HostLockFs> locks_;
  pid_t pid_ = -1;
};

TEST_F(WithLockTest, HoldsWhileTheCommandRunsAndNoLonger) {
  Start({"--", "sleep", "1000"});
  ASSERT_TRUE(Await([&] { return Exists(Lock(kWeb)); }));
  const auto holders = Holders(locks_->TakeAll(kShop, LockMode::kRespect));
  ASSERT_THAT(holders, SizeIs(1));
  EXPECT_EQ(holders.front().path, Lock(kWeb).string());
  Signal(SIGTERM);
  EXPECT_EQ(End(), 128 + SIGTERM) << "it is passed on";
  EXPECT_FALSE(Exists(Lock(kWeb)));
  EXPECT_FALSE(Taken(locks_->TakeAll(kShop, LockMode::kRespect)).empty());
}

TEST_F(WithLockTest, ExitsAsItsCommandDoes) {
  EXPECT_EQ(Run({"--", "true"}), 0);
  EXPECT_EQ(Run({"--", "sh", "-c", "exit 7"}), 7);
  EXPECT_EQ(Run({"--", "sh", "-c", "kill -9 $$"}), 128 + SIGKILL);
  EXPECT_EQ(Run({"sh", "-c", "exit 8"}), 8) << "without --";
  EXPECT_FALSE(Exists(Lock(kWeb)));
}

TEST_F(WithLockTest, SaysWhyItCannotRun) {
  EXPECT_EQ(Run({"--", "no-such-command"}), 127);
  EXPECT_THAT(Said(), HasSubstr("run no-such-command"));
  EXPECT_EQ(Run({"--", "/dev/null"}), 126);
  EXPECT_EQ(Run({}), 2);
  EXPECT_THAT(Said(), HasSubstr("no command is given"));
  EXPECT_EQ(Run({"--timeout", "soon", "--", "true"}), 2);
  EXPECT_EQ(Run({"--timeout", "-1", "--", "true"}), 2);
  EXPECT_EQ(Run({"--service-dir", "/no/such", "--", "true"}), 1);
  EXPECT_THAT(Said(), HasSubstr("open lock directory /no/such"));
  EXPECT_FALSE(Exists(Lock(kWeb)));
}

TEST_F(WithLockTest, WaitsWhileWeHold) {
  LockSet set = Taken(locks_->TakeAll(kShop, LockMode::kRespect));
  EXPECT_EQ(Run({"--timeout", "0", "--", "true"}), 3);
  EXPECT_THAT(Said(), HasSubstr("is held"));
  EXPECT_EQ(Run({"--timeout", "0.05", "--", "true"}), 3);
  Start({"--", "sh", "-c", "exit 5"});
  ASSERT_TRUE(Await([&] { return !Said().empty(); }));
  EXPECT_TRUE(set.Release());
  EXPECT_EQ(End(), 5);
}

TEST_F(WithLockTest, EndsWhileItWaitsAndTakesNothing) {
  std::ofstream(Lock(kWeb)) << "another's";
  Start({"--", "touch", (scratch_.path() / "ran").string()});
  ASSERT_TRUE(Await([&] { return !Said().empty(); }));
  Signal(SIGINT);
  EXPECT_EQ(End(), 128 + SIGINT);
  EXPECT_TRUE(Exists(Lock(kWeb)));
  EXPECT_FALSE(Exists(scratch_.path() / "ran"));
}

TEST_F(WithLockTest, LeavesWhatAnotherPutInThePlaceOfItsOwn) {
  EXPECT_EQ(Run({"--", "sh", "-c",
                 "cd '" + Dir(kWeb).string() + "' && rm updates.lock && mkdir updates.lock"}),
            0);
  EXPECT_TRUE(fs::is_directory(Lock(kWeb)));
}

TEST_F(WithLockTest, TakesOverWhatOneThatWasKilledLeftOnceItsCommandHasEnded) {
  const fs::path pid_file = scratch_.path() / "pid";
  Start({"--", "sh", "-c", "echo $$ >'" + pid_file.string() + "' && exec sleep 1000"});
  pid_t command = 0;
  ASSERT_TRUE(Await([&] { return static_cast<bool>(std::ifstream(pid_file) >> command); }));
  Signal(SIGKILL);
  End();
  EXPECT_EQ(Run({"--timeout", "0", "--", "true"}), 3) << "its command runs on under the lock";
  ::kill(command, SIGKILL);
  EXPECT_EQ(Run({"--timeout", "20", "--", "sh", "-c", "exit 6"}), 6);
  EXPECT_FALSE(Exists(Lock(kWeb)));
}

TEST_F(WithLockTest, LeavesTheFileOfAnotherToolAlone) {
  const lockfs::UniqueFd made(::open(Lock(kWeb).c_str(), O_WRONLY | O_CREAT | O_EXCL, 0644));
  EXPECT_EQ(Run({"--timeout", "0", "--", "true"}), 3);
  EXPECT_TRUE(Exists(Lock(kWeb)));
}

TEST_F(WithLockTest, EndsThoughItsParentIgnoresTheEndOfChildren) {
  const auto before = ::signal(SIGCHLD, SIG_IGN);
  Start({"--", "sh", "-c", "exit 4"});
  ::signal(SIGCHLD, before);
  EXPECT_EQ(End(), 4);
  EXPECT_FALSE(Exists(Lock(kWeb)));
}

// The command keeps the flock, and the file is what flock(1) would leave.
TEST_F(WithLockTest, KilledItHoldsForAsLongAsItsCommandRuns) {
  if (!lockfs::ProcLocks::Read("").whole()) GTEST_SKIP() << "runs inside a pid namespace";
  lockfs::FlockHistory::TimePoint now;
  lockfs::Seams seams;
  seams.now = [&now] { return now; };
  locks_ = Open(seams);
  const auto is_held = [&] {
    now += lockfs::FlockHistory::kApart;
    const auto holders = locks_->Holders(kShop);
    return holders && holders.assume_value().size() == 1 && holders.assume_value().front().held;
  };
  const fs::path go_on = scratch_.path() / "fifo";
  ASSERT_EQ(::mkfifo(go_on.c_str(), 0600), 0);
  Start({"--", "sh", "-c", "read line <'" + go_on.string() + "'"});
  ASSERT_TRUE(Await([&] { return Exists(Lock(kWeb)); }));
  EXPECT_TRUE(is_held());
  EXPECT_TRUE(is_held());
  // Once it has opened the fifo the command runs.
  const lockfs::UniqueFd word(::open(go_on.c_str(), O_WRONLY | O_CLOEXEC));
  Signal(SIGKILL);
  EXPECT_EQ(End(), -1);
  EXPECT_TRUE(is_held());
  EXPECT_TRUE(is_held());
  EXPECT_EQ(::write(word.get(), "\n", 1), 1);
  EXPECT_TRUE(Await([&] { return !is_held(); }));
  EXPECT_FALSE(Taken(locks_->TakeAll(kShop, LockMode::kRespect)).empty());
}

}  // namespace
}  // namespace lockstep::test
