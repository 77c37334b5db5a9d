#include "lockstep/service_field.h"

#include <algorithm>
#include <array>
#include <utility>

#include "service_field_kinds.h"

namespace lockstep {
namespace {

struct KindRow {
  FieldKind kind;
  fields::Normalizer normalize;
  fields::Denormalizer denormalize;  // Null: the canonical form is in the Compose words already.
  fields::Normalizer with_host_paths = nullptr;  // Null: there are none in it.
};

// In the order of FieldKind.
constexpr std::array kKinds = {
    KindRow{FieldKind::kString, fields::Text, nullptr},
    KindRow{FieldKind::kBool, fields::Bool, nullptr},
    KindRow{FieldKind::kInteger, fields::Integer, nullptr},
    KindRow{FieldKind::kLimit, fields::Limit, nullptr},
    KindRow{FieldKind::kBytes, fields::Bytes, nullptr},
    KindRow{FieldKind::kSwapLimit, fields::SwapLimit, nullptr},
    KindRow{FieldKind::kDuration, fields::Seconds, fields::DurationText},
    KindRow{FieldKind::kCpuCount, fields::CpuCount, fields::CpuCountNumber},
    KindRow{FieldKind::kPath, fields::Path, nullptr},
    KindRow{FieldKind::kMacAddress, fields::MacAddress, nullptr},
    KindRow{FieldKind::kSignal, fields::Signal, nullptr},
    KindRow{FieldKind::kNetworkMode, fields::NetworkMode, nullptr},
    KindRow{FieldKind::kPidMode, fields::PidMode, nullptr},
    KindRow{FieldKind::kIpcMode, fields::IpcMode, nullptr},
    KindRow{FieldKind::kUtsMode, fields::UtsMode, nullptr},
    KindRow{FieldKind::kPullPolicy, fields::PullPolicy, nullptr},
    KindRow{FieldKind::kRestart, fields::Restart, nullptr},
    KindRow{FieldKind::kCommand, fields::Command, nullptr},
    KindRow{FieldKind::kSequence, fields::Sequence, nullptr},
    KindRow{FieldKind::kSet, fields::Set, nullptr},
    KindRow{FieldKind::kCapabilities, fields::Capabilities, nullptr},
    KindRow{FieldKind::kDeviceRules, fields::DeviceRules, nullptr},
    KindRow{FieldKind::kSecurity, fields::Security, nullptr},
    KindRow{FieldKind::kTmpfs, fields::Tmpfs, nullptr},
    KindRow{FieldKind::kMapping, fields::Mapping, nullptr},
    KindRow{FieldKind::kExpose, fields::Expose, nullptr},
    KindRow{FieldKind::kExtraHosts, fields::ExtraHosts, nullptr},
    KindRow{FieldKind::kGpus, fields::Gpus, nullptr},
    KindRow{FieldKind::kDevices, fields::Devices, nullptr},
    KindRow{FieldKind::kPorts, fields::Ports, fields::PortsText},
    KindRow{FieldKind::kVolumes, fields::Volumes, fields::VolumesText, fields::VolumesAndBinds},
    KindRow{FieldKind::kNetworks, fields::Networks, nullptr},
    KindRow{FieldKind::kHealthcheck, fields::Healthcheck, fields::HealthcheckText},
    KindRow{FieldKind::kUlimits, fields::Ulimits, nullptr},
    KindRow{FieldKind::kLogging, fields::Logging, nullptr},
};

constexpr bool KindsAreInOrder() {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (static_cast<std::size_t>(kKinds[i].kind) != i) return false;
  }
  return static_cast<std::size_t>(FieldKind::kLogging) + 1 == kKinds.size();
}
static_assert(KindsAreInOrder());

const KindRow& KindOf(const FieldRow& row) { return kKinds[static_cast<std::size_t>(row.kind)]; }

std::vector<FieldRow> MakeRows() {
  constexpr std::int64_t kMostCpuShares = 262144;
  constexpr std::int64_t kMostCpuPeriod = 1'000'000;
  constexpr std::int64_t kShmSize = std::int64_t{64} << 20;
  constexpr std::int64_t kStopGrace = 10'000'000'000;
  const Value list = Value::List{};
  const Value map = Value::Map{};
  const Value default_network = Value::Map{{"default", map}};
  return {
      {Field::kAnnotations, "annotations", FieldKind::kMapping, map, {}},
      {Field::kCapAdd, "cap_add", FieldKind::kCapabilities, list, {}},
      {Field::kCapDrop, "cap_drop", FieldKind::kCapabilities, list, {}},
      {Field::kCgroupParent, "cgroup_parent", FieldKind::kString, "", {}},
      {Field::kCommand, "command", FieldKind::kCommand, list, {}},
      {Field::kCpuPeriod, "cpu_period", FieldKind::kInteger, 0, {}, 0, kMostCpuPeriod},
      {Field::kCpuQuota, "cpu_quota", FieldKind::kLimit, 0, {}},
      {Field::kCpuShares, "cpu_shares", FieldKind::kInteger, 0, {}, 0, kMostCpuShares},
      {Field::kCpus, "cpus", FieldKind::kCpuCount, 0, {}},
      {Field::kCpuset, "cpuset", FieldKind::kString, "", {}},
      {Field::kDeviceCgroupRules, "device_cgroup_rules", FieldKind::kDeviceRules, list, {}},
      {Field::kDevices, "devices", FieldKind::kDevices, list, {}},
      {Field::kDns, "dns", FieldKind::kSequence, list, {}},
      {Field::kDnsOpt, "dns_opt", FieldKind::kSet, list, {}},
      {Field::kDnsSearch, "dns_search", FieldKind::kSequence, list, {}},
      {Field::kDomainname, "domainname", FieldKind::kString, "", {}},
      // An empty one takes the place of the image's; an empty command does not.
      {Field::kEntrypoint, "entrypoint", FieldKind::kCommand, {}, {}},
      {Field::kExpose, "expose", FieldKind::kExpose, list, {}},
      {Field::kExtraHosts, "extra_hosts", FieldKind::kExtraHosts, list, {}},
      {Field::kGpus, "gpus", FieldKind::kGpus, list, {}},
      {Field::kGroupAdd, "group_add", FieldKind::kSet, list, {}},
      {Field::kHealthcheck, "healthcheck", FieldKind::kHealthcheck, map, {}},
      {Field::kHostname, "hostname", FieldKind::kString, "", {}},
      // An engine may be told to give every container an init: then `false` says something.
      {Field::kInit, "init", FieldKind::kBool, {}, {}},
      {Field::kIpc, "ipc", FieldKind::kIpcMode, "private", "shareable"},
      {Field::kLogging, "logging", FieldKind::kLogging, map, {}},
      {Field::kMacAddress, "mac_address", FieldKind::kMacAddress, "", {}},
      {Field::kMemLimit, "mem_limit", FieldKind::kBytes, 0, {}},
      {Field::kMemReservation, "mem_reservation", FieldKind::kBytes, 0, {}},
      // 0 is the least that can be said: never swap what can be avoided.
      {Field::kMemSwappiness, "mem_swappiness", FieldKind::kInteger, {}, {}, 0, 100},
      {Field::kMemswapLimit, "memswap_limit", FieldKind::kSwapLimit, 0, {}},
      {Field::kNetworkMode, "network_mode", FieldKind::kNetworkMode, "", {}},
      {Field::kNetworks, "networks", FieldKind::kNetworks, map, default_network},
      {Field::kOomKillDisable, "oom_kill_disable", FieldKind::kBool, false, {}},
      {Field::kOomScoreAdj, "oom_score_adj", FieldKind::kInteger, 0, {}, -1000, 1000},
      {Field::kPid, "pid", FieldKind::kPidMode, "", {}},
      {Field::kPidsLimit, "pids_limit", FieldKind::kLimit, 0, {}},
      {Field::kPorts, "ports", FieldKind::kPorts, list, {}},
      {Field::kPrivileged, "privileged", FieldKind::kBool, false, {}},
      {Field::kPullPolicy, "pull_policy", FieldKind::kPullPolicy, "missing", {}, 0, 0, false},
      {Field::kReadOnly, "read_only", FieldKind::kBool, false, {}},
      {Field::kRestart, "restart", FieldKind::kRestart, "no", "always"},
      {Field::kRuntime, "runtime", FieldKind::kString, "", {}},
      {Field::kSecurityOpt, "security_opt", FieldKind::kSecurity, list, {}},
      {Field::kShmSize, "shm_size", FieldKind::kBytes, kShmSize, {}},
      {Field::kStdinOpen, "stdin_open", FieldKind::kBool, false, {}},
      {Field::kStopGracePeriod, "stop_grace_period", FieldKind::kDuration, kStopGrace, {}},
      {Field::kStopSignal, "stop_signal", FieldKind::kSignal, "", {}},
      {Field::kStorageOpt, "storage_opt", FieldKind::kMapping, map, {}},
      {Field::kSysctls, "sysctls", FieldKind::kMapping, map, {}},
      {Field::kTmpfs, "tmpfs", FieldKind::kTmpfs, list, {}},
      {Field::kTty, "tty", FieldKind::kBool, false, true},
      {Field::kUlimits, "ulimits", FieldKind::kUlimits, map, {}},
      {Field::kUser, "user", FieldKind::kString, "", {}},
      {Field::kUsernsMode, "userns_mode", FieldKind::kString, "", {}},
      {Field::kUts, "uts", FieldKind::kUtsMode, "", {}},
      {Field::kVolumes, "volumes", FieldKind::kVolumes, list, {}},
      {Field::kWorkingDir, "working_dir", FieldKind::kPath, "", {}},
  };
}

}  // namespace

std::span<const FieldRow> ServiceFields() {
  // Never destroyed: a thread may still read it while the process ends.
  static const auto& rows = *new std::vector<FieldRow>(MakeRows());
  return rows;
}

const FieldRow& RowOf(Field field) { return ServiceFields()[static_cast<std::size_t>(field)]; }

const FieldRow* FindServiceField(std::string_view name) {
  const auto rows = ServiceFields();
  const auto row = std::lower_bound(
      rows.begin(), rows.end(), name,
      [](const FieldRow& candidate, std::string_view wanted) { return candidate.name < wanted; });
  return row != rows.end() && row->name == name ? &*row : nullptr;
}

Result<Value> NormalizeField(const FieldRow& row, const Value& raw, HostPaths host_paths) {
  if (raw.is_null()) return Value();
  const KindRow& kind = KindOf(row);
  const bool with_paths = host_paths == HostPaths::kAllowed && kind.with_host_paths != nullptr;
  LOCKSTEP_TRY(Value canonical, (with_paths ? kind.with_host_paths : kind.normalize)(raw));
  if (row.kind == FieldKind::kInteger &&
      (*canonical.AsInt() < row.least || *canonical.AsInt() > row.most)) {
    return fields::WrongValue(
        raw, "number from " + std::to_string(row.least) + " to " + std::to_string(row.most));
  }
  if (row.kind == FieldKind::kBytes && canonical == Value(0)) return row.neutral;
  return canonical;
}

Value DenormalizeField(const FieldRow& row, const Value& canonical) {
  const KindRow& kind = KindOf(row);
  return kind.denormalize == nullptr ? canonical : kind.denormalize(canonical);
}

}  // namespace lockstep
