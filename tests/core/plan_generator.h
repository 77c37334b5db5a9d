// Generated inputs of the planner: from a number, a target and a device whose state has to do with
// it, because it came from an earlier release and then went through what devices go through.
#ifndef LOCKSTEP_TESTS_CORE_PLAN_GENERATOR_H_
#define LOCKSTEP_TESTS_CORE_PLAN_GENERATOR_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/observed_state.h"
#include "lockstep/plan.h"
#include "lockstep/planner.h"
#include "lockstep/target.h"

namespace lockstep::test {

// SplitMix64: the same numbers on every machine, unlike the distributions of <random>.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::size_t Below(std::size_t n) { return n == 0 ? 0 : Next() % n; }
  bool Chance(unsigned of_a_hundred) { return Next() % 100 < of_a_hundred; }
  template <typename List>
  auto& Of(List&& list) {
    return list[Below(std::size(list))];
  }
  template <typename List>
  void Shuffle(List& list) {
    for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[Below(i)]);
  }

 private:
  std::uint64_t state_;
};

struct Scenario {
  std::uint64_t seed = 0;
  Target target;
  ObservedState observed;  // All that is so; what of it a look tells: see Seen().
  PlanOptions options;
  bool listed = false;  // What is known by its hash is not looked into, as on a device.
  // Nothing but what engines, apps and Lockstep itself do led here: no hand meddled.
  bool natural = true;
};

Scenario MakeScenario(std::uint64_t seed);

// `state` as somebody tells it who looks into everything.
ObservedState Known(const ObservedState& state);
// What the planner is given: all that is known, or what a look tells of it.
ObservedState Seen(const Scenario& scenario, const ObservedState& state);

// The id of the image behind a reference, in all generated worlds: what a pull gives.
std::string ContentOf(std::string_view reference);

// What becomes of Lockstep and the device between two steps.
enum class Cut {
  kNone,      // Nothing: the plan is made anew.
  kLockstep,  // Lockstep is killed and comes back: it knows what can be seen, and adopts its locks.
  kPower,     // The device restarts: locks are gone, and the engine starts what it is told to.
};
void Suffer(Cut cut, ObservedState& state);

// The same input, with every list whose order means nothing in another order.
Scenario Permuted(const Scenario& scenario, Dice& dice);

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_CORE_PLAN_GENERATOR_H_
