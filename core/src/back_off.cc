#include "back_off.h"

#include <algorithm>
#include <cstdint>

#include "content_hash.h"

namespace lockstep {

std::chrono::milliseconds FullDelay(const BackOff& back_off, int failures) {
  auto delay = std::min(back_off.first, back_off.longest);
  for (int i = 1; i < failures && delay < back_off.longest; ++i) {
    delay = std::min(delay * 2, back_off.longest);
  }
  return delay;
}

std::chrono::milliseconds Delay(const BackOff& back_off, StepId step, int failures) {
  constexpr std::int64_t kParts = 1 << 10;
  const std::uint64_t chance = ContentHash()
                                   .Add(back_off.of)
                                   .Add(step.value)
                                   .Add(static_cast<std::uint64_t>(failures))
                                   .Finish();
  const auto part = static_cast<std::int64_t>(chance % kParts);
  const auto full = FullDelay(back_off, failures);
  return full - full / 2 * part / kParts;
}

}  // namespace lockstep
