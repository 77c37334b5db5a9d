// One Lockstep for each engine: an exclusive lock on the state directory.
#ifndef LOCKSTEP_INTEGRATION_STATE_LOCK_H_
#define LOCKSTEP_INTEGRATION_STATE_LOCK_H_

#include <string>
#include <utility>

#include "lockstep/result.h"

namespace lockstep {

// Held until destroyed, or until the process ends in whatever way.
class StateLock {
 public:
  // Makes `state_dir` (mode 0700) where it is missing. Errors: kAnotherOrchestrator (another
  // process holds it), kPermissionDenied, kNoSpace, kUnavailable.
  static Result<StateLock> Take(const std::string& state_dir);

  StateLock(StateLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  StateLock& operator=(StateLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~StateLock();

 private:
  explicit StateLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_STATE_LOCK_H_
