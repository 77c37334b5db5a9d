// The table of service fields: the one place that says, for each field of the Compose Specification
// (https://github.com/compose-spec/compose-spec) that an engine can express, how it is normalised
// and what its default is. Adding a field is adding a row: readers, planner and runtimes follow it.
#ifndef LOCKSTEP_SERVICE_FIELD_H_
#define LOCKSTEP_SERVICE_FIELD_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "lockstep/result.h"
#include "lockstep/value.h"

namespace lockstep {

// In alphabetical order of the names; values are not stored anywhere, so rows may be added.
enum class Field : std::uint8_t {
  kCapAdd,
  kCapDrop,
  kCommand,
  kCpuQuota,
  kCpuShares,
  kCpus,
  kCpuset,
  kDevices,
  kDns,
  kDnsOpt,
  kDnsSearch,
  kDomainname,
  kEntrypoint,
  kExpose,
  kExtraHosts,
  kGroupAdd,
  kHealthcheck,
  kHostname,
  kInit,
  kIpc,
  kMacAddress,
  kMemLimit,
  kMemReservation,
  kNetworkMode,
  kNetworks,
  kOomKillDisable,
  kOomScoreAdj,
  kPid,
  kPidsLimit,
  kPorts,
  kPrivileged,
  kReadOnly,
  kRestart,
  kSecurityOpt,
  kShmSize,
  kStopGracePeriod,
  kStopSignal,
  kSysctls,
  kTmpfs,
  kTty,
  kUlimits,
  kUser,
  kUsernsMode,
  kVolumes,
  kWorkingDir,
};

// How a raw value becomes canonical. In brackets: the canonical form.
enum class FieldKind : std::uint8_t {
  kString,       // [string]
  kBool,         // true, false, or those words [bool]
  kInteger,      // [int]
  kBytes,        // number or "64m", "1gb" (1024-based) [int: bytes]
  kDuration,     // "1m30s" [int: nanoseconds]
  kCpuCount,     // 0.5 or "0.5" [int: billionths of a processor]
  kCommand,      // a list, or a string split like a shell does [list of string]
  kSequence,     // a string or a list, order kept [list of string]
  kSet,          // a string or a list [list of string, sorted, each once]
  kMapping,      // "k=v" list or a map [map of string]
  kExtraHosts,   // "host:ip", "host=ip", or a map [sorted list of "host:ip"]
  kDevices,      // "host[:container[:perm]]" [sorted list of "host:container:perm"]
  kRestart,      // no | always | unless-stopped | on-failure[:n] [string]
  kPorts,        // short and long form, ranges [sorted list of "ip:host:container/proto"]
  kVolumes,      // short and long form [sorted list of {read_only?, source?, target, type, ...}]
  kNetworks,     // list or map [map name -> {aliases?: sorted list, ipv4_address?, ...}]
  kHealthcheck,  // [map: test as list, interval, timeout, start_period in ns, retries]
  kUlimits,      // n or {soft, hard} [map name -> {hard: int, soft: int}]
};

struct FieldRow {
  Field field;
  std::string_view name;  // As in the Compose Specification: "cap_add".
  FieldKind kind;
  // What an engine does when nothing is said; a field with this value is left out of a ServiceSpec.
  Value neutral;
  // What a balena target means when it says nothing; null: the same as `neutral`.
  Value balena_default;
};

// All rows, indexed by Field. Never changes; safe from any thread.
std::span<const FieldRow> ServiceFields();
const FieldRow& RowOf(Field field);
const FieldRow* FindServiceField(std::string_view name);  // Null for an unknown name.

// The canonical form of `raw`; null stays null (absent). Depth and size of `raw` are bounded by its
// reader. Errors: kInvalidInput, with the message naming the bad part and what is allowed.
Result<Value> NormalizeField(const FieldRow& row, const Value& raw);

// The other way: a raw value that NormalizeField turns into `canonical` again (durations and
// everything else in the Compose Specification's words). For snapshots and messages.
Value DenormalizeField(const FieldRow& row, const Value& canonical);

// Splits like a POSIX shell does: blanks, quotes and backslashes; `$` and globs stay as they are.
// Errors: kInvalidInput (a quote that is not closed).
Result<std::vector<std::string>> SplitCommand(std::string_view text);

}  // namespace lockstep

#endif  // LOCKSTEP_SERVICE_FIELD_H_
