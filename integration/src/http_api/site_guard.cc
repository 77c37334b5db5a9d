#include "http_api/site_guard.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>

namespace lockstep {
namespace {

bool IsPort(std::string_view text) {
  return text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool IsAddress(int family, std::string_view text) {
  in6_addr address;
  return inet_pton(family, std::string(text).c_str(), &address) == 1 &&
         text.find('\0') == std::string_view::npos;
}

// The host without its port; none where the field is no host at all.
std::optional<std::string_view> WithoutPort(std::string_view host) {
  std::size_t end = std::min(host.find(':'), host.size());
  if (host.starts_with('[')) {
    if (host.find(']') == std::string_view::npos) return std::nullopt;
    end = host.find(']') + 1;
  }
  const std::string_view rest = host.substr(end);
  if (!rest.empty() && (rest.front() != ':' || !IsPort(rest.substr(1)))) return std::nullopt;
  return host.substr(0, end);
}

bool IsFormType(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  return EqualsIgnoringCase(type, "text/plain") ||
         EqualsIgnoringCase(type, "multipart/form-data") ||
         EqualsIgnoringCase(type, "application/x-www-form-urlencoded");
}

}  // namespace

bool IsOwnHost(std::string_view host, const std::vector<std::string>& names) {
  const auto name = WithoutPort(host);
  if (!name || name->empty()) return false;
  if (name->starts_with('[')) {
    return name->size() > 2 && IsAddress(AF_INET6, name->substr(1, name->size() - 2));
  }
  if (IsAddress(AF_INET, *name) || EqualsIgnoringCase(*name, "localhost")) return true;
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& own) { return EqualsIgnoringCase(own, *name); });
}

std::string_view CrossSiteRefusal(const ApiRequest& request) {
  if (request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS") return {};
  if (request.headers.contains("sec-fetch-site")) {
    const std::string_view site = request.Header("sec-fetch-site");
    if (site != "same-origin" && site != "none") {
      return "the page that sends this request comes from another site";
    }
  }
  if (!request.headers.contains("origin")) return {};
  std::string_view origin = request.Header("origin");
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos ||
      !EqualsIgnoringCase(origin.substr(scheme + 3), request.Header("host"))) {
    return "the page that sends this request comes from another site";
  }
  // Forms need no permission of the browser to send these; an empty type is none of them.
  if (IsFormType(request.Header("content-type"))) {
    return "a page must send its body as application/json";
  }
  return {};
}

}  // namespace lockstep
