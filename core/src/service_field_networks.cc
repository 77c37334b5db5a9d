#include <array>
#include <utility>

#include "service_field_kinds.h"

namespace lockstep::fields {
namespace {

Result<Value> Ipv4(const Value& raw) {
  const std::string* text = raw.AsString();
  if (text == nullptr || !IsIpv4(*text)) return WrongValue(raw, "IPv4 address");
  return raw;
}

Result<Value> Ipv6(const Value& raw) {
  const std::string* text = raw.AsString();
  if (text == nullptr || !IsIpv6(*text)) return WrongValue(raw, "IPv6 address");
  return Value(Lower(*text));
}

Result<Value> Addresses(const Value& raw) {
  LOCKSTEP_TRY(std::vector<std::string> texts, TextsOf(raw));
  Value::List list;
  for (std::string& text : texts) {
    if (!IsIpv4(text) && !IsIpv6(text)) return WrongValue(text, "IP address");
    list.emplace_back(Lower(std::move(text)));
  }
  SortUnique(list);
  return Value(std::move(list));
}

Result<Value> NoMacAddress(const Value& raw) {
  return Invalid(Show(raw) +
                 " is not supported for one network; write mac_address of the service, which is "
                 "that of its network of highest priority");
}

Result<Value> Attachment(const Value& raw) {
  constexpr std::array kRules = {
      MemberRule{"aliases", Set},
      MemberRule{"ipv4_address", Ipv4},
      MemberRule{"ipv6_address", Ipv6},
      MemberRule{"link_local_ips", Addresses},
      MemberRule{"driver_opts", Mapping},
      MemberRule{"priority", Integer},
      // An engine that is too old for these passes them over without a word.
      MemberRule{"mac_address", NoMacAddress, false},
      MemberRule{"gw_priority", Unsupported, false},
      MemberRule{"interface_name", Unsupported, false},
  };
  if (raw.is_null()) return Value(Value::Map{});
  LOCKSTEP_TRY(Value::Map map, Members(raw, kRules));
  return Value(std::move(map));
}

}  // namespace

Result<Value> Networks(const Value& raw) {
  Value::Map result;
  if (const Value::Map* map = raw.AsMap()) {
    for (const auto& [name, value] : *map) {
      LOCKSTEP_TRY(Value attachment, Attachment(value));
      result.push_back({name, std::move(attachment)});
    }
  } else if (raw.AsList() != nullptr) {
    LOCKSTEP_TRY(std::vector<std::string> names, TextsOf(raw));
    for (std::string& name : names) result.push_back({std::move(name), Value::Map{}});
  } else {
    return WrongValue(raw, "list or map of networks");
  }
  for (const auto& member : result) {
    if (!IsName(member.key)) {
      return WrongValue(member.key,
                        "name of a network; use letters, digits, \"_\", \".\" and \"-\"");
    }
  }
  return Value(std::move(result));
}

}  // namespace lockstep::fields
