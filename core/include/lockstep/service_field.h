// The table of service fields: the one place that says, for each field of the Compose Specification
// (https://github.com/compose-spec/compose-spec) that an engine can express, how it is normalised
// and what its default is. Adding a field is adding a row: readers, planner and runtimes follow it.
#ifndef LOCKSTEP_SERVICE_FIELD_H_
#define LOCKSTEP_SERVICE_FIELD_H_

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/field_kind.h"
#include "lockstep/result.h"
#include "lockstep/value.h"

namespace lockstep {

// In alphabetical order of the names; values are not stored anywhere, so rows may be added.
enum class Field : std::uint8_t {
  kAnnotations,
  kCapAdd,
  kCapDrop,
  kCgroupParent,
  kCommand,
  kCpuPeriod,
  kCpuQuota,
  kCpuShares,
  kCpus,
  kCpuset,
  kDeviceCgroupRules,
  kDevices,
  kDns,
  kDnsOpt,
  kDnsSearch,
  kDomainname,
  kEntrypoint,
  kExpose,
  kExtraHosts,
  kGpus,
  kGroupAdd,
  kHealthcheck,
  kHostname,
  kInit,
  kIpc,
  kLogging,
  kMacAddress,
  kMemLimit,
  kMemReservation,
  kMemSwappiness,
  kMemswapLimit,
  kNetworkMode,
  kNetworks,
  kOomKillDisable,
  kOomScoreAdj,
  kPid,
  kPidsLimit,
  kPorts,
  kPrivileged,
  kPullPolicy,
  kReadOnly,
  kRestart,
  kRuntime,
  kSecurityOpt,
  kShmSize,
  kStdinOpen,
  kStopGracePeriod,
  kStopSignal,
  kStorageOpt,
  kSysctls,
  kTmpfs,
  kTty,
  kUlimits,
  kUser,
  kUsernsMode,
  kUts,
  kVolumes,
  kWorkingDir,
};

struct FieldRow {
  Field field;
  std::string_view name;  // As in the Compose Specification: "cap_add".
  FieldKind kind;
  // What an engine does when nothing is said; a field with this value is left out of a ServiceSpec.
  // Null where nothing that can be said is the same as saying nothing.
  Value neutral;
  // What a balena target means when it says nothing; null: the same as `neutral`. The one of
  // `networks` ({default: {}}) holds only where the target gives neither networks nor network_mode.
  Value balena_default;
  std::int64_t least = 0;  // `least` and `most`: for kInteger.
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  // False: a difference makes no container new, and no engine reports it. See ServiceSpec.
  bool of_container = true;
};

// Whether a value may name paths of the host. A target of a fleet may not; a reader of files that
// belong to the device may.
enum class HostPaths { kRefused, kAllowed };

// All rows, indexed by Field. Never changes; safe from any thread.
std::span<const FieldRow> ServiceFields();
const FieldRow& RowOf(Field field);
const FieldRow* FindServiceField(std::string_view name);  // Null for an unknown name.

// The canonical form of `raw`; null stays null (absent). Idempotent through DenormalizeField. Text
// with a NUL byte, or of more than 128 KiB, is refused; depth and size of `raw` as a whole are
// bounded by its reader. Errors: kInvalidInput, with the message naming the bad part and what is
// allowed; name of the field, service and file are for the caller to add.
Result<Value> NormalizeField(const FieldRow& row, const Value& raw,
                             HostPaths host_paths = HostPaths::kRefused);

// The other way: a raw value that NormalizeField turns into `canonical` again (durations and
// everything else in the Compose Specification's words; paths of the host only where they are
// allowed); null stays null. For snapshots and messages. A value that is not canonical comes back
// as it is.
Value DenormalizeField(const FieldRow& row, const Value& canonical);

// Splits like a POSIX shell does: blanks, quotes and backslashes; `$` and globs stay as they are.
// Errors: kInvalidInput (a quote that is not closed).
Result<std::vector<std::string>> SplitCommand(std::string_view text);

}  // namespace lockstep

#endif  // LOCKSTEP_SERVICE_FIELD_H_
