// What systemd is told of the agent (sd_notify(3)); where it did not start it, nothing happens.
#ifndef LOCKSTEP_INTEGRATION_AGENT_SERVICE_MANAGER_H_
#define LOCKSTEP_INTEGRATION_AGENT_SERVICE_MANAGER_H_

#include <chrono>
#include <optional>

namespace lockstep::service_manager {

void TellReady();
void TellReloading();  // Before a reload; TellReady() ends it.
void TellStopping();
void TellAlive();  // The watchdog's question, answered.

// How often TellAlive() is expected at least; none where no watchdog waits for it.
std::optional<std::chrono::milliseconds> WatchdogInterval();

}  // namespace lockstep::service_manager

#endif  // LOCKSTEP_INTEGRATION_AGENT_SERVICE_MANAGER_H_
