#include "config_backends/config_json_fields.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <optional>

namespace lockstep {
namespace {

// Not std::isalnum(): that one asks the locale.
bool IsAlnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::vector<std::string> Words(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  std::vector<std::string> words;
  for (std::size_t at = text.find_first_not_of(kBlanks); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kBlanks, at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = text.find_first_not_of(kBlanks, end);
  }
  return words;
}

std::string Joined(std::string_view text) {
  std::string joined;
  for (const std::string& word : Words(text)) joined += (joined.empty() ? "" : " ") + word;
  return joined;
}

std::optional<bool> ReadBool(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (lower == "true" || lower == "1" || lower == "on") return true;
  if (lower == "false" || lower == "0" || lower == "off") return false;
  return std::nullopt;
}

std::string BoolRefusal(std::string_view value) {
  return ReadBool(value) ? "" : "is neither true nor false";
}
std::string BoolCanonical(std::string_view value) {
  const auto truth = ReadBool(value);
  return !truth ? std::string(value) : *truth ? "true" : "false";
}

// RFC 1123; one more would not fit the kernel's name of the machine.
bool IsHostName(std::string_view name) {
  constexpr std::size_t kMost = 63;
  if (name.empty() || name.size() > kMost) return false;
  char before = '.';
  for (const char c : name) {
    if (!IsAlnum(c) && c != '-' && c != '.') return false;
    if (before == '.' && !IsAlnum(c)) return false;
    if (before == '-' && c == '.') return false;
    before = c;
  }
  return IsAlnum(before);
}
std::string HostNameRefusal(std::string_view value) {
  return IsHostName(value)
             ? ""
             : "is no host name (at most 63 letters, digits, hyphens and dots between them)";
}

bool IsAddress(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

// "null" is balenaOS's word for "none, not even the usual ones".
template <typename IsServer>
bool AreServers(std::string_view value, IsServer is_server) {
  constexpr std::size_t kMost = 32;
  if (value.find('\0') != std::string_view::npos) return false;
  const std::vector<std::string> words = Words(value);
  if (words.size() == 1 && words.front() == "null") return true;
  return !words.empty() && words.size() <= kMost &&
         std::all_of(words.begin(), words.end(), is_server);
}
std::string NtpRefusal(std::string_view value) {
  return AreServers(value,
                    [](const std::string& word) { return IsHostName(word) || IsAddress(word); })
             ? ""
             : "is no list of time servers (names or addresses, a space between them, or null)";
}
std::string DnsRefusal(std::string_view value) {
  return AreServers(value, IsAddress)
             ? ""
             : "is no list of name servers (addresses, a space between them, or null)";
}

// balenaOS hands it to a shell's echo -e, where a backslash could begin another line of
// NetworkManager's configuration.
std::string UriRefusal(std::string_view value) {
  constexpr std::size_t kMost = 2000;
  const std::size_t scheme = value.starts_with("http://")    ? 7
                             : value.starts_with("https://") ? 8
                                                             : value.size();
  const bool fits = value.size() > scheme && value.size() <= kMost &&
                    std::all_of(value.begin(), value.end(), [](char c) {
                      return IsAlnum(c) || std::string_view("-._~:/?#[]@!&()*+,;=%").find(c) !=
                                               std::string_view::npos;
                    });
  return fits ? "" : "is no http or https address";
}

std::string SecondsRefusal(std::string_view value) {
  const bool fits = !value.empty() && value.size() <= 9 &&
                    std::all_of(value.begin(), value.end(), IsDigit) &&
                    (value.front() != '0' || value.size() == 1);
  return fits ? "" : "is no number of seconds";
}

// Which modes and profiles there are differs from board to board, and the OS says so.
std::string WordRefusal(std::string_view value) {
  constexpr std::size_t kMost = 64;
  const bool fits = !value.empty() && value.size() <= kMost &&
                    std::all_of(value.begin(), value.end(), [](char c) {
                      return IsAlnum(c) || c == '-' || c == '_' || c == '.';
                    });
  return fits ? "" : "is no word of letters, digits, '-', '_' and '.'";
}

}  // namespace

std::vector<ConfigJsonField> HostFields() {
  using Type = ConfigJsonField::Type;
  return {
      {.key = "BALENA_SUPERVISOR_PERSISTENT_LOGGING",
       .path = {"persistentLogging"},
       .type = Type::kBool,
       .needs_reboot = true,  // No unit watches it; read at boot.
       .absent = "false",
       .refusal = BoolRefusal,
       .canonical = BoolCanonical},
      // No reboot is needed, but balenaOS starts the container engine again when it changes, and
      // every app with it: that has to wait for locks as a reboot has. (balena-supervisor takes
      // them too.)
      {.key = "BALENA_HOST_HOSTNAME",
       .path = {"hostname"},
       .type = Type::kText,
       .needs_reboot = true,
       .refusal = HostNameRefusal,
       .canonical = nullptr},
      {.key = "BALENA_HOST_NTP_SERVERS",
       .path = {"ntpServers"},
       .type = Type::kText,
       .needs_reboot = false,  // balena-ntp-config
       .refusal = NtpRefusal,
       .canonical = Joined},
      {.key = "BALENA_HOST_DNS_SERVERS",
       .path = {"dnsServers"},
       .type = Type::kText,
       .needs_reboot = false,  // balena-net-config, dnsmasq
       .refusal = DnsRefusal,
       .canonical = Joined},
      {.key = "BALENA_HOST_CONNECTIVITY_URI",
       .path = {"os", "network", "connectivity", "uri"},
       .type = Type::kText,
       .needs_reboot = false,  // os-networkmanager
       .refusal = UriRefusal,
       .canonical = nullptr},
      {.key = "BALENA_HOST_CONNECTIVITY_INTERVAL",
       .path = {"os", "network", "connectivity", "interval"},
       .type = Type::kText,
       .needs_reboot = false,  // os-networkmanager
       .refusal = SecondsRefusal,
       .canonical = nullptr},
  };
}

std::vector<ConfigJsonField> PowerFanFields() {
  using Type = ConfigJsonField::Type;
  return {
      {.key = "BALENA_HOST_CONFIG_power_mode",
       .path = {"os", "power", "mode"},
       .type = Type::kText,
       .needs_reboot = true,
       .refusal = WordRefusal,
       .canonical = nullptr},
      {.key = "BALENA_HOST_CONFIG_fan_profile",
       .path = {"os", "fan", "profile"},
       .type = Type::kText,
       .needs_reboot = false,  // os-fan-profile
       .refusal = WordRefusal,
       .canonical = nullptr},
  };
}

}  // namespace lockstep
