#include "config_backends/extlinux_options.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

namespace lockstep {
namespace {

constexpr std::size_t kLongestValue = 255;

bool HasOnly(std::string_view text, std::string_view marks) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

Result<void> CheckDeviceTree(const ConfigChanges& changes,
                             const std::vector<std::string>& directories) {
  const auto change = changes.find(std::string(kExtlinuxPrefix).append(kFdt));
  if (change == changes.end() || !change->second) return Ok();
  for (const std::string& directory : directories) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(directory + '/' + *change->second, ignored)) return Ok();
  }
  return WithContext(
      MakeError(ErrorCode::kNotFound, "there is no device tree " + *change->second,
                "the device would not boot: name a file that is in " + directories.front()),
      "set " + change->first);
}

}  // namespace

std::string ExtlinuxRefusal(std::string_view key, std::string_view value) {
  if (key != kIsolcpus && key != kFdt) return "belongs to a key that nobody knows";
  if (value.empty()) return "is empty; leave the key out to remove what it sets";
  if (value.size() > kLongestValue) {
    return "is longer than " + std::to_string(kLongestValue) + " characters";
  }
  if (key == kIsolcpus && !HasOnly(value, ",-:/_")) return "is no list of processors like 2,4-7";
  if (key == kFdt && !HasOnly(value, "/._-+,@")) {
    return "is no file name of letters, digits and / . _ - + , @";
  }
  return {};
}

std::function<Result<void>(const ConfigChanges&)> DeviceTreeCheck(
    std::vector<std::string> directories) {
  if (directories.empty()) return nullptr;
  return [directories = std::move(directories)](const ConfigChanges& changes) {
    return CheckDeviceTree(changes, directories);
  };
}

std::vector<ConfigRule> ExtlinuxRules(std::string_view backend) {
  std::vector<ConfigRule> rules;
  for (const std::string_view key : {kIsolcpus, kFdt}) {
    ConfigRule& rule = rules.emplace_back();
    rule.backend = backend;
    rule.key = std::string(kExtlinuxPrefix).append(key);
    rule.refusal = [key](std::string_view, std::string_view value) {
      return ExtlinuxRefusal(key, value);
    };
  }
  return rules;
}

}  // namespace lockstep
