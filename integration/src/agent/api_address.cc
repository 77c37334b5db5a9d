#include "agent/api_address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <array>
#include <map>
#include <memory>
#include <string_view>

namespace lockstep {
namespace {

constexpr std::array<std::string_view, 3> kBridges = {"supervisor0", "balena0", "docker0"};

// Interface -> IPv4 address.
std::map<std::string, std::string, std::less<>> Addresses() {
  std::map<std::string, std::string, std::less<>> addresses;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return addresses;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> list(first, freeifaddrs);
  for (const ifaddrs* at = first; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_INET) continue;
    std::array<char, INET_ADDRSTRLEN> text{};
    const auto* address = reinterpret_cast<const sockaddr_in*>(at->ifa_addr);
    if (inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size()) == nullptr) continue;
    addresses.emplace(at->ifa_name, text.data());
  }
  return addresses;
}

bool IsEverywhere(std::string_view host) { return host == "0.0.0.0" || host == "[::]"; }
bool IsThisMachineOnly(std::string_view host) {
  return host.starts_with("127.") || host == "[::1]" || host == "localhost";
}

}  // namespace

ApiAddress FindApiAddress(const AgentOptions& options) {
  for (const std::string& listen : options.api_listen) {
    const auto colon = listen.rfind(':');
    if (colon == std::string::npos) continue;
    const std::string host = listen.substr(0, colon);
    const std::string port = listen.substr(colon + 1);
    if (!options.api_address.empty()) return {options.api_address, port};
    if (IsThisMachineOnly(host)) continue;
    if (!IsEverywhere(host)) return {host, port};
    const auto addresses = Addresses();
    for (const std::string_view bridge : kBridges) {
      const auto found = addresses.find(bridge);
      if (found != addresses.end()) return {found->second, port};
    }
  }
  return {};
}

}  // namespace lockstep
