// A word of a kernel command line, like "isolcpus=2,3". All others, and the blanks between them,
// stay to the byte.
#ifndef LOCKSTEP_INTEGRATION_KERNEL_WORDS_H_
#define LOCKSTEP_INTEGRATION_KERNEL_WORDS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lockstep {

// The kernel (arm64) cuts off what is longer, U-Boot of a Jetson does not boot with it.
inline constexpr std::size_t kLongestCommandLine = 2047;

// Blanks divide words, but not those between double quotes; behind a word `--` stands what is
// init's and not the kernel's.

// What is behind "name=" of the last such word; empty where it stands without.
std::optional<std::string> FindKernelWord(std::string_view words, std::string_view name);
// The last such word gets `value`, others of the name go. A new one comes to the end.
std::string WithKernelWord(std::string_view words, std::string_view name, std::string_view value);
// Each such word goes, with the blanks before it.
std::string WithoutKernelWord(std::string_view words, std::string_view name);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_KERNEL_WORDS_H_
