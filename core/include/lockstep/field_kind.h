// The kinds of service fields: how a raw value becomes canonical, and what the canonical form is.
#ifndef LOCKSTEP_FIELD_KIND_H_
#define LOCKSTEP_FIELD_KIND_H_

#include <cstdint>

namespace lockstep {

// In brackets: the canonical form. A number may be written as text ("100") and text as a number
// (user: 1000). "Sorted" is the order of Value, each entry once. Long forms: see below.
enum class FieldKind : std::uint8_t {
  kString,        // [string]
  kBool,          // true, false, or those words [bool]
  kInteger,       // within the row's least and most [int]
  kLimit,         // an integer; -1 is "no limit", as 0 is [int >= 0]
  kBytes,         // number or "64m", "1.5gb" (1024-based) [int: bytes]; 0 says nothing
  kSwapLimit,     // as kBytes, or -1 [int: bytes of memory and swap together; -1: no limit]
  kDuration,      // "1m30s", always with a unit [int: nanoseconds of whole seconds, rounded up,
                  // since an engine keeps no parts of them]
  kCpuCount,      // 0.5 or "0.5" [int: billionths of a processor]
  kPath,          // in a container [string: absolute, without "//", ".", ".." or a trailing "/"]
  kMacAddress,    // [string: "02:42:ac:11:65:43"]; "-" for ":" and upper case are understood
  kSignal,        // "SIGINT", "int", 2 [string: "SIGINT", "2"]
  kNetworkMode,   // host, none, bridge, a network of the app, or another's: see below [string]
  kPidMode,       // host, or another's [string]
  kIpcMode,       // private, shareable, host, none, or another's [string]
  kUtsMode,       // host [string]
  kPullPolicy,    // [string: missing | always | never]; if_not_present is missing
  kRestart,       // [string: no | always | unless-stopped | on-failure | on-failure:<n > 0>]
  kCommand,       // a list, or a string split like a shell does [list of string]
  kSequence,      // a string or a list, order kept [list of string]
  kSet,           // a string or a list [sorted list of string]
  kCapabilities,  // as kSet [sorted list of string: "NET_ADMIN"]; "CAP_" and case say nothing
  kDeviceRules,   // as kSet, of "c 1:3 rwm" [sorted list of string], permissions in that order
  kSecurity,      // as kSet, of "name=value" or "name:value" [sorted list of string: "name=value",
                  // "no-new-privileges" where that is true]
  kTmpfs,         // as kSet, of "path[:options]" [sorted list of string], each path once
  kMapping,       // "k=v" list or a map [map of string]
  kExpose,        // "port[-port][/proto]" list [sorted list of "port/proto"]: "80/tcp"
  kExtraHosts,    // "host:ip", "host=ip" or a map [sorted list of "host:ip"], no brackets around ip
  kGpus,          // all, or a list [sorted list of map]
  kDevices,       // "host[:container[:perm]]" or {source, target?, permissions?}
                  // [sorted list of "host:container:perm"], perm a part of "rwm" in that order
  kPorts,         // short and long form [sorted list of "ip:host:container/proto"]
  kVolumes,       // short and long form [sorted list of map]
  kNetworks,      // list or map [map of map]
  kHealthcheck,   // [map]
  kUlimits,       // n or {soft, hard} [map name -> {hard: int, soft: int}], -1 is unlimited
  kLogging,       // [map: {driver?: string, options?: map of string}]
};

// Another's namespace: "service:<name>" is that of the current container of a service of the app,
// "container:<name or id>" that of any container. An engine keeps only the id.
//
// Ports: one entry for each port, ranges are expanded. `ip` is empty where none is written (nothing
// is invented) and in brackets where it is IPv6; `host` is empty where the engine is to choose, and
// a range ("8000-8010") where it is to choose from that for one port; `proto` is tcp, udp or sctp.
// "::80/tcp", ":8080:80/tcp", "127.0.0.1::53/udp", "[::1]:1:1/tcp", ":8000-8010:80/tcp". `mode`
// (host, ingress), `name` and `app_protocol` say nothing that one engine would act on.
//
// Volumes: always `type` and `target` (a kPath), and
//   type volume: source? (a name; none: anonymous), read_only? (true), nocopy? (true)
//   type tmpfs:  read_only? (true), size? (int: bytes), mode? (int: permission bits)
//   type bind:   source (a path of the host, as kPath), read_only? (true), propagation? (shared,
//                slave, private, and these with "r"), selinux? ("z", "Z"), must_exist? (true:
//                create_host_path is false). Only with HostPaths::kAllowed.
// What is false, 0 or empty is left out. No two entries have one target.
//
// Networks: name -> {aliases?: sorted list, ipv4_address?, ipv6_address?: lower case,
// link_local_ips?: sorted list, driver_opts?: map of string, priority?: int}; what is empty or 0 is
// left out. An engine does not report a priority: the highest says which network the container is
// made with, the others are connected to it.
//
// Gpus: {capabilities: sorted list, always with "gpu", count?: int, -1: all, device_ids?: sorted
// list, driver?: string, options?: map of string}. Always one of `count` and `device_ids`.
//
// Healthcheck: {test?: list, interval?, timeout?, start_period?, start_interval?: int ns, retries?:
// int}. `test` is ["CMD", ...], ["CMD-SHELL", text] (also for a string), or exactly {test:
// ["NONE"]} when disabled. What is 0 or empty comes from the image and is left out.

}  // namespace lockstep

#endif  // LOCKSTEP_FIELD_KIND_H_
