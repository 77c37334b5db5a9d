#include "compose_commit.h"

#include <cstdint>
#include <map>
#include <utility>

#include "lockstep/service_field.h"
#include "lockstep/value.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace lockstep {
namespace {

template <typename T>
Value MapOf(const std::map<std::string, T>& entries) {
  Value::Map map;
  map.reserve(entries.size());
  for (const auto& [key, value] : entries) map.push_back({key, Value(value)});
  return map;
}

Value DependsOn(const std::vector<Dependency>& dependencies) {
  Value::Map map;
  for (const Dependency& d : dependencies) {
    map.push_back({d.service, Value(Value::List{static_cast<std::int64_t>(d.condition), d.restart,
                                                d.required})});
  }
  return map;
}

Value Service(const TargetService& service) {
  Value::Map fields;
  for (const FieldValue& field : service.spec.fields) {
    fields.push_back({std::string(RowOf(field.field).name), field.value});
  }
  return Value::Map{
      {"image", service.spec.image},          {"environment", MapOf(service.spec.environment)},
      {"labels", MapOf(service.spec.labels)}, {"depends_on", DependsOn(service.spec.depends_on)},
      {"fields", Value(std::move(fields))},
  };
}

void AppendHex(std::string& out, std::uint64_t number) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) out += kHex[(number >> shift) & 0xf];
}

}  // namespace

std::string CommitOf(std::string_view app, const TargetRelease& release) {
  Value::Map services;
  for (const TargetService& service : release.services) {
    services.push_back({service.name, Service(service)});
  }
  const std::string text = ToText(Value(Value::Map{
      {"app", Value(app)},
      {"services", Value(std::move(services))},
      {"networks", MapOf(release.networks)},
      {"volumes", MapOf(release.volumes)},
  }));
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  std::string commit;
  AppendHex(commit, hash.high64);
  AppendHex(commit, hash.low64);
  return commit;
}

}  // namespace lockstep
