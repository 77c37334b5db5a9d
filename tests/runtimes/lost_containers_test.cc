#include "lost_containers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "lockstep/clock.h"
#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

using docker::ContainerOfCgroup;
using docker::EndProcesses;
using docker::LostContainers;
using docker::ProcessesOf;
using docker::SignalFromName;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
namespace fs = std::filesystem;

constexpr milliseconds kLong{600'000};

// Processes in a cgroup that is named as an engine names that of a container.
class LostContainersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    id_ = std::string(40, 'a') + std::to_string(1'000'000'000 + getpid());
    id_.resize(64, 'b');
    for (const char* root : {"/sys/fs/cgroup/pids", "/sys/fs/cgroup"}) {
      std::error_code error;
      const fs::path group = fs::path(root) / id_;
      if (fs::exists(fs::path(root) / "cgroup.procs", error) &&
          fs::create_directory(group, error)) {
        group_ = group;
        return;
      }
    }
    GTEST_SKIP() << "no cgroup can be made on this machine";
  }
  void TearDown() override {
    for (const pid_t child : children_) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
    std::error_code error;
    if (!group_.empty()) fs::remove(group_, error);
  }

  // A child in the cgroup, once it has said that it is ready. It never returns from `run`.
  template <typename Run>
  pid_t Start(Run run) {
    std::array<int, 2> ready{};
    EXPECT_EQ(pipe(ready.data()), 0);
    const std::string procs = group_ / "cgroup.procs";
    const pid_t child = fork();
    if (child == 0) {
      std::ofstream(procs) << getpid() << std::endl;
      run([&] { (void)!write(ready[1], "x", 1); });
      _exit(1);
    }
    close(ready[1]);
    char byte = 0;
    EXPECT_EQ(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    children_.push_back(child);
    return child;
  }
  template <typename Ready>
  [[noreturn]] static void Wait(Ready ready) {
    ready();
    while (true) pause();
  }
  static int StatusOf(pid_t child) {
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return status;
  }

  std::string id_;
  fs::path group_;
  std::vector<pid_t> children_;
};

TEST_F(LostContainersTest, TheOneThatBeganTheOthersComesFirst) {
  pid_t parent = Start([](auto ready) {
    if (fork() == 0) Wait(ready);
    while (true) pause();
  });
  const auto found = ProcessesOf(id_);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0], parent);
  ASSERT_TRUE(EndProcesses(id_, SIGTERM, kLong, {}));
  EXPECT_THAT(ProcessesOf(id_), IsEmpty()) << "the grandchild too";
}

TEST_F(LostContainersTest, WhatHasEndedOrNeverBeganIsNoProcessOfIt) {
  const pid_t ended = Start([](auto ready) {
    ready();
    _exit(0);
  });
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(ended), &info, WEXITED | WNOWAIT), 0);
  Start([](auto ready) {
    prctl(PR_SET_NAME, "runc:[2:INIT]");
    Wait(ready);
  });
  EXPECT_THAT(ProcessesOf(id_), IsEmpty());
}

TEST_F(LostContainersTest, ANameIsNoDisguise) {
  const pid_t child = Start([](auto ready) {
    prctl(PR_SET_NAME, ") Z 1 (");
    Wait(ready);
  });
  EXPECT_THAT(ProcessesOf(id_), ElementsAre(child));
}

TEST_F(LostContainersTest, IsAskedBeforeItIsKilled) {
  const pid_t child = Start([](auto ready) {
    signal(SIGTERM, [](int) { _exit(7); });
    Wait(ready);
  });
  ASSERT_TRUE(EndProcesses(id_, SIGTERM, kLong, {}));
  EXPECT_EQ(WEXITSTATUS(StatusOf(child)), 7);
  children_.clear();
}

TEST_F(LostContainersTest, IsKilledWhenItsTimeIsUp) {
  const pid_t child = Start([](auto ready) {
    signal(SIGTERM, SIG_IGN);
    Wait(ready);
  });
  ASSERT_TRUE(EndProcesses(id_, SIGTERM, milliseconds(1), {}));
  EXPECT_EQ(WTERMSIG(StatusOf(child)), SIGKILL);
  children_.clear();
}

TEST_F(LostContainersTest, AStopRequestEndsTheWaitAndKillsNothing) {
  const pid_t child = Start([](auto ready) {
    signal(SIGTERM, SIG_IGN);
    Wait(ready);
  });
  std::stop_source source;
  source.request_stop();
  EXPECT_THAT(EndProcesses(id_, SIGTERM, kLong, source.get_token()),
              IsError(ErrorCode::kCancelled));
  EXPECT_THAT(ProcessesOf(id_), ElementsAre(child));
}

TEST_F(LostContainersTest, IsEndedByTheSignalOfItsImage) {
  const pid_t child = Start([](auto ready) {
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, [](int) { _exit(8); });
    Wait(ready);
  });
  ASSERT_TRUE(EndProcesses(id_, SIGINT, kLong, {}));
  EXPECT_EQ(WEXITSTATUS(StatusOf(child)), 8);
  children_.clear();
}

// What is waited for is there at once.
class HastyClock final : public Clock {
 public:
  WallTime Now() override { return WallTime{} + (now_ - MonoTime{}); }
  MonoTime Monotonic() override { return now_; }
  bool WaitUntil(std::condition_variable_any&, std::unique_lock<std::mutex>&,
                 std::optional<MonoTime> deadline, std::stop_token,
                 const std::function<bool()>& done) override {
    now_ = deadline.value_or(now_);
    return done();
  }

 private:
  MonoTime now_{};
};

class MarkLostTest : public LostContainersTest {
 protected:
  void SetUp() override {
    LostContainersTest::SetUp();
    if (!IsSkipped()) Start([](auto ready) { Wait(ready); });
  }
  bool Look(ContainerState state, bool owned = true) {
    std::vector<ObservedContainer> containers(2);
    containers[0].id = id_;
    containers[0].owned = owned;
    containers[0].state = state;
    containers[1].id = std::string(64, 'c');
    containers[1].owned = true;
    const auto runs = [&](const std::string& id) {
      EXPECT_EQ(id, id_);
      return ++asked_ > engine_knows_after_;
    };
    lost_.Mark(containers, runs, clock_, {});
    EXPECT_FALSE(containers[1].lost);
    return containers[0].lost && containers[0].IsUp();
  }

  HastyClock clock_;
  LostContainers lost_;
  int asked_ = 0;
  int engine_knows_after_ = 100;
};

TEST_F(MarkLostTest, WhatTheEngineDoesNotKnowForThreeSecondsIsLostUntilItEnds) {
  EXPECT_TRUE(Look(ContainerState::kCreated));
  EXPECT_EQ(asked_, 4);
  EXPECT_EQ(clock_.Monotonic() - MonoTime{}, milliseconds(3000));
  EXPECT_TRUE(Look(ContainerState::kExited));
  EXPECT_EQ(asked_, 4) << "that is known";
  ASSERT_TRUE(EndProcesses(id_, SIGTERM, kLong, {}));
  EXPECT_FALSE(Look(ContainerState::kExited));
}

TEST_F(MarkLostTest, WhatSomebodyIsJustStartingIsNotLost) {
  engine_knows_after_ = 2;
  EXPECT_FALSE(Look(ContainerState::kCreated));
  const LostContainers::Start start(lost_, id_);
  engine_knows_after_ = 100;
  EXPECT_FALSE(Look(ContainerState::kCreated)) << "by ourselves";
}

TEST_F(MarkLostTest, OnlyWhatIsOursAndDownIsLookedAt) {
  EXPECT_FALSE(Look(ContainerState::kExited, false));
  EXPECT_FALSE(Look(ContainerState::kRunning));
  EXPECT_FALSE(Look(ContainerState::kRemoving));
  EXPECT_EQ(asked_, 0);
}

TEST(ContainerOfCgroupTest, TakesTheIdFromThePath) {
  const std::string id(64, 'a');
  const std::string other(64, 'b');
  EXPECT_EQ(ContainerOfCgroup("0::/docker/" + id), id);
  EXPECT_EQ(ContainerOfCgroup("9:pids:/lockstep-1/" + id), id);
  EXPECT_EQ(ContainerOfCgroup("0::/system.slice/docker-" + id + ".scope"), id);
  EXPECT_EQ(ContainerOfCgroup("0::/machine.slice/libpod-" + id + ".scope/container"), id);
  EXPECT_EQ(ContainerOfCgroup("0::/docker/" + id + "/docker/" + other), other);
  EXPECT_EQ(ContainerOfCgroup("0::/../" + id), id);
  for (const std::string& none :
       {std::string(), std::string("0::/"), "0::/docker/" + id + "a", "0::/docker/x" + id,
        "0::/machine.slice/libpod-conmon-" + id + ".scope", id.substr(1), "0::/" + id + ".scope"}) {
    EXPECT_EQ(ContainerOfCgroup(none), "") << none;
  }
}

TEST(SignalFromNameTest, ReadsWhatImagesSay) {
  EXPECT_EQ(SignalFromName("SIGINT"), SIGINT);
  EXPECT_EQ(SignalFromName("QUIT"), SIGQUIT);
  EXPECT_EQ(SignalFromName("9"), SIGKILL);
  EXPECT_EQ(SignalFromName("SIGRTMIN+3"), SIGRTMIN + 3);
  for (const char* none : {"", "0", "SIG", "SIGNONE", "99999999999", "-1", "SIGRTMIN+x"}) {
    EXPECT_EQ(SignalFromName(none), SIGTERM) << none;
  }
}

TEST(ProcessesOfTest, AShortIdIsNobodys) {
  EXPECT_THAT(ProcessesOf(""), IsEmpty());
  EXPECT_THAT(ProcessesOf("/"), IsEmpty());
  EXPECT_TRUE(EndProcesses("", SIGTERM, milliseconds(1), {}));
}

}  // namespace
}  // namespace lockstep::test
