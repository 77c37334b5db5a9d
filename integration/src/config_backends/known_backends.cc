#include "config_backends/known_backends.h"

namespace lockstep {

DeviceConfig OpenConfigBackends(const CommonOptions&) { return DeviceConfig(); }

std::vector<ConfigRule> KnownConfigRules() {
  return {{.backend = "config.txt", .key = "BALENA_HOST_CONFIG_*"}};
}

}  // namespace lockstep
