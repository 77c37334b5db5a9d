// The run as one document (lockstep.run/1), for who watches it: GET /v1/status. Pure.
#ifndef LOCKSTEP_INTEGRATION_AGENT_RUN_JSON_H_
#define LOCKSTEP_INTEGRATION_AGENT_RUN_JSON_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "lockstep/run_control.h"

namespace lockstep {

// What a view does not know.
struct RunFacts {
  std::vector<LockHolder> locks;        // As apps hold them now, whether or not something waits.
  std::optional<Error> target_problem;  // Why no newer target could be had.
  WallTime now{};                       // What ages count to.
};

// As large as the target has services; steps are counted only, but for those that run.
nlohmann::ordered_json RunToJson(const RunView& view, const RunFacts& facts);

// `document`, which is a plan, with what it does not say of its run: `running` (ids of steps),
// `at_rest`, `look_error`.
void AddRun(const RunView& view, nlohmann::ordered_json& document);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_RUN_JSON_H_
