#include "duration_option.h"

#include <utility>

#include "text.h"

namespace lockstep {

void AddDurationOption(CLI::App& app, const std::string& name,
                       std::function<void(std::chrono::milliseconds)> set,
                       const std::string& help) {
  app.add_option_function<std::string>(
         name, [set = std::move(set)](const std::string& text) { set(*ParseDuration(text)); }, help)
      ->type_name("DURATION")
      ->check([](const std::string& text) {
        return ParseDuration(text) ? std::string()
                                   : '"' + text + "\" is no duration; write 90s, 10m or 1h30m";
      });
}

void AddSettleOption(CLI::App& app, std::chrono::milliseconds& settle) {
  AddDurationOption(
      app, "--settle", [&settle](std::chrono::milliseconds time) { settle = time; },
      "How long a service without a health check must stay up to count as settled. Without it: "
      "10s.");
}

}  // namespace lockstep
