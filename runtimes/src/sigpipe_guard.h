// Keeps a peer that hangs up from ending the process.
#ifndef LOCKSTEP_RUNTIMES_SIGPIPE_GUARD_H_
#define LOCKSTEP_RUNTIMES_SIGPIPE_GUARD_H_

#include <pthread.h>

#include <csignal>
#include <ctime>

namespace lockstep::docker {

// While it lives, SIGPIPE does not reach this thread, whatever the process does with it: OpenSSL
// writes in a way that raises it, and libcurl leaves the signal alone where there are threads.
class SigpipeGuard {
 public:
  SigpipeGuard() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    was_pending_ = IsPending();
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~SigpipeGuard() {
    if (!was_pending_ && IsPending()) {
      const timespec at_once{};
      sigtimedwait(&pipe_, nullptr, &at_once);
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;

 private:
  static bool IsPending() {
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1;
  }

  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_SIGPIPE_GUARD_H_
