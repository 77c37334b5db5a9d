// Keeps a balena backend told of what runs here.
#ifndef LOCKSTEP_INTEGRATION_AGENT_REPORTING_H_
#define LOCKSTEP_INTEGRATION_AGENT_REPORTING_H_

#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "balena_api/state_reporter.h"
#include "lockstep/device_info.h"
#include "lockstep/event.h"
#include "lockstep/run_control.h"
#include "lockstep/target.h"

namespace lockstep {

// Thread-safety: every method may be called from any thread; none blocks, but the destructor.
class Reporting final : public EventObserver {
 public:
  // `control` and `clock` outlive it, and no view is asked of `control` any more when it ends.
  // `fields`: what does not change while it lives.
  Reporting(BalenaDevice backend, DeviceReport fields, RunControl& control, Clock& clock,
            std::function<void(Error)> on_problem);

  void OnEvent(const Event& event) override;
  // The images of its releases are to be known when it is the target no more.
  void NoteTarget(const Target& target);

 private:
  void Report(const RunView& view);

  const DeviceReport fields_;
  RunControl& control_;
  StateReporter reporter_;
  std::atomic<bool> asked_ = false;  // For a view that has not come.

  std::mutex mutex_;  // Of the next two.
  std::map<std::string, std::map<std::string, std::string>> images_;
  std::deque<std::string> releases_;  // Whose images these are, oldest first.
  std::jthread thread_;
};

// What is said of this device itself.
DeviceReport FieldsOf(const DeviceInfo& facts, const std::string& api_secret);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_REPORTING_H_
