// A wait between two tries.
#ifndef LOCKSTEP_RUNTIMES_PAUSE_H_
#define LOCKSTEP_RUNTIMES_PAUSE_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "lockstep/clock.h"

namespace lockstep::docker {

// Ends early on a stop request alone.
inline void Pause(Clock& clock, std::chrono::milliseconds duration, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  (void)clock.WaitUntil(changed, lock, clock.Monotonic() + duration, stop, [] { return false; });
}

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_PAUSE_H_
