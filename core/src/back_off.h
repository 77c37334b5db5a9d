// How long a step that failed waits before it is tried again.
#ifndef LOCKSTEP_BACK_OFF_H_
#define LOCKSTEP_BACK_OFF_H_

#include <chrono>
#include <string_view>

#include "lockstep/plan.h"

namespace lockstep {

struct BackOff {
  std::chrono::milliseconds first;
  std::chrono::milliseconds longest;
  std::string_view of;  // What is another on each device: chance comes from it alone.
};

// After `failures` (at least 1) in a row: doubled with each, up to the longest.
std::chrono::milliseconds FullDelay(const BackOff& back_off, int failures);

// Between half of FullDelay() and the whole of it; the same for the same arguments.
std::chrono::milliseconds Delay(const BackOff& back_off, StepId step, int failures);

}  // namespace lockstep

#endif  // LOCKSTEP_BACK_OFF_H_
