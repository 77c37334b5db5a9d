// Carrying a device to a target before somebody's eyes: what the commands that do it have in
// common.
#ifndef LOCKSTEP_INTEGRATION_APPLY_SHOWN_H_
#define LOCKSTEP_INTEGRATION_APPLY_SHOWN_H_

#include <CLI/App.hpp>
#include <chrono>
#include <optional>

#include "command.h"
#include "device.h"
#include "lockstep/orchestrator.h"
#include "lockstep/result.h"
#include "lockstep/target.h"

namespace lockstep {

// How long is waited for what: --no-wait, --timeout, --settle.
struct WaitFlags {
  bool no_wait = false;
  std::chrono::milliseconds settle = SessionOptions().settle;
  std::optional<std::chrono::milliseconds> timeout;
};
void AddWaitFlags(CLI::App& app, WaitFlags& flags);
void SetWait(const WaitFlags& flags, ApplyOptions& options);

struct ShownApply {
  ApplyReport report;
  bool held = false;  // An app was waiting for a lock at the end.
};

// Orchestrator::Apply with progress, in the form that the invocation asks for. What was done
// outlives the process, also where it ends with an error.
Result<ShownApply> ApplyShown(DeviceControl& device, const Target& target,
                              const ApplyOptions& options, Invocation invocation);

// Says how it ended. Returns the exit status.
int Report(const ShownApply& shown, Invocation invocation);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_APPLY_SHOWN_H_
