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
};

// In the order of FieldKind.
constexpr std::array kKinds = {
    KindRow{FieldKind::kString, fields::Text, nullptr},
    KindRow{FieldKind::kBool, fields::Bool, nullptr},
    KindRow{FieldKind::kInteger, fields::Integer, nullptr},
    KindRow{FieldKind::kLimit, fields::Limit, nullptr},
    KindRow{FieldKind::kBytes, fields::Bytes, nullptr},
    KindRow{FieldKind::kDuration, fields::Duration, fields::DurationText},
    KindRow{FieldKind::kCpuCount, fields::CpuCount, fields::CpuCountNumber},
    KindRow{FieldKind::kCommand, fields::Command, nullptr},
    KindRow{FieldKind::kSequence, fields::Sequence, nullptr},
    KindRow{FieldKind::kSet, fields::Set, nullptr},
    KindRow{FieldKind::kMapping, fields::Mapping, nullptr},
    KindRow{FieldKind::kExpose, fields::Expose, nullptr},
    KindRow{FieldKind::kExtraHosts, fields::ExtraHosts, nullptr},
    KindRow{FieldKind::kDevices, fields::Devices, nullptr},
    KindRow{FieldKind::kRestart, fields::Restart, nullptr},
    KindRow{FieldKind::kPorts, fields::Ports, fields::PortsText},
    KindRow{FieldKind::kVolumes, fields::Volumes, fields::VolumesText},
    KindRow{FieldKind::kNetworks, fields::Networks, nullptr},
    KindRow{FieldKind::kHealthcheck, fields::Healthcheck, fields::HealthcheckText},
    KindRow{FieldKind::kUlimits, fields::Ulimits, nullptr},
};

constexpr bool KindsAreInOrder() {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (static_cast<std::size_t>(kKinds[i].kind) != i) return false;
  }
  return static_cast<std::size_t>(FieldKind::kUlimits) + 1 == kKinds.size();
}
static_assert(KindsAreInOrder());

const KindRow& KindOf(const FieldRow& row) { return kKinds[static_cast<std::size_t>(row.kind)]; }

std::vector<FieldRow> MakeRows() {
  constexpr std::int64_t kMostCpuShares = 262144;
  constexpr std::int64_t kShmSize = std::int64_t{64} << 20;
  constexpr std::int64_t kStopGrace = 10'000'000'000;
  const Value list = Value::List{};
  const Value map = Value::Map{};
  const Value default_network = Value::Map{{"default", map}};
  return {
      {Field::kCapAdd, "cap_add", FieldKind::kSet, list, {}},
      {Field::kCapDrop, "cap_drop", FieldKind::kSet, list, {}},
      {Field::kCommand, "command", FieldKind::kCommand, list, {}},
      {Field::kCpuQuota, "cpu_quota", FieldKind::kLimit, 0, {}},
      {Field::kCpuShares, "cpu_shares", FieldKind::kInteger, 0, {}, 0, kMostCpuShares},
      {Field::kCpus, "cpus", FieldKind::kCpuCount, 0, {}},
      {Field::kCpuset, "cpuset", FieldKind::kString, "", {}},
      {Field::kDevices, "devices", FieldKind::kDevices, list, {}},
      {Field::kDns, "dns", FieldKind::kSequence, list, {}},
      {Field::kDnsOpt, "dns_opt", FieldKind::kSet, list, {}},
      {Field::kDnsSearch, "dns_search", FieldKind::kSequence, list, {}},
      {Field::kDomainname, "domainname", FieldKind::kString, "", {}},
      {Field::kEntrypoint, "entrypoint", FieldKind::kCommand, list, {}},
      {Field::kExpose, "expose", FieldKind::kExpose, list, {}},
      {Field::kExtraHosts, "extra_hosts", FieldKind::kExtraHosts, list, {}},
      {Field::kGroupAdd, "group_add", FieldKind::kSet, list, {}},
      {Field::kHealthcheck, "healthcheck", FieldKind::kHealthcheck, map, {}},
      {Field::kHostname, "hostname", FieldKind::kString, "", {}},
      // An engine may be told to give every container an init: then `false` says something.
      {Field::kInit, "init", FieldKind::kBool, {}, {}},
      {Field::kIpc, "ipc", FieldKind::kString, "private", "shareable"},
      {Field::kMacAddress, "mac_address", FieldKind::kString, "", {}},
      {Field::kMemLimit, "mem_limit", FieldKind::kBytes, 0, {}},
      {Field::kMemReservation, "mem_reservation", FieldKind::kBytes, 0, {}},
      {Field::kNetworkMode, "network_mode", FieldKind::kString, "", {}},
      {Field::kNetworks, "networks", FieldKind::kNetworks, map, default_network},
      {Field::kOomKillDisable, "oom_kill_disable", FieldKind::kBool, false, {}},
      {Field::kOomScoreAdj, "oom_score_adj", FieldKind::kInteger, 0, {}, -1000, 1000},
      {Field::kPid, "pid", FieldKind::kString, "", {}},
      {Field::kPidsLimit, "pids_limit", FieldKind::kLimit, 0, {}},
      {Field::kPorts, "ports", FieldKind::kPorts, list, {}},
      {Field::kPrivileged, "privileged", FieldKind::kBool, false, {}},
      {Field::kReadOnly, "read_only", FieldKind::kBool, false, {}},
      {Field::kRestart, "restart", FieldKind::kRestart, "no", "always"},
      {Field::kSecurityOpt, "security_opt", FieldKind::kSet, list, {}},
      {Field::kShmSize, "shm_size", FieldKind::kBytes, kShmSize, {}},
      {Field::kStopGracePeriod, "stop_grace_period", FieldKind::kDuration, kStopGrace, {}},
      {Field::kStopSignal, "stop_signal", FieldKind::kString, "", {}},
      {Field::kSysctls, "sysctls", FieldKind::kMapping, map, {}},
      {Field::kTmpfs, "tmpfs", FieldKind::kSet, list, {}},
      {Field::kTty, "tty", FieldKind::kBool, false, true},
      {Field::kUlimits, "ulimits", FieldKind::kUlimits, map, {}},
      {Field::kUser, "user", FieldKind::kString, "", {}},
      {Field::kUsernsMode, "userns_mode", FieldKind::kString, "", {}},
      {Field::kVolumes, "volumes", FieldKind::kVolumes, list, {}},
      {Field::kWorkingDir, "working_dir", FieldKind::kString, "", {}},
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

Result<Value> NormalizeField(const FieldRow& row, const Value& raw) {
  if (raw.is_null()) return Value();
  LOCKSTEP_TRY(Value canonical, KindOf(row).normalize(raw));
  if (row.kind == FieldKind::kInteger &&
      (*canonical.AsInt() < row.least || *canonical.AsInt() > row.most)) {
    return fields::WrongValue(
        raw, "number from " + std::to_string(row.least) + " to " + std::to_string(row.most));
  }
  return canonical;
}

Value DenormalizeField(const FieldRow& row, const Value& canonical) {
  const KindRow& kind = KindOf(row);
  return kind.denormalize == nullptr ? canonical : kind.denormalize(canonical);
}

}  // namespace lockstep
