#include "interrupts.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace lockstep {
namespace {

void AwaitStop(std::stop_token token) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  (void)stopped.wait(lock, token, [] { return false; });
}

// In a child process: a test must not be ended by the signals it sends.
template <typename F>
int StatusOfChild(F body) {
  const pid_t child = fork();
  if (child == 0) {
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) signal(number, SIG_DFL);  // Of the shell.
    _exit(body());
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1'000 + WTERMSIG(status);
}

class InterruptsTest : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Signals, InterruptsTest, ::testing::Values(SIGINT, SIGTERM, SIGHUP));

TEST_P(InterruptsTest, TheFirstSignalRequestsAStop) {
  EXPECT_EQ(StatusOfChild([] {
              const Interrupts interrupts;
              kill(getpid(), GetParam());
              AwaitStop(interrupts.token());
              return 7;
            }),
            7);
}

TEST_P(InterruptsTest, TheSecondEndsTheProcessAtOnce) {
  EXPECT_EQ(StatusOfChild([] {
              const Interrupts interrupts;
              kill(getpid(), GetParam());
              AwaitStop(interrupts.token());
              kill(getpid(), GetParam());
              while (true) pause();
              return 7;
            }),
            130);
}

TEST_P(InterruptsTest, AnIgnoredSignalStaysIgnored) {
  EXPECT_EQ(StatusOfChild([] {
              signal(GetParam(), SIG_IGN);
              const Interrupts interrupts;
              kill(getpid(), GetParam());
              return interrupts.token().stop_requested() ? 1 : 7;
            }),
            7);
}

}  // namespace
}  // namespace lockstep
