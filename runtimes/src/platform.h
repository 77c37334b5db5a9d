// Whether an image that a registry offers runs on a machine.
#ifndef LOCKSTEP_RUNTIMES_PLATFORM_H_
#define LOCKSTEP_RUNTIMES_PLATFORM_H_

#include <optional>
#include <string>
#include <string_view>

#include "json_read.h"

namespace lockstep::docker {

// In the words of the registries: "linux", "arm", "v7". Empty where nobody says.
struct Platform {
  std::string os;
  std::string arch;
  std::string variant;
};

// "linux/arm/v7"
std::string NameOf(const Platform& platform);

// What a kernel calls its processor ("armv7l") as a variant ("v7"); empty for any but 32-bit ARM.
std::string VariantOfMachine(std::string_view machine);

// Whether the engine takes `offered` for a machine of platform `machine`. What either does not say
// is no reason against it.
bool Fits(const Platform& offered, const Platform& machine);

// `platforms` is that of a /distribution reply. Where none of them fits, their names.
std::optional<std::string> OnlyForOthers(const Json& platforms, const Platform& machine);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_PLATFORM_H_
