#include "supervisor_guard.h"

namespace lockstep {

Result<EngineState> SupervisorGuard::Observe(const ObserveRequest& request, std::stop_token stop) {
  auto state = engine_.Observe(request, stop);
  if (!state) return state;
  for (const ObservedContainer& container : state.assume_value().containers) {
    const bool supervisor =
        container.name == "balena_supervisor" || container.name == "resin_supervisor";
    if (supervisor && container.IsUp()) {
      return MakeError(ErrorCode::kAnotherOrchestrator,
                       "the container " + container.name + " runs and manages this engine",
                       "stop and disable it first (on balenaOS: systemctl disable --now "
                       "balena-supervisor)");
    }
  }
  return state;
}

}  // namespace lockstep
