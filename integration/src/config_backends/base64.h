// Bytes as text of letters and digits (RFC 4648, section 4), and back.
#ifndef LOCKSTEP_INTEGRATION_BASE64_H_
#define LOCKSTEP_INTEGRATION_BASE64_H_

#include <optional>
#include <string>
#include <string_view>

namespace lockstep {

std::string EncodeBase64(std::string_view bytes);

// None where `text` is anything else, blanks and line ends included. The '=' at the end may be
// missing.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_BASE64_H_
