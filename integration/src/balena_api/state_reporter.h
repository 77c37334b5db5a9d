// Tells a balena backend what runs here, as it changes.
#ifndef LOCKSTEP_INTEGRATION_BALENA_API_STATE_REPORTER_H_
#define LOCKSTEP_INTEGRATION_BALENA_API_STATE_REPORTER_H_

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>

#include "balena_api/balena_device.h"
#include "balena_api/device_report.h"
#include "balena_api/http_request.h"
#include "lockstep/clock.h"
#include "lockstep/error.h"
#include "lockstep/result.h"

namespace lockstep {

// Sends PATCH <endpoint>/device/v3/state with what is new since the last report that was accepted:
// fields of the device one by one, its apps all together, as the backend takes what is not named
// for gone. Between two sendings there are 10 s at least, and the newest report wins: what came in
// between is never sent. What was not accepted is sent later: after 15 s, twice as long each time,
// the poll interval at most, or when a Retry-After says, up to 24 h. Nothing outlives the process:
// the first report of it is a whole one.
//
// The backend refuses a whole report (401) also for one release or image that it does not know any
// more: then the next one tells of the releases that the target names, alone.
class StateReporter {
 public:
  // As for MakeBalenaSource(). `on_problem`, which may be empty: called by the thread in Run(),
  // once for each new problem.
  StateReporter(BalenaDevice device, Clock& clock, std::function<void(Error)> on_problem = {},
                std::function<double()> random = {}, HttpFunction http = {});
  ~StateReporter();
  StateReporter(const StateReporter&) = delete;
  StateReporter& operator=(const StateReporter&) = delete;

  // Thread-safe; never blocks.
  void Set(DeviceReport report);

  // Sends until stopped; wakes up when there is something to send only. Called once.
  void Run(std::stop_token stop);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_BALENA_API_STATE_REPORTER_H_
