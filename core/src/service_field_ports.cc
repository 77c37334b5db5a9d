#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "service_field_kinds.h"

namespace lockstep::fields {
namespace {

constexpr std::string_view kAllowedPort =
    "port; write [[ip:]host:]container[/tcp|udp|sctp], ports 1 to 65535, ranges of one length (or "
    "a range of the host for one port)";
constexpr std::string_view kAllowedExpose = "port; write port[/tcp|udp|sctp], 1 to 65535";
constexpr int kMostPort = 65535;
// A service cannot use more; it bounds what a few short ranges can grow into.
constexpr std::size_t kMostEntries = 65536;

struct Range {
  int first = 0;
  int last = 0;
};

std::optional<int> ParsePort(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > kMostPort) {
    return std::nullopt;
  }
  return port;
}

std::optional<Range> ParseRange(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = ParsePort(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : ParsePort(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return Range{*first, *last};
}

bool IsProtocol(std::string_view text) { return text == "tcp" || text == "udp" || text == "sctp"; }

// The parts of one entry, as they are written.
struct Parts {
  std::string ip;
  std::string host;
  std::string container;
  std::string protocol = "tcp";
};

Parts SplitShort(std::string text) {
  Parts parts;
  if (const std::size_t slash = text.find('/'); slash != std::string::npos) {
    parts.protocol = text.substr(slash + 1);
    text.resize(slash);
  }
  const std::size_t last = text.rfind(':');
  if (last == std::string::npos) {
    parts.container = std::move(text);
    return parts;
  }
  parts.container = text.substr(last + 1);
  text.resize(last);
  const std::size_t middle = text.rfind(':');
  if (middle == std::string::npos) {
    parts.host = std::move(text);
    return parts;
  }
  parts.host = text.substr(middle + 1);
  parts.ip = text.substr(0, middle);
  if (IsIpv6(parts.ip)) parts.ip = '[' + parts.ip + ']';  // Compose takes it without, too.
  return parts;
}

Result<Value> PortMode(const Value& raw) {
  if (raw == Value("host") || raw == Value("ingress")) return raw;
  return WrongValue(raw, "mode of a port; write host or ingress");
}

Result<Parts> SplitLong(const Value& raw) {
  // `name`, `mode` and `app_protocol` say nothing that one engine by itself would act on.
  constexpr std::array kRules = {
      MemberRule{"target", Text},       MemberRule{"published", Text}, MemberRule{"host_ip", Text},
      MemberRule{"protocol", Text},     MemberRule{"mode", PortMode},  MemberRule{"name", Text},
      MemberRule{"app_protocol", Text},
  };
  LOCKSTEP_TRY(Value::Map map, Members(raw, kRules));
  Parts parts;
  for (auto& [key, value] : map) {
    if (key == "target") parts.container = *value.AsString();
    if (key == "published") parts.host = *value.AsString();
    if (key == "host_ip") parts.ip = *value.AsString();
    if (key == "protocol") parts.protocol = *value.AsString();
  }
  if (IsIpv6(parts.ip)) parts.ip = '[' + parts.ip + ']';
  return parts;
}

bool IsHostIp(std::string_view ip) {
  const bool bracketed = ip.size() > 2 && ip.front() == '[' && ip.back() == ']';
  return ip.empty() || (bracketed ? IsIpv6(ip.substr(1, ip.size() - 2)) : IsIpv4(ip));
}

// Appends the entries of `parts`; false where they make no port.
bool Expand(Parts parts, Value::List& list) {
  parts.ip = Lower(std::move(parts.ip));
  parts.protocol = Lower(std::move(parts.protocol));
  if (parts.host == "0") parts.host.clear();  // The engine is to choose.
  const auto container = ParseRange(parts.container);
  const auto host = parts.host.empty() ? container : ParseRange(parts.host);
  if (!container || !host || !IsHostIp(parts.ip) || !IsProtocol(parts.protocol)) return false;
  const auto add = [&](const std::string& host_port, int container_port) {
    list.emplace_back(parts.ip + ':' + host_port + ':' + std::to_string(container_port) + '/' +
                      parts.protocol);
  };
  if (container->first == container->last && host->first != host->last) {
    add(std::to_string(host->first) + '-' + std::to_string(host->last), container->first);
    return true;
  }
  if (host->last - host->first != container->last - container->first) return false;
  for (int i = 0; i <= container->last - container->first; ++i) {
    add(parts.host.empty() ? std::string() : std::to_string(host->first + i), container->first + i);
  }
  return true;
}

Result<Value> TooMany() {
  return Invalid("more than " + std::to_string(kMostEntries) + " ports; write shorter ranges");
}

}  // namespace

Result<Value> Expose(const Value& raw) {
  LOCKSTEP_TRY(const std::vector<std::string> texts, TextsOf(raw));
  Value::List list;
  for (const std::string& text : texts) {
    const std::size_t slash = text.find('/');
    const std::string protocol = slash == std::string::npos ? "tcp" : Lower(text.substr(slash + 1));
    const auto range = ParseRange(std::string_view(text).substr(0, slash));
    if (!range || !IsProtocol(protocol)) return WrongValue(text, kAllowedExpose);
    for (int port = range->first; port <= range->last; ++port) {
      list.emplace_back(std::to_string(port) + '/' + protocol);
    }
    if (list.size() > kMostEntries) return TooMany();
  }
  SortUnique(list);
  return Value(std::move(list));
}

Result<Value> Ports(const Value& raw) {
  const Value::List* items = raw.AsList();
  if (items == nullptr) return WrongValue(raw, "list of ports");
  Value::List list;
  for (const Value& item : *items) {
    Parts parts;
    if (item.AsMap() != nullptr) {
      LOCKSTEP_TRY(parts, SplitLong(item));
    } else {
      LOCKSTEP_TRY(std::string text, TextOf(item));
      parts = SplitShort(std::move(text));
    }
    if (!Expand(std::move(parts), list)) return WrongValue(item, kAllowedPort);
    if (list.size() > kMostEntries) return TooMany();
  }
  SortUnique(list);
  return Value(std::move(list));
}

Value PortsText(const Value& canonical) {
  const Value::List* items = canonical.AsList();
  if (items == nullptr) return canonical;
  Value::List list;
  for (const Value& item : *items) {
    const std::string* text = item.AsString();
    // "::80/tcp" is "80/tcp", ":8080:80/tcp" is "8080:80/tcp"; with an address nothing changes.
    const std::size_t skip = text == nullptr ? 0 : text->find_first_not_of(':');
    list.push_back(skip == 0 || skip == std::string::npos ? item : Value(text->substr(skip)));
  }
  return list;
}

}  // namespace lockstep::fields
