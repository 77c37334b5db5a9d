// Where a service field is in the JSON of a container, for the fields that are there as they are in
// a specification. One table for both directions; the others have code of their own in
// create_request.cc and inspect_reading.cc.
#ifndef LOCKSTEP_RUNTIMES_FIELD_PLACES_H_
#define LOCKSTEP_RUNTIMES_FIELD_PLACES_H_

#include <array>

#include "lockstep/service_field.h"

namespace lockstep::docker {

enum class Section { kConfig, kHostConfig };

struct FieldPlace {
  Field field;
  Section section;
  const char* key;
  bool from_image = false;  // An image may say it too: then it is no part of the specification.
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
    FieldPlace{Field::kInit, Section::kHostConfig, "Init"},
    FieldPlace{Field::kIpc, Section::kHostConfig, "IpcMode"},
    FieldPlace{Field::kMacAddress, Section::kConfig, "MacAddress"},
    FieldPlace{Field::kMemLimit, Section::kHostConfig, "Memory"},
    FieldPlace{Field::kMemReservation, Section::kHostConfig, "MemoryReservation"},
    FieldPlace{Field::kOomKillDisable, Section::kHostConfig, "OomKillDisable"},
    FieldPlace{Field::kOomScoreAdj, Section::kHostConfig, "OomScoreAdj"},
    FieldPlace{Field::kPid, Section::kHostConfig, "PidMode"},
    FieldPlace{Field::kPidsLimit, Section::kHostConfig, "PidsLimit"},
    FieldPlace{Field::kPrivileged, Section::kHostConfig, "Privileged"},
    FieldPlace{Field::kReadOnly, Section::kHostConfig, "ReadonlyRootfs"},
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
    Field::kDevices,     Field::kExpose,      Field::kHealthcheck,     Field::kHostname,
    Field::kNetworks,    Field::kNetworkMode, Field::kPorts,           Field::kRestart,
    Field::kTmpfs,       Field::kUlimits,     Field::kStopGracePeriod, Field::kVolumes,
    Field::kSecurityOpt, Field::kLogging,     Field::kMemSwappiness,   Field::kMemswapLimit,
    Field::kRuntime,
};

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_FIELD_PLACES_H_
