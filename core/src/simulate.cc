#include "lockstep/simulate.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "lockstep/image_reference.h"
#include "lockstep/step_request.h"

namespace lockstep {

Simulation::Simulation(const Plan& plan, ObservedState observed, const Target& target,
                       ImageIdOf image_id)
    : plan_(plan),
      target_(target),
      image_id_(std::move(image_id)),
      state_(std::move(observed)),
      performed_(plan.steps.size(), false) {}

std::vector<std::uint32_t> Simulation::Ready() const {
  std::vector<std::uint32_t> ready;
  for (std::uint32_t i = 0; i < performed_.size(); ++i) {
    if (IsReady(i)) ready.push_back(i);
  }
  return ready;
}

bool Simulation::IsReady(std::uint32_t step) const {
  if (step >= performed_.size() || performed_[step]) return false;
  const std::vector<std::uint32_t>& after = plan_.steps[step].after;
  return std::all_of(after.begin(), after.end(), [&](std::uint32_t before) {
    return before < performed_.size() && performed_[before];
  });
}

bool Simulation::Perform(std::uint32_t index) {
  if (!IsReady(index)) return false;
  performed_[index] = true;
  const Step& step = plan_.steps[index];
  // What a plan makes it can only call by its name.
  const auto made = created_.find(step.subject);
  if (made == created_.end() || step.kind == StepKind::kCreateContainer) {
    PerformStep(step);
  } else {
    Step by_id = step;
    by_id.subject = made->second;
    PerformStep(by_id);
  }
  return true;
}

void Simulation::PerformStep(const Step& step) {
  StepResult result;
  result.id = IdOfResult(step);
  if (step.kind == StepKind::kCreateContainer) created_[step.subject] = result.id;
  if (step.kind == StepKind::kStopContainer) RememberInterrupted(step);
  if (step.kind == StepKind::kRenameContainer) (void)RememberName(step, state_);
  ApplyEffect(step, BuildRequest(step, plan_, state_, target_, DeviceInfo{}), result, state_);
  if (step.kind == StepKind::kAwaitHealth) Settle(step);
}

std::string Simulation::IdOfResult(const Step& step) const {
  if (step.kind == StepKind::kPullImage) {
    return image_id_ ? image_id_(step.subject) : "simulated:" + NormalizedReference(step.subject);
  }
  return step.kind == StepKind::kCreateContainer ? NewContainerId() : std::string();
}

// Above every number that the state knows: ids do not come again.
std::string Simulation::NewContainerId() const {
  constexpr std::string_view kPrefix = "simulated-";
  unsigned last = 0;
  const auto look_at = [&](std::string_view id) {
    if (!id.starts_with(kPrefix)) return;
    unsigned number = 0;
    std::from_chars(id.data() + kPrefix.size(), id.data() + id.size(), number);
    last = std::max(last, number);
  };
  for (const ObservedContainer& container : state_.engine.containers) look_at(container.id);
  for (const auto& [name, id] : created_) look_at(id);
  for (const AppRecord& record : state_.apps) {
    for (const std::string& id : record.interrupted) look_at(id);
    for (const std::string& id : record.restart) look_at(id);
  }
  return std::string(kPrefix) + std::to_string(last + 1);
}

// What is stopped is remembered before, as a Session does: the taking of the locks may be long ago,
// and not have known of it.
void Simulation::RememberInterrupted(const Step& step) {
  if (state_.FindApp(step.app) == nullptr) return;
  std::vector<std::string>& ids = state_.AppFor(step.app).interrupted;
  const auto at = std::lower_bound(ids.begin(), ids.end(), step.subject);
  if (at == ids.end() || *at != step.subject) ids.insert(at, step.subject);
}

// What the step waited for has come.
void Simulation::Settle(const Step& step) {
  ObservedContainer* container = state_.FindContainer(step.subject);
  if (container == nullptr || container->state != ContainerState::kRunning) return;
  if (step.detail == "completed") {
    container->state = ContainerState::kExited;
    container->exit_code = 0;
    container->health = Health::kNone;
  } else if (container->health == Health::kStarting) {
    container->health = Health::kHealthy;
  }
}

void Simulate(const Plan& plan, ObservedState observed, const Target& target,
              const SimulationVisitor& visit) {
  Simulation simulation(plan, std::move(observed), target);
  for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
    simulation.Perform(i);
    if (!visit(plan.steps[i], simulation.state())) return;
  }
}

std::vector<ObservedState> Simulate(const Plan& plan, ObservedState observed,
                                    const Target& target) {
  std::vector<ObservedState> states;
  states.reserve(plan.steps.size());
  Simulate(plan, std::move(observed), target, [&](const Step&, const ObservedState& after) {
    states.push_back(after);
    return true;
  });
  return states;
}

}  // namespace lockstep
