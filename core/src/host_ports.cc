#include "host_ports.h"

#include <optional>
#include <string_view>

namespace lockstep {
namespace {

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
  if (read.number.empty()) return std::nullopt;
  return read;
}

bool IsEvery(std::string_view address) {
  return address.empty() || address == "0.0.0.0" || address == "[::]";
}

}  // namespace

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

}  // namespace lockstep
