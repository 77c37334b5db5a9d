#include "platform.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace lockstep::docker {
namespace {

constexpr std::size_t kMaxNamed = 8;

// Images say what built them, and not everything that builds uses the registries' words.
std::string_view CommonArch(std::string_view arch) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kOthers = {{
      {"x86_64", "amd64"},
      {"x86-64", "amd64"},
      {"aarch64", "arm64"},
      {"armhf", "arm"},
      {"armel", "arm"},
      {"i386", "386"},
  }};
  for (const auto& [other, common] : kOthers) {
    if (arch == other) return common;
  }
  return arch;
}

// "v7" and "7" -> 7; 0, which fits everywhere, where it is not known.
int NumberOf(std::string_view variant) {
  if (variant.starts_with('v')) variant.remove_prefix(1);
  return variant.size() == 1 && variant[0] >= '1' && variant[0] <= '9' ? variant[0] - '0' : 0;
}

}  // namespace

std::string NameOf(const Platform& platform) {
  std::string name = platform.os + "/" + platform.arch;
  if (!platform.variant.empty()) name += "/" + platform.variant;
  return name;
}

std::string VariantOfMachine(std::string_view machine) {
  if (!machine.starts_with("armv") || machine.size() < 5) return {};
  return std::string(machine.substr(3, 2));
}

bool Fits(const Platform& offered, const Platform& machine) {
  const auto differ = [](std::string_view a, std::string_view b) {
    return !a.empty() && !b.empty() && a != b;
  };
  if (differ(offered.os, machine.os)) return false;
  const std::string_view theirs = CommonArch(offered.arch);
  const std::string_view ours = CommonArch(machine.arch);
  if (differ(theirs, ours)) {
    // Engines take what their processor runs in its 32-bit mode.
    return (ours == "amd64" && theirs == "386") || (ours == "arm64" && theirs == "arm");
  }
  const int needed = NumberOf(offered.variant);
  const int present = NumberOf(machine.variant);
  return present == 0 || needed <= present;
}

std::optional<std::string> OnlyForOthers(const Json& platforms, const Platform& machine) {
  if (!platforms.is_array()) return std::nullopt;
  std::vector<std::string> names;
  int images = 0;
  for (const Json& json : platforms) {
    const Platform offered{Text(json, "os"), Text(json, "architecture"), Text(json, "variant")};
    if (offered.os == "unknown") continue;  // What describes an image, and is none.
    if (Fits(offered, machine)) return std::nullopt;
    ++images;
    std::string name = names.size() < kMaxNamed ? NameOf(offered) : "others";
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(std::move(name));
    }
  }
  if (images < 2) return std::nullopt;  // An engine takes the only one there is, fitting or not.
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

}  // namespace lockstep::docker
