// What is known of a device, and where from: options first, then the host's files, then the engine.
#ifndef LOCKSTEP_INTEGRATION_DEVICE_FACTS_H_
#define LOCKSTEP_INTEGRATION_DEVICE_FACTS_H_

#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "lockstep/device_info.h"
#include "lockstep/result.h"
#include "lockstep/runtime_backend.h"

namespace lockstep {

struct CommonOptions;

// A part of DeviceInfo that is no secret and not the target's to say. One table serves snapshots,
// options and filling in.
struct DeviceFact {
  std::string_view name;  // In a snapshot's `device`.
  std::string DeviceInfo::*member;
  const char* option = nullptr;  // Null: no option says it.
  const char* value = nullptr;   // Of the option, in its help.
  const char* help = nullptr;
};
std::span<const DeviceFact> DeviceFacts();

// Facts that `device` lacks, as `from` has them.
void FillIn(DeviceInfo& device, const DeviceInfo& from);

// From /etc/os-release, balenaOS's /mnt/boot/device-type.json and the kernel's name, below
// `host_root`. What cannot be read, or says nothing, is left out.
DeviceInfo FactsOfHost(const std::string& host_root);

// Its architecture, and where on its host it listens.
DeviceInfo FactsOfEngine(const EngineInfo& engine);

// All of that, of this device. Errors: those of RuntimeBackend::Describe.
Result<DeviceInfo> DescribeDevice(const CommonOptions& options, RuntimeBackend& engine,
                                  std::stop_token stop);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_DEVICE_FACTS_H_
