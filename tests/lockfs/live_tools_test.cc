// Apps that hold locks by the real tools, as processes of their own: held, given back, and killed;
// and the other way, what the tool does while we hold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>

#include "host_fixture.h"
#include "proc_locks.h"

namespace lockstep::test {
namespace {

using ::testing::SizeIs;

// A shell command that says "ready" once it has its lock, and gives it back at the end of its
// input.
class App {
 public:
  App(const std::string& command, const fs::path& dir) {
    std::array<int, 2> input{};
    std::array<int, 2> output{};
    EXPECT_EQ(::pipe2(input.data(), O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(output.data(), O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setpgid(0, 0);
      ::dup2(input[0], 0);
      ::dup2(output[1], 1);
      ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), 2);
      if (::chdir(dir.c_str()) == 0) {
        ::execl("/bin/bash", "bash", "-c", command.c_str(), nullptr);
      }
      ::_exit(127);
    }
    ::setpgid(pid_, pid_);
    ::close(input[0]);
    ::close(output[1]);
    input_.Reset(input[1]);
    output_.Reset(output[0]);
  }
  ~App() { Kill(); }
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // False: it ended without its lock.
  bool AwaitReady() const {
    std::string said;
    for (char c; ::read(output_.get(), &c, 1) == 1 && c != '\n';) said += c;
    return said == "ready";
  }
  void GiveBack() { input_.Reset(); }
  // Its exit status.
  int AwaitEnd() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  void Kill() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);  // With its children.
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
    // flock's child is not ours to wait for; its end of the pipe tells.
    for (char c; ::read(output_.get(), &c, 1) == 1;) {
    }
  }

 private:
  pid_t pid_ = -1;
  lockfs::UniqueFd input_;
  lockfs::UniqueFd output_;
};

struct Tool {
  std::string name;
  std::string needs;  // A command that succeeds where the tool is there.
  std::string hold;
  LockKind kind;
  bool kernel_lock = false;  // flock: free when its process ends, however that is.
};

std::string Python(const std::string& tool) {
  return "exec /usr/bin/python3 '" LOCKSTEP_LOCK_TOOLS "/hold.py' " + tool;
}
std::string Node(const std::string& tool) {
  return "NODE_PATH='" LOCKSTEP_NODE_MODULES "' exec node '" LOCKSTEP_LOCK_TOOLS "/hold.js' " +
         tool;
}
const std::string kHasPython = "/usr/bin/python3 -c 'import lockfile, filelock'";
const std::string kHasNode = "NODE_PATH='" LOCKSTEP_NODE_MODULES
                             "' node -e 'require(\"lockfile\"); require(\"proper-lockfile\")'";

const std::vector<Tool> kTools = {
    {"Procmail", "command -v lockfile",
     "lockfile -r0 updates.lock && echo ready && cat && rm -f updates.lock",
     LockKind::kExclusiveFile},
    {"ProcmailLegacy", "command -v lockfile",
     "lockfile -r0 resin-updates.lock && echo ready && cat && rm -f resin-updates.lock",
     LockKind::kExclusiveFile},
    {"Noclobber", "true", "set -C; : >updates.lock && echo ready && cat && rm updates.lock",
     LockKind::kExclusiveFile},
    {"Mkdir", "true", "mkdir updates.lock && echo ready && cat && rmdir updates.lock",
     LockKind::kDirectory},
    {"Flock", "command -v flock", "flock -n updates.lock -c 'echo ready; cat'", LockKind::kFlock,
     true},
    {"FlockOfADescriptor", "command -v flock",
     "exec 9<>updates.lock && flock -n 9 && echo ready && cat", LockKind::kFlock, true},
    {"PythonLockFile", kHasPython, Python("lockfile"), LockKind::kExclusiveFile},
    {"PythonLinkLockFile", kHasPython, Python("lockfile-link"), LockKind::kExclusiveFile},
    {"PythonMkdirLockFile", kHasPython, Python("lockfile-mkdir"), LockKind::kDirectory},
    {"PythonSymlinkLockFile", kHasPython, Python("lockfile-symlink"), LockKind::kSymlink},
    {"PythonPidLockFile", kHasPython, Python("lockfile-pid"), LockKind::kExclusiveFile},
    {"PythonFileLock", kHasPython, Python("filelock"), LockKind::kFlock, true},
    {"PythonSoftFileLock", kHasPython, Python("filelock-soft"), LockKind::kExclusiveFile},
    {"NpmLockfile", kHasNode, Node("npm-lockfile"), LockKind::kExclusiveFile},
    {"NpmProperLockfile", kHasNode, Node("proper-lockfile"), LockKind::kDirectory},
};

class LiveToolTest : public HostLockFsTest, public ::testing::WithParamInterface<Tool> {
 protected:
  void SetUp() override {
    const Tool& tool = GetParam();
    if (std::system((tool.needs + " >/dev/null 2>&1").c_str()) != 0) {
      GTEST_SKIP() << "not installed: " << tool.name;
    }
    if (tool.kernel_lock && !lockfs::ProcLocks::Read("").whole()) {
      GTEST_SKIP() << "runs inside a pid namespace: /proc/locks does not tell of every process";
    }
    lockfs::Seams seams;
    seams.now = [this] { return now_.load(); };
    locks_ = Open(seams);
    ASSERT_TRUE(locks_->Prepare(kShop));
  }

  // Looks as an update that waits does: a file of flock is proven to be one in two looks.
  std::vector<LockHolder> LookTwice() {
    EXPECT_TRUE(locks_->Holders(kShop));
    now_ = now_.load() + lockfs::FlockHistory::kApart;
    return Holders(locks_->TakeAll(kShop, LockMode::kRespect));
  }
  static int Count(const fs::path& dir) {
    return static_cast<int>(std::distance(fs::directory_iterator(dir), fs::directory_iterator()));
  }

  std::atomic<lockfs::FlockHistory::TimePoint> now_{};  // Who watches asks for it as well.
  std::unique_ptr<HostLockFs> locks_;
};

TEST_P(LiveToolTest, HoldsUntilItGivesBack) {
  App app(GetParam().hold, Dir(kWeb));
  ASSERT_TRUE(app.AwaitReady());
  const auto holders = LookTwice();
  ASSERT_THAT(holders, SizeIs(1));
  EXPECT_EQ(holders.front().kind, GetParam().kind);
  EXPECT_TRUE(fs::is_empty(Dir(kDb))) << "an attempt in vain gives back what it took";

  CountingSink sink;
  std::jthread watch([&](std::stop_token stop) { EXPECT_TRUE(locks_->Watch(kShop, sink, stop)); });
  ASSERT_TRUE(sink.AwaitMoreThan(0));
  const int before = sink.calls();
  app.GiveBack();
  if (GetParam().kernel_lock) {
    app.AwaitEnd();
    LookTwice();
  } else {
    ASSERT_TRUE(sink.AwaitMoreThan(before));
    EXPECT_EQ(app.AwaitEnd(), 0);
  }
  EXPECT_TRUE(Taken(locks_->TakeAll(kShop, LockMode::kRespect)).Release());
  EXPECT_TRUE(fs::is_empty(Dir(kWeb)));
}

TEST_P(LiveToolTest, KilledItHoldsOnWhereOnlyItsNameTells) {
  App app(GetParam().hold, Dir(kWeb));
  ASSERT_TRUE(app.AwaitReady());
  ASSERT_THAT(LookTwice(), SizeIs(1));
  const int files = Count(Dir(kWeb));
  app.Kill();
  LookTwice();
  if (GetParam().kernel_lock) {
    EXPECT_FALSE(Taken(locks_->TakeAll(kShop, LockMode::kRespect)).empty());
  } else {
    ASSERT_THAT(LookTwice(), SizeIs(1)) << "nothing tells that its holder is dead";
    EXPECT_EQ(Count(Dir(kWeb)), files);
  }
}

TEST_P(LiveToolTest, DoesNotGetWhatWeHold) {
  LockSet set = Taken(locks_->TakeAll(kShop, LockMode::kRespect));
  {
    App app(GetParam().hold, Dir(kWeb));
    EXPECT_FALSE(app.AwaitReady());
    EXPECT_NE(app.AwaitEnd(), 0);
  }
  const auto holders = set.Reassert();
  ASSERT_TRUE(holders);
  EXPECT_THAT(holders.assume_value(), SizeIs(0)) << "all is still ours";
  EXPECT_TRUE(set.Release());
  App app(GetParam().hold, Dir(kWeb));
  EXPECT_TRUE(app.AwaitReady());
}

INSTANTIATE_TEST_SUITE_P(Tools, LiveToolTest, ::testing::ValuesIn(kTools),
                         [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace lockstep::test
