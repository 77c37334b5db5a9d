// Where a service field is in the JSON of a container, for the fields that are there as they are in
// a specification. One table for both directions; the others have code of their own in
// create_request.cc and inspect_reading.cc.
#ifndef LOCKSTEP_RUNTIMES_FIELD_PLACES_H_
#define LOCKSTEP_RUNTIMES_FIELD_PLACES_H_

#include <array>
#include <string_view>
#include <utility>

#include "lockstep/service_field.h"

namespace lockstep::docker {

enum class Section { kConfig, kHostConfig };

struct FieldPlace {
  Field field;
  Section section;
  const char* key;
  bool from_image = false;  // A container has it from its image where nothing is said.
};

inline constexpr std::array kFieldPlaces = {
    FieldPlace{Field::kAnnotations, Section::kHostConfig, "Annotations"},
    FieldPlace{Field::kCapAdd, Section::kHostConfig, "CapAdd"},
    FieldPlace{Field::kCapDrop, Section::kHostConfig, "CapDrop"},
    FieldPlace{Field::kCgroupParent, Section::kHostConfig, "CgroupParent"},
    FieldPlace{Field::kCommand, Section::kConfig, "Cmd", true},
    FieldPlace{Field::kCpuPeriod, Section::kHostConfig, "CpuPeriod"},
    FieldPlace{Field::kCpuQuota, Section::kHostConfig, "CpuQuota"},
    FieldPlace{Field::kCpuShares, Section::kHostConfig, "CpuShares"},
    FieldPlace{Field::kCpus, Section::kHostConfig, "NanoCpus"},
    FieldPlace{Field::kCpuset, Section::kHostConfig, "CpusetCpus"},
    FieldPlace{Field::kDeviceCgroupRules, Section::kHostConfig, "DeviceCgroupRules"},
    FieldPlace{Field::kDns, Section::kHostConfig, "Dns"},
    FieldPlace{Field::kDnsOpt, Section::kHostConfig, "DnsOptions"},
    FieldPlace{Field::kDnsSearch, Section::kHostConfig, "DnsSearch"},
    FieldPlace{Field::kDomainname, Section::kConfig, "Domainname"},
    FieldPlace{Field::kEntrypoint, Section::kConfig, "Entrypoint", true},
    FieldPlace{Field::kExtraHosts, Section::kHostConfig, "ExtraHosts"},
    FieldPlace{Field::kGroupAdd, Section::kHostConfig, "GroupAdd"},
    FieldPlace{Field::kHostname, Section::kConfig, "Hostname"},
    FieldPlace{Field::kInit, Section::kHostConfig, "Init"},
    FieldPlace{Field::kMacAddress, Section::kConfig, "MacAddress"},
    FieldPlace{Field::kMemLimit, Section::kHostConfig, "Memory"},
    FieldPlace{Field::kMemReservation, Section::kHostConfig, "MemoryReservation"},
    FieldPlace{Field::kMemSwappiness, Section::kHostConfig, "MemorySwappiness"},
    FieldPlace{Field::kMemswapLimit, Section::kHostConfig, "MemorySwap"},
    FieldPlace{Field::kOomKillDisable, Section::kHostConfig, "OomKillDisable"},
    FieldPlace{Field::kOomScoreAdj, Section::kHostConfig, "OomScoreAdj"},
    FieldPlace{Field::kPidsLimit, Section::kHostConfig, "PidsLimit"},
    FieldPlace{Field::kPrivileged, Section::kHostConfig, "Privileged"},
    FieldPlace{Field::kReadOnly, Section::kHostConfig, "ReadonlyRootfs"},
    FieldPlace{Field::kRuntime, Section::kHostConfig, "Runtime"},
    FieldPlace{Field::kSecurityOpt, Section::kHostConfig, "SecurityOpt"},
    FieldPlace{Field::kShmSize, Section::kHostConfig, "ShmSize"},
    FieldPlace{Field::kStdinOpen, Section::kConfig, "OpenStdin"},
    FieldPlace{Field::kStopSignal, Section::kConfig, "StopSignal", true},
    FieldPlace{Field::kStorageOpt, Section::kHostConfig, "StorageOpt"},
    FieldPlace{Field::kSysctls, Section::kHostConfig, "Sysctls"},
    FieldPlace{Field::kTty, Section::kConfig, "Tty"},
    FieldPlace{Field::kUser, Section::kConfig, "User", true},
    FieldPlace{Field::kUsernsMode, Section::kHostConfig, "UsernsMode"},
    FieldPlace{Field::kUts, Section::kHostConfig, "UTSMode"},
    FieldPlace{Field::kWorkingDir, Section::kConfig, "WorkingDir", true},
};

// Those that are elsewhere. Together the two lists are all fields of a container: a test says so.
inline constexpr std::array kFieldsWithCode = {
    Field::kDevices, Field::kExpose,  Field::kGpus,     Field::kHealthcheck,
    Field::kIpc,     Field::kLogging, Field::kNetworks, Field::kNetworkMode,
    Field::kPid,     Field::kPorts,   Field::kRestart,  Field::kStopGracePeriod,
    Field::kTmpfs,   Field::kUlimits, Field::kVolumes,
};

// The numbers of a health check.
inline constexpr std::pair<std::string_view, const char*> kHealthNumbers[] = {
    {"interval", "Interval"},        {"timeout", "Timeout"},
    {"start_period", "StartPeriod"}, {"start_interval", "StartInterval"},
    {"retries", "Retries"},
};

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_FIELD_PLACES_H_
