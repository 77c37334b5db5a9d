// An app's numeric id, as clients of balena-supervisor know it.
#ifndef LOCKSTEP_INTEGRATION_AGENT_NUMERIC_ID_H_
#define LOCKSTEP_INTEGRATION_AGENT_NUMERIC_ID_H_

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

namespace lockstep {

// None for a text that is none, such as the empty one of an app that has no id.
inline std::optional<std::int64_t> NumericId(const std::string& text) {
  std::int64_t id = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, id);
  if (read.ec != std::errc() || read.ptr != end || id < 0) return std::nullopt;
  return id;
}

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_NUMERIC_ID_H_
