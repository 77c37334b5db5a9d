#include "device_facts.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "json_value.h"
#include "options.h"
#include "whole_file.h"

namespace lockstep {
namespace {

constexpr std::array kFacts = {
    DeviceFact{"type", &DeviceInfo::type, "--device-type", "SLUG",
               "The device's type, as contracts and containers name it: raspberrypi4-64. Without "
               "it: what balenaOS says."},
    DeviceFact{"arch", &DeviceInfo::arch, "--device-arch", "ARCH",
               "Its architecture: aarch64, amd64, armv7hf, rpi or i386. Without it: what balenaOS "
               "says, or the engine."},
    DeviceFact{"os_id", &DeviceInfo::os_id, "--os-id", "ID",
               "Its operating system: balena-os. Without it: ID of /etc/os-release."},
    DeviceFact{"os_version", &DeviceInfo::os_version, "--os-version", "VERSION",
               "The system's version. Without it: VERSION of /etc/os-release."},
    DeviceFact{"kernel_version", &DeviceInfo::kernel_version, "--kernel-version", "VERSION",
               "The version of its Linux. Without it: that of the running kernel."},
    DeviceFact{"l4t_version", &DeviceInfo::l4t_version, "--l4t-version", "VERSION",
               "The version of NVIDIA's Linux for Tegra. Without it: what the kernel's name says."},
    DeviceFact{"supervisor_version", &DeviceInfo::supervisor_version, "--supervisor-version",
               "VERSION",
               "The release of balena-supervisor that contracts are to take Lockstep for. Without "
               "it: 19.0.5."},
    DeviceFact{"os_name", &DeviceInfo::os_name},
    DeviceFact{"os_board_rev", &DeviceInfo::os_board_rev},
    DeviceFact{"engine_socket", &DeviceInfo::engine_socket},
    DeviceFact{"supervisor_host", &DeviceInfo::supervisor_host},
    DeviceFact{"supervisor_port", &DeviceInfo::supervisor_port},
    DeviceFact{"api_url", &DeviceInfo::api_url},
};

struct HostWord {
  std::string_view key;
  std::string DeviceInfo::*member;
};

// In the order of preference.
constexpr std::array kOsRelease = {
    HostWord{"ID", &DeviceInfo::os_id},
    HostWord{"VERSION", &DeviceInfo::os_version},
    HostWord{"VERSION_ID", &DeviceInfo::os_version},
    HostWord{"PRETTY_NAME", &DeviceInfo::os_name},
    HostWord{"SLUG", &DeviceInfo::type},
    HostWord{"BALENA_BOARD_REV", &DeviceInfo::os_board_rev},
    HostWord{"RESIN_BOARD_REV", &DeviceInfo::os_board_rev},
};
constexpr std::array kDeviceType = {
    HostWord{"slug", &DeviceInfo::type},
    HostWord{"arch", &DeviceInfo::arch},
};

struct ArchName {
  std::string_view theirs;
  std::string_view balenas;
};
constexpr std::array kArchNames = {
    ArchName{"arm64", "aarch64"},
    ArchName{"arm", "armv7hf"},
    ArchName{"386", "i386"},
};

constexpr std::size_t kMostBytes = std::size_t{1} << 20;

std::string ReadOrNothing(const std::string& path) {
  auto text = ReadRegularFile(path, kMostBytes);
  return text ? std::move(text).assume_value() : std::string();
}

void Fill(std::string& part, std::string value) {
  if (part.empty()) part = std::move(value);
}

// The value of `key` in an os-release file, without the quotes of a shell.
std::string ShellValue(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.starts_with(key) || line.substr(key.size(), 1) != "=") continue;
    line.remove_prefix(key.size() + 1);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    const bool quoted = line.size() > 1 && line.front() == line.back() &&
                        (line.front() == '"' || line.front() == '\'');
    if (quoted) line = line.substr(1, line.size() - 2);
    std::string value;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '\\' && i + 1 < line.size()) ++i;
      value += line[i];
    }
    return value;
  }
  return {};
}

void ReadOsRelease(const std::string& text, DeviceInfo& device) {
  for (const HostWord& word : kOsRelease) {
    std::string value = ShellValue(text, word.key);
    // "12 (bookworm)": the version, and a name for people.
    if (word.member == &DeviceInfo::os_version) value = value.substr(0, value.find(' '));
    Fill(device.*word.member, std::move(value));
  }
}

void ReadDeviceType(const std::string& text, DeviceInfo& device) {
  const auto json = ParseJson(text);
  if (!json) return;
  for (const HostWord& word : kDeviceType) {
    const Value* value = json.assume_value().Find(word.key);
    if (value != nullptr && value->AsString() != nullptr) {
      Fill(device.*word.member, *value->AsString());
    }
  }
}

// The numbers at the start of `text`, and the points between them: "5.15.150-v8" is 5.15.150.
std::string LeadingNumbers(std::string_view text) {
  std::size_t end = 0;
  int numbers = 0;
  while (numbers < 3) {
    std::size_t next = numbers == 0 ? 0 : end + 1;
    if (numbers > 0 && (end >= text.size() || text[end] != '.')) break;
    const std::size_t start = next;
    while (next < text.size() && std::isdigit(static_cast<unsigned char>(text[next])) != 0) ++next;
    if (next == start) break;
    end = next;
    ++numbers;
  }
  return std::string(text.substr(0, end));
}

// "4.9.140-l4t-r32.4": NVIDIA says its release in the kernel's.
void ReadKernelRelease(std::string_view release, DeviceInfo& device) {
  constexpr std::string_view kL4t = "-l4t-r";
  device.kernel_version = LeadingNumbers(release);
  if (const auto at = release.find(kL4t); at != std::string_view::npos) {
    device.l4t_version = LeadingNumbers(release.substr(at + kL4t.size()));
  }
}

}  // namespace

std::span<const DeviceFact> DeviceFacts() { return kFacts; }

void FillIn(DeviceInfo& device, const DeviceInfo& from) {
  for (const DeviceFact& fact : kFacts) Fill(device.*fact.member, from.*fact.member);
}

DeviceInfo FactsOfHost(const std::string& host_root) {
  DeviceInfo device;
  ReadDeviceType(ReadOrNothing(host_root + "/mnt/boot/device-type.json"), device);
  ReadOsRelease(ReadOrNothing(host_root + "/etc/os-release"), device);
  ReadKernelRelease(ReadOrNothing(host_root + "/proc/sys/kernel/osrelease"), device);
  return device;
}

DeviceInfo FactsOfEngine(const EngineInfo& engine) {
  DeviceInfo device;
  device.arch = engine.arch;
  for (const ArchName& name : kArchNames) {
    if (name.theirs == engine.arch) device.arch = name.balenas;
  }
  // Not the socket that Lockstep itself uses: that one may be a mount of its own.
  if (engine.kind == "docker") device.engine_socket = "/var/run/docker.sock";
  return device;
}

Result<DeviceInfo> DescribeDevice(const CommonOptions& options, RuntimeBackend& engine,
                                  std::stop_token stop) {
  DeviceInfo device = options.facts;
  FillIn(device, FactsOfHost(options.host_root));
  LOCKSTEP_TRY(const EngineInfo info, engine.Describe(std::move(stop)));
  FillIn(device, FactsOfEngine(info));
  return device;
}

}  // namespace lockstep
