#include "own_container.h"

#include <sstream>

#include "whole_file.h"

namespace lockstep {
namespace {

constexpr std::size_t kIdDigits = 64;

bool IsContainerId(std::string_view part) {
  return part.size() == kIdDigits &&
         part.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string ContainerOfMounts(std::string_view mountinfo) {
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string id;
    std::string parent;
    std::string device;
    std::string root;
    std::string point;
    if (!(fields >> id >> parent >> device >> root >> point) || point != "/etc/hostname") continue;
    std::istringstream parts(root);
    for (std::string part; std::getline(parts, part, '/');) {
      if (IsContainerId(part)) return part;
    }
  }
  return {};
}

std::string OwnContainer() {
  const auto mounts = ReadRegularFile("/proc/self/mountinfo", kMostFileBytes);
  return mounts ? ContainerOfMounts(mounts.assume_value()) : std::string();
}

}  // namespace lockstep
