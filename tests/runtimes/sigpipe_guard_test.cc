#include "sigpipe_guard.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

namespace lockstep::test {
namespace {

// As OpenSSL does it: without MSG_NOSIGNAL.
void WriteToNobody() {
  int ends[2] = {-1, -1};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  close(ends[1]);
  EXPECT_EQ(write(ends[0], "x", 1), -1);
  close(ends[0]);
}

bool IsPending() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

TEST(SigpipeGuardTest, WritingToAPeerThatIsGoneDoesNotEndTheProcess) {
  const auto before = std::signal(SIGPIPE, SIG_DFL);
  {
    const docker::SigpipeGuard guard;
    WriteToNobody();
  }
  EXPECT_FALSE(IsPending());
  std::signal(SIGPIPE, before);
}

TEST(SigpipeGuardTest, SignalOfSomebodyElseIsLeft) {
  sigset_t pipe;
  sigset_t before;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, &before);
  raise(SIGPIPE);
  {
    const docker::SigpipeGuard guard;
    WriteToNobody();
  }
  EXPECT_TRUE(IsPending());
  int taken = 0;
  sigwait(&pipe, &taken);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace
}  // namespace lockstep::test
