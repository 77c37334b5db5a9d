#include "http_api/request_target.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "lockstep/utf8.h"

namespace lockstep {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class Plus { kIsPlus, kIsBlank };

std::optional<std::string> Decode(std::string_view raw, Plus plus) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '+' && plus == Plus::kIsBlank) c = ' ';
    if (c == '%') {
      if (raw.size() - i < 3) return std::nullopt;
      const int high = HexDigit(raw[i + 1]);
      const int low = HexDigit(raw[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    out.push_back(c);
  }
  if (!IsUtf8(out)) return std::nullopt;
  return out;
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Error Bad(std::string message) {
  return MakeError(ErrorCode::kInvalidInput, std::move(message), "mend the URL");
}

// The part of `text` up to `separator`, which is taken off with it.
std::string_view TakeUntil(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

Result<std::string> DecodePath(std::string_view raw) {
  if (!raw.starts_with('/')) return Bad("the request target does not begin with \"/\"");
  std::string path;
  std::size_t begin = 1;
  while (true) {
    const std::size_t end = std::min(raw.find('/', begin), raw.size());
    const auto segment = Decode(raw.substr(begin, end - begin), Plus::kIsPlus);
    if (!segment) return Bad("the path has a \"%\" that encodes nothing, or is no UTF-8");
    if (HasControl(*segment) || segment->find_first_of("/\\") != std::string::npos) {
      return Bad("the path has a character that no path may have");
    }
    if (*segment == "." || *segment == "..") return Bad("the path has a \".\" or \"..\"");
    path += '/';
    path += *segment;
    if (end == raw.size()) return path;
    begin = end + 1;
  }
}

}  // namespace

Result<RequestTarget> ParseRequestTarget(std::string_view raw) {
  RequestTarget target;
  std::string_view query = raw;
  LOCKSTEP_TRY(target.path, DecodePath(TakeUntil(query, '?')));
  while (!query.empty()) {
    std::string_view value = TakeUntil(query, '&');
    if (value.empty()) continue;
    const auto name = Decode(TakeUntil(value, '='), Plus::kIsBlank);
    auto text = Decode(value, Plus::kIsBlank);
    if (!name || !text || text->find('\0') != std::string::npos) {
      return Bad("the query has a \"%\" that encodes nothing, or is no UTF-8");
    }
    target.query.emplace(*name, std::move(*text));
  }
  return target;
}

}  // namespace lockstep
