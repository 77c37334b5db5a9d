#include "claims.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace lockstep {
namespace {

struct HostPort {
  std::string address;  // Empty: every one.
  std::string number;
  std::string protocol;

  std::string ToString() const { return "the host port " + number + "/" + protocol; }
};

// Of a canonical port "ip:host:container/proto".
std::optional<HostPort> ReadPort(const Value& port) {
  const std::string* text = port.AsString();
  if (text == nullptr) return std::nullopt;
  const auto container = text->rfind(':');
  if (container == std::string::npos || container == 0) return std::nullopt;
  const auto host = text->rfind(':', container - 1);
  const auto slash = text->rfind('/');
  if (host == std::string::npos || slash == std::string::npos || slash < container) {
    return std::nullopt;
  }
  HostPort read{text->substr(0, host), text->substr(host + 1, container - host - 1),
                text->substr(slash + 1)};
  // The engine is to choose: any, or one of a range.
  if (read.number.empty() || read.number.find('-') != std::string::npos) return std::nullopt;
  return read;
}

bool IsEvery(std::string_view address) {
  return address.empty() || address == "0.0.0.0" || address == "[::]";
}

std::vector<HostPort> HostPortsOf(const ServiceSpec& spec) {
  std::vector<HostPort> ports;
  const Value* field = spec.Find(Field::kPorts);
  if (field == nullptr || field->AsList() == nullptr) return ports;
  for (const Value& port : *field->AsList()) {
    if (auto read = ReadPort(port)) ports.push_back(std::move(*read));
  }
  return ports;
}

bool Overlap(const HostPort& a, const HostPort& b) {
  return a.number == b.number && a.protocol == b.protocol &&
         (a.address == b.address || IsEvery(a.address) || IsEvery(b.address));
}

std::vector<std::string> AddressesOf(const ServiceSpec& spec) {
  std::vector<std::string> addresses;
  const Value* mac = spec.Find(Field::kMacAddress);
  if (mac != nullptr && mac->AsString() != nullptr) {
    addresses.push_back("the MAC address " + *mac->AsString());
  }
  const Value* networks = spec.Find(Field::kNetworks);
  const Value::Map* map = networks == nullptr ? nullptr : networks->AsMap();
  if (map == nullptr) return addresses;
  for (const auto& [name, endpoint] : *map) {
    for (const std::string_view member : {"ipv4_address", "ipv6_address", "mac_address"}) {
      const Value* address = endpoint.Find(member);
      const std::string* text = address == nullptr ? nullptr : address->AsString();
      if (text != nullptr) addresses.push_back("the address " + *text + " in " + name);
    }
  }
  return addresses;
}

}  // namespace

std::vector<std::string> ClaimsOf(const ServiceSpec& spec) {
  std::vector<std::string> claims = AddressesOf(spec);
  for (const HostPort& port : HostPortsOf(spec)) claims.push_back(port.ToString());
  return claims;
}

std::string CommonClaim(const ServiceSpec& a, const ServiceSpec& b) {
  for (const HostPort& port : HostPortsOf(a)) {
    for (const HostPort& other : HostPortsOf(b)) {
      if (Overlap(port, other)) return port.ToString();
    }
  }
  const auto taken = AddressesOf(b);
  for (const std::string& address : AddressesOf(a)) {
    if (std::find(taken.begin(), taken.end(), address) != taken.end()) return address;
  }
  return {};
}

}  // namespace lockstep
