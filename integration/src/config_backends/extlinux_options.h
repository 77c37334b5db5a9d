// The two keys of boards that boot by U-Boot: which processors the kernel keeps free, and which
// device tree it gets. extlinux.conf and extra_uEnv.txt have the same ones.
#ifndef LOCKSTEP_INTEGRATION_EXTLINUX_OPTIONS_H_
#define LOCKSTEP_INTEGRATION_EXTLINUX_OPTIONS_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/config_backend.h"

namespace lockstep {

inline constexpr std::string_view kExtlinuxPrefix = "BALENA_HOST_EXTLINUX_";
inline constexpr std::string_view kIsolcpus = "isolcpus";
inline constexpr std::string_view kFdt = "fdt";

// Why `value` cannot be written; empty where it can. Only what such values consist of is let
// through: U-Boot replaces variables in what it reads, and a blank would begin another word.
std::string ExtlinuxRefusal(std::string_view key, std::string_view value);

std::vector<ConfigRule> ExtlinuxRules(std::string_view backend);

// A check of changes: kNotFound where a device tree is to be set that is in none of `directories`.
// A boot loader gives up on a label whose device tree is not there. None given: it is not looked
// for.
std::function<Result<void>(const ConfigChanges&)> DeviceTreeCheck(
    std::vector<std::string> directories);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_EXTLINUX_OPTIONS_H_
