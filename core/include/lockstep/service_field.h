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

// How a raw value becomes canonical; in brackets: the canonical form. A number may be written as
// text
// ("100") and text as a number (user: 1000). "Sorted" is the order of Value, each entry once.
enum class FieldKind : std::uint8_t {
  kString,       // [string]
  kBool,         // true, false, or those words [bool]
  kInteger,      // within the row's least and most [int]
  kLimit,        // an integer; -1 is "no limit", as 0 is [int >= 0]
  kBytes,        // number or "64m", "1.5gb" (1024-based) [int: bytes]
  kDuration,     // "1m30s", always with a unit [int: nanoseconds]
  kCpuCount,     // 0.5 or "0.5" [int: billionths of a processor]
  kCommand,      // a list, or a string split like a shell does [list of string]
  kSequence,     // a string or a list, order kept [list of string]
  kSet,          // a string or a list [sorted list of string]
  kMapping,      // "k=v" list or a map [map of string]
  kExpose,       // "port[-port][/proto]" list [sorted list of "port/proto"]: "80/tcp"
  kExtraHosts,   // "host:ip", "host=ip", or a map [sorted list of "host:ip"], no brackets around ip
  kDevices,      // "host[:container[:perm]]" or {source, target?, permissions?}
                 // [sorted list of "host:container:perm"], perm a part of "rwm" in that order
  kRestart,      // [string: no | always | unless-stopped | on-failure | on-failure:<n > 0>]
  kPorts,        // short and long form [sorted list of "ip:host:container/proto"]: see below
  kVolumes,      // short and long form [sorted list of map]: see below
  kNetworks,     // list or map [map of map]: see below
  kHealthcheck,  // [map]: see below
  kUlimits,      // n or {soft, hard} [map name -> {hard: int, soft: int}], -1 is unlimited
};

// Ports: one entry for each port, ranges are expanded. `ip` is empty where none is written (nothing
// is invented) and in brackets where it is IPv6; `host` is empty where the engine is to choose;
// `proto` is tcp, udp or sctp. "::80/tcp", ":8080:80/tcp", "127.0.0.1::53/udp", "[::1]:1:1/tcp".
//
// Volumes: always `type` and `target` (absolute, without "//", "." or a trailing "/"), and
//   type volume: source? (a name; none: anonymous), read_only? (true), nocopy? (true)
//   type tmpfs:  read_only? (true), size? (int: bytes), mode? (int: permission bits)
//   type bind:   source (host path), read_only? (true), must_exist? (true: else the engine makes a
//                directory there); what an engine may report. NormalizeField refuses it, and so a
//                target cannot ask for it but by a feature label.
// What is false, 0 or empty is left out. No two entries have one target.
//
// Networks: name -> {aliases?: sorted list, ipv4_address?, ipv6_address?: lower case,
// link_local_ips?: sorted list, priority?: int}; empty lists and a priority of 0 are left out.
//
// Healthcheck: {test?: list, interval?, timeout?, start_period?: int ns, retries?: int}. `test` is
// ["CMD", ...], ["CMD-SHELL", text] (also for a string), or exactly {test: ["NONE"]} when disabled.
// What is 0 or empty comes from the image and is left out.

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
};

// All rows, indexed by Field. Never changes; safe from any thread.
std::span<const FieldRow> ServiceFields();
const FieldRow& RowOf(Field field);
const FieldRow* FindServiceField(std::string_view name);  // Null for an unknown name.

// The canonical form of `raw`; null stays null (absent). Idempotent through DenormalizeField. Text
// with a NUL byte, or of more than 128 KiB, is refused; depth and size of `raw` as a whole are
// bounded by its reader. Errors: kInvalidInput, with the message naming the bad part and what is
// allowed; name of the field, service and file are for the caller to add.
Result<Value> NormalizeField(const FieldRow& row, const Value& raw);

// The other way: a raw value that NormalizeField turns into `canonical` again (durations and
// everything else in the Compose Specification's words); null stays null. For snapshots and
// messages. A value that is not canonical comes back as it is.
Value DenormalizeField(const FieldRow& row, const Value& canonical);

// Splits like a POSIX shell does: blanks, quotes and backslashes; `$` and globs stay as they are.
// Errors: kInvalidInput (a quote that is not closed).
Result<std::vector<std::string>> SplitCommand(std::string_view text);

}  // namespace lockstep

#endif  // LOCKSTEP_SERVICE_FIELD_H_
