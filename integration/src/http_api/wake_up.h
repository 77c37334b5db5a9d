// Waking a thread that waits in epoll or poll, from any other.
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_WAKE_UP_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_WAKE_UP_H_

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace lockstep {

// Thread-safety: Wake() from any thread; the rest is for the thread that waits.
class WakeUp {
 public:
  WakeUp() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~WakeUp() {
    if (fd_ >= 0) close(fd_);
  }
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;

  int fd() const { return fd_; }  // Readable once woken; negative: there was no descriptor left.

  // Never blocks; costs a system call only where none is on its way already.
  void Wake() {
    if (pending_.exchange(true)) return;
    const std::uint64_t one = 1;
    (void)!write(fd_, &one, sizeof(one));  // Cannot fail but where it is woken already.
  }

  // Before looking at what others left: what they leave afterwards wakes again.
  void Clear() {
    std::uint64_t count = 0;
    (void)!read(fd_, &count, sizeof(count));
    pending_.store(false);
  }

 private:
  const int fd_;
  std::atomic<bool> pending_ = false;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_WAKE_UP_H_
