#include "http_api/route_table.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace lockstep {
namespace {

// The segment that `rest` begins with (after its "/"), which is taken off.
std::string_view TakeSegment(std::string_view& rest) {
  rest.remove_prefix(1);
  const std::string_view segment = rest.substr(0, rest.find('/'));
  rest.remove_prefix(segment.size());
  return segment;
}

std::optional<TextMap> MatchPath(std::string_view pattern, std::string_view path) {
  TextMap params;
  while (!pattern.empty() && !path.empty()) {
    const std::string_view wanted = TakeSegment(pattern);
    const std::string_view segment = TakeSegment(path);
    if (wanted.starts_with(':')) {
      if (segment.empty()) return std::nullopt;
      params.emplace(wanted.substr(1), segment);
    } else if (wanted != segment) {
      return std::nullopt;
    }
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return params;
}

// Patterns that match the same paths read the same.
std::string Shape(std::string_view pattern) {
  std::string shape;
  while (!pattern.empty()) {
    const std::string_view segment = TakeSegment(pattern);
    shape.append("/").append(segment.starts_with(':') ? ":" : segment);
  }
  return shape;
}

bool HasParameter(std::string_view pattern, std::string_view name) {
  while (!pattern.empty()) {
    const std::string_view segment = TakeSegment(pattern);
    if (segment.starts_with(':') && segment.substr(1) == name) return true;
  }
  return false;
}

bool Answers(const Route& route, std::string_view method) {
  return route.method == method || (method == "HEAD" && route.method == "GET");
}

}  // namespace

Result<RouteTable> RouteTable::Make(std::vector<Route> routes) {
  const auto bad = [](const Route& route, const char* why) {
    return WithContext(MakeError(ErrorCode::kInternal, why),
                       "route " + route.method + " " + route.pattern);
  };
  for (auto route = routes.begin(); route != routes.end(); ++route) {
    if (!route->pattern.starts_with('/')) return bad(*route, "it does not begin with \"/\"");
    if (!route->handle) return bad(*route, "nothing handles it");
    if (route->access == RouteAccess::kAppOfId && !HasParameter(route->pattern, "id")) {
      return bad(*route, "it has no \":id\" that could name an app");
    }
    const bool twice = std::any_of(routes.begin(), route, [&](const Route& other) {
      return other.method == route->method && Shape(other.pattern) == Shape(route->pattern);
    });
    if (twice) return bad(*route, "there are two of it");
  }
  // In this order the first that matches has its fixed segments furthest to the left: ':' stands
  // for what is behind all fixed ones.
  std::stable_sort(routes.begin(), routes.end(), [](const Route& a, const Route& b) {
    const std::string left = Shape(a.pattern);
    const std::string right = Shape(b.pattern);
    return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end(),
                                        [](char x, char y) { return x != ':' && y == ':'; });
  });
  return RouteTable(std::move(routes));
}

RouteTable::Match RouteTable::Find(std::string_view method, std::string_view path) const {
  Match match;
  if (!path.starts_with('/')) return match;
  for (const Route& route : routes_) {
    auto params = MatchPath(route.pattern, path);
    if (!params) continue;
    if (Answers(route, method)) {
      match.route = &route;
      match.params = std::move(*params);
      match.allowed.clear();
      return match;
    }
    match.allowed.push_back(route.method);
    if (route.method == "GET") match.allowed.emplace_back("HEAD");
  }
  return match;
}

}  // namespace lockstep
