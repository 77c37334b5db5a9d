// How a Session goes about its work.
#ifndef LOCKSTEP_SESSION_OPTIONS_H_
#define LOCKSTEP_SESSION_OPTIONS_H_

#include <chrono>

#include "lockstep/device_info.h"
#include "lockstep/planner.h"

namespace lockstep {

struct SessionOptions {
  PlanOptions plan;
  DeviceInfo device;         // What containers are told. The Session's target is fitted to it.
  int parallel_pulls = 3;    // At once, over all apps.
  int parallel_cutover = 2;  // Services of an app that are stopped or started at once.
  int max_attempts = 3;      // Of one step, with back-off between them, before its app fails.
  // Before the second attempt; doubles each time. Each wait is shortened by up to a half, by
  // chance, so that what failed at once on many devices does not come back at once.
  std::chrono::milliseconds back_off{1000};
  std::chrono::milliseconds longest_back_off{15 * 60'000};
  // The waits outlive the process: those that the store has are waited for, and new ones are put
  // there. Off: whoever calls wants it tried now.
  bool keep_retries = false;
  std::chrono::milliseconds settle{10'000};          // Up this long without a restart: settled.
  std::chrono::milliseconds settle_timeout{60'000};  // Or a health check's own budget, if longer.
  bool wait_when_held = true;                        // False: an app that is held ends as held.
  // Never finishes but by Interrupt(): with nothing to do it rests until a fact comes, and what has
  // failed is tried again after a back-off.
  bool keep_going = false;
  // Then: a look after events at rest, for those that come with one. Doubles while looks find
  // nothing to do, six times at most.
  std::chrono::milliseconds look_after{1000};
  // An app of whose release a service does not become healthy goes back to the release before it;
  // off: it stays, and is reported. A label of the app's own wins (rollback.h).
  bool rollback = false;
  // A machine that accepted to reboot, and still runs after this, has not.
  std::chrono::milliseconds reboot_timeout{5 * 60'000};
};

}  // namespace lockstep

#endif  // LOCKSTEP_SESSION_OPTIONS_H_
