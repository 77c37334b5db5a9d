// Counts what happens, for /metrics.
#ifndef LOCKSTEP_INTEGRATION_AGENT_COUNTERS_H_
#define LOCKSTEP_INTEGRATION_AGENT_COUNTERS_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "lockstep/event.h"
#include "lockstep/run_control.h"

namespace lockstep {

// Thread-safe.
class Counters final : public EventObserver {
 public:
  void OnEvent(const Event& event) override;
  void CountTarget() { ++targets_; }
  void CountProblem() { ++problems_; }

  // In Prometheus' text format (version 0.0.4). `view` may be null: then of the agent alone.
  std::string Render(const RunView* view) const;

 private:
  static constexpr std::size_t kKinds = static_cast<std::size_t>(EventKind::kDone) + 1;
  std::array<std::atomic<std::uint64_t>, kKinds> events_{};
  std::atomic<std::uint64_t> targets_ = 0;
  std::atomic<std::uint64_t> problems_ = 0;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_COUNTERS_H_
