// Options whose value is a duration, written 90s, 10m or 1h30m.
#ifndef LOCKSTEP_INTEGRATION_DURATION_OPTION_H_
#define LOCKSTEP_INTEGRATION_DURATION_OPTION_H_

#include <CLI/App.hpp>
#include <chrono>
#include <functional>
#include <string>

namespace lockstep {

// `set` is called where the option is given; a value that is no duration is refused before.
void AddDurationOption(CLI::App& app, const std::string& name,
                       std::function<void(std::chrono::milliseconds)> set, const std::string& help);

// --settle. `settle` outlives `app`, and has its default.
void AddSettleOption(CLI::App& app, std::chrono::milliseconds& settle);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_DURATION_OPTION_H_
