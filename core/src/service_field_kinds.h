// The kinds of fields: for each a normaliser and its inverse, and the small readers of raw values
// that they are made of. Private to core. All errors are kInvalidInput and name the bad part.
#ifndef LOCKSTEP_SERVICE_FIELD_KINDS_H_
#define LOCKSTEP_SERVICE_FIELD_KINDS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/result.h"
#include "lockstep/value.h"

namespace lockstep::fields {

// `raw` is never null.
using Normalizer = Result<Value> (*)(const Value& raw);
using Denormalizer = Value (*)(const Value& canonical);

// --- Messages and raw scalars (service_field_text.cc) ---

Error Invalid(std::string message);
std::string Show(const Value& value);  // For a message: quoted and, where it is long, cut.
Error WrongValue(const Value& value, std::string_view allowed);  // `"x" is no <allowed>`.

Result<std::string> TextOf(const Value& raw);                // Text, or a number as text.
Result<std::vector<std::string>> TextsOf(const Value& raw);  // One, or a list of them.
Result<std::int64_t> IntOf(const Value& raw);                // Whole number, or one as text.
bool IsName(std::string_view text);                          // Of a volume or network.
bool IsIpv4(std::string_view text);
bool IsIpv6(std::string_view text);  // By its characters; the engine looks closer.
std::string Lower(std::string text);
std::string Upper(std::string text);
// Absolute and without "//", ".", ".." and a trailing "/", as an engine reports it; empty where
// `path` is not absolute.
std::string CleanPath(std::string_view path);
// "mr" -> "rm"; empty for anything but r, w and m, each once.
std::string Permissions(std::string_view text);

// `number` (digits, perhaps a point and digits) times `unit`, rounded; none where it is no number
// or too large.
std::optional<std::int64_t> Scaled(std::string_view number, std::int64_t unit);

void SortUnique(Value::List& list);
Result<void> EachOnce(std::vector<std::string_view> paths);  // What is mounted in a container.
Value ListOf(std::vector<std::string> texts);

// One member of a map with fixed members, such as `healthcheck.interval`.
struct MemberRule {
  std::string_view name;
  Normalizer normalize;
  bool allowed = true;  // False: it refuses, and is not offered to who misspells another.
};
// A map of known members. Null, false, 0 and empty ones are left out, and so is `x-*`.
Result<Value::Map> Members(const Value& raw, std::span<const MemberRule> rules);

// Refuses: for what the Compose Specification knows, and no engine that is supported can do.
Result<Value> Unsupported(const Value& raw);

// --- Kinds (service_field_scalars.cc) ---

Result<Value> Text(const Value& raw);
Result<Value> Bool(const Value& raw);
Result<Value> Integer(const Value& raw);
Result<Value> Limit(const Value& raw);
Result<Value> Bytes(const Value& raw);
Result<Value> SwapLimit(const Value& raw);
Result<Value> Duration(const Value& raw);  // Exact.
Result<Value> Seconds(const Value& raw);   // Whole seconds.
Result<Value> CpuCount(const Value& raw);
Result<Value> Restart(const Value& raw);
Value DurationText(const Value& canonical);
Value CpuCountNumber(const Value& canonical);

// --- Kinds (service_field_words.cc) ---

Result<Value> Path(const Value& raw);
Result<Value> MacAddress(const Value& raw);
Result<Value> Signal(const Value& raw);
Result<Value> NetworkMode(const Value& raw);
Result<Value> PidMode(const Value& raw);
Result<Value> IpcMode(const Value& raw);
Result<Value> UtsMode(const Value& raw);
Result<Value> PullPolicy(const Value& raw);
Result<Value> Capabilities(const Value& raw);

// --- Kinds (service_field_lists.cc) ---

Result<Value> Command(const Value& raw);
Result<Value> Sequence(const Value& raw);
Result<Value> Set(const Value& raw);
Result<Value> Tmpfs(const Value& raw);
Result<Value> Mapping(const Value& raw);
Result<Value> ExtraHosts(const Value& raw);
Result<Value> Devices(const Value& raw);
Result<Value> Ulimits(const Value& raw);
Result<Value> Logging(const Value& raw);

// --- Kinds, each in a source of its own (gpus, health, networks, ports, security, volumes) ---

Result<Value> Gpus(const Value& raw);
Result<Value> Healthcheck(const Value& raw);
Value HealthcheckText(const Value& canonical);
Result<Value> Networks(const Value& raw);
Result<Value> Expose(const Value& raw);
Result<Value> Ports(const Value& raw);
Value PortsText(const Value& canonical);
Result<Value> DeviceRules(const Value& raw);
Result<Value> Security(const Value& raw);
Result<Value> Volumes(const Value& raw);
Result<Value> VolumesAndBinds(const Value& raw);
Value VolumesText(const Value& canonical);

}  // namespace lockstep::fields

#endif  // LOCKSTEP_SERVICE_FIELD_KINDS_H_
