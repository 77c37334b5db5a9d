#include "agent/service_manager.h"

#include <systemd/sd-daemon.h>
#include <time.h>

#include <cstdint>
#include <string>

namespace lockstep::service_manager {
namespace {

// Its errors are of no interest: nobody waits for these words but a systemd that is there.
void Tell(const std::string& words) { (void)sd_notify(0, words.c_str()); }

}  // namespace

void TellReady() { Tell("READY=1"); }

void TellReloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t microseconds =
      std::int64_t{now.tv_sec} * 1'000'000 + std::int64_t{now.tv_nsec} / 1'000;
  Tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

void TellStopping() { Tell("STOPPING=1"); }

void TellAlive() { Tell("WATCHDOG=1"); }

std::optional<std::chrono::milliseconds> WatchdogInterval() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::milliseconds(microseconds / 1000);
}

}  // namespace lockstep::service_manager
