#include "lockstep/resource_definition.h"

#include <array>
#include <utility>

#include "service_field_kinds.h"

namespace lockstep {
namespace {

using fields::MemberRule;

// The engine's own choice is empty, and what is empty is left out.
template <const std::string_view& default_driver>
Result<Value> Driver(const Value& raw) {
  LOCKSTEP_TRY(std::string driver, fields::TextOf(raw));
  if (driver == "default" || driver == default_driver) driver.clear();
  return Value(std::move(driver));
}

constexpr std::string_view kNetworkDriver = "bridge";
constexpr std::string_view kVolumeDriver = "local";
constexpr std::string_view kIpamDriver = "default";

Result<Value> IpamEntry(const Value& raw) {
  constexpr std::array kRules = {
      MemberRule{"subnet", fields::Text},
      MemberRule{"gateway", fields::Text},
      MemberRule{"ip_range", fields::Text},
      MemberRule{"aux_addresses", fields::Mapping},
  };
  LOCKSTEP_TRY(Value::Map entry, fields::Members(raw, kRules));
  return Value(std::move(entry));
}

Result<Value> IpamConfig(const Value& raw) {
  const Value::List* items = raw.AsList();
  if (items == nullptr) return fields::WrongValue(raw, "list of address pools");
  Value::List list;
  for (const Value& item : *items) {
    LOCKSTEP_TRY(Value entry, IpamEntry(item));
    if (!entry.AsMap()->empty()) list.push_back(std::move(entry));
  }
  fields::SortUnique(list);
  return Value(std::move(list));
}

Result<Value> Ipam(const Value& raw) {
  constexpr std::array kRules = {
      MemberRule{"driver", Driver<kIpamDriver>},
      MemberRule{"options", fields::Mapping},
      MemberRule{"config", IpamConfig},
  };
  LOCKSTEP_TRY(Value::Map ipam, fields::Members(raw, kRules));
  return Value(std::move(ipam));
}

Result<Value> Definition(const Value& raw, std::span<const MemberRule> rules) {
  if (raw.is_null()) return Value(Value::Map{});
  LOCKSTEP_TRY(Value::Map definition, fields::Members(raw, rules));
  return Value(std::move(definition));
}

}  // namespace

Result<Value> NormalizeNetworkDefinition(const Value& raw) {
  constexpr std::array kRules = {
      MemberRule{"driver", Driver<kNetworkDriver>}, MemberRule{"driver_opts", fields::Mapping},
      MemberRule{"internal", fields::Bool},         MemberRule{"attachable", fields::Bool},
      MemberRule{"enable_ipv6", fields::Bool},      MemberRule{"config_only", fields::Bool},
      MemberRule{"labels", fields::Mapping},        MemberRule{"ipam", Ipam},
  };
  return Definition(raw, kRules);
}

Result<Value> NormalizeVolumeDefinition(const Value& raw) {
  constexpr std::array kRules = {
      MemberRule{"driver", Driver<kVolumeDriver>},
      MemberRule{"driver_opts", fields::Mapping},
      MemberRule{"labels", fields::Mapping},
  };
  return Definition(raw, kRules);
}

}  // namespace lockstep
