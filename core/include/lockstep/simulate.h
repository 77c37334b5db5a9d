// Simulate: what a device would report after each step of a plan, without a device. A value walks
// through values: to show where a plan leads, and for tests that a target is reached from anywhere.
#ifndef LOCKSTEP_SIMULATE_H_
#define LOCKSTEP_SIMULATE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lockstep/observed_state.h"
#include "lockstep/plan.h"
#include "lockstep/target.h"

namespace lockstep {

// The id of the image that a pull of `reference` gives. Two references may give one.
using ImageIdOf = std::function<std::string(std::string_view reference)>;

// A plan that is performed a step at a time, on a state that is changed in place.
//
// Every step succeeds at once, and the device does what the plan hopes for: what is started stays
// up; what is waited for becomes healthy, or ends with 0 where its end is waited for. A step that
// is held is performed as though the apps gave their locks back just then: whoever wants to see how
// far a held app gets leaves out the steps whose status says so.
//
// Not thread-safe. No method fails, whatever the plan.
class Simulation {
 public:
  // `plan` was made of `observed` and `target`. Plan and target must outlive the simulation.
  // Without `image_id` each reference is an image of its own.
  Simulation(const Plan& plan, ObservedState observed, const Target& target,
             ImageIdOf image_id = {});

  // What can be performed next: indices into Plan::steps, ascending, of steps that were not
  // performed while all they come after were.
  std::vector<std::uint32_t> Ready() const;
  bool IsReady(std::uint32_t step) const;
  // Performs one step that is ready; any other changes nothing and gives false.
  bool Perform(std::uint32_t step);

  // As the next look would find it, but for the order of its lists.
  const ObservedState& state() const { return state_; }
  ObservedState TakeState() && { return std::move(state_); }

 private:
  std::string IdOfResult(const Step& step) const;
  std::string NewContainerId() const;
  void PerformStep(const Step& step);
  void RememberInterrupted(const Step& step);
  void Settle(const Step& step);

  const Plan& plan_;
  const Target& target_;
  ImageIdOf image_id_;
  ObservedState state_;
  std::vector<bool> performed_;
  std::map<std::string, std::string> created_;  // Name -> id of what this plan made.
};

// Performs the whole plan in its order. `visit` gets each step and the state after it, which lives
// until it returns; false ends the walk.
using SimulationVisitor = std::function<bool(const Step& step, const ObservedState& after)>;
void Simulate(const Plan& plan, ObservedState observed, const Target& target,
              const SimulationVisitor& visit);

// The states after each step, in the plan's order: as many as it has steps. Each is a whole copy.
std::vector<ObservedState> Simulate(const Plan& plan, ObservedState observed, const Target& target);

}  // namespace lockstep

#endif  // LOCKSTEP_SIMULATE_H_
