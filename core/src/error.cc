#include "lockstep/error.h"

#include <array>
#include <utility>

namespace lockstep {
namespace {

struct CodeRow {
  ErrorCode code;
  std::string_view name;
  bool transient;
  std::string_view hint;  // What to do where the place that failed knows nothing better.
};

constexpr std::array kCodes = {
    CodeRow{ErrorCode::kInvalidInput, "invalid-input", false, "mend it and try again"},
    CodeRow{ErrorCode::kInvalidTarget, "invalid-target", false, "mend the target and try again"},
    CodeRow{ErrorCode::kNotFound, "not-found", false, "check that it exists and is spelt right"},
    CodeRow{ErrorCode::kConflict, "conflict", true, "find out what is in the way, and free it"},
    CodeRow{ErrorCode::kPermissionDenied, "permission-denied", false, "check the permissions"},
    CodeRow{ErrorCode::kUnavailable, "unavailable", true, "try again later"},
    CodeRow{ErrorCode::kDeadlineExceeded, "deadline-exceeded", true,
            "run it again; it looks at what was done before it goes on"},
    CodeRow{ErrorCode::kCancelled, "cancelled", false, "run it again to go on"},
    CodeRow{ErrorCode::kNoSpace, "no-space", false, "free some space and run it again"},
    CodeRow{ErrorCode::kDefunct, "defunct", true, "remove it, and make it anew"},
    CodeRow{ErrorCode::kUnsupported, "unsupported", false, "use a newer version of the other side"},
    CodeRow{ErrorCode::kBadReply, "bad-reply", true, "look at the engine's log"},
    CodeRow{ErrorCode::kAnotherOrchestrator, "another-orchestrator", false, "stop one of the two"},
    CodeRow{ErrorCode::kUnsafeLockRoot, "unsafe-lock-root", false,
            "remove it, or choose another root for locks"},
    CodeRow{ErrorCode::kInternal, "internal", false, "please report this"},
};

const CodeRow& RowFor(ErrorCode code) {
  for (const CodeRow& row : kCodes) {
    if (row.code == code) return row;
  }
  return kCodes.back();
}

// One line, whatever a peer put into a message.
void AppendVisible(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n' || c == '\t' || c == '\r') {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 0xf];
    } else {
      out += c;
    }
  }
}

}  // namespace

std::string_view ErrorCodeName(ErrorCode code) { return RowFor(code).name; }

bool IsTransient(ErrorCode code) { return RowFor(code).transient; }

Error MakeError(ErrorCode code, std::string message, std::string hint) {
  Error error;
  error.code = code;
  error.message = std::move(message);
  error.hint = std::move(hint);
  return error;
}

Error WithContext(Error error, std::string_view what) {
  error.context =
      error.context.empty() ? std::string(what) : std::string(what) + ": " + error.context;
  return error;
}

std::string Describe(const Error& error) {
  std::string line;
  AppendVisible(
      line, error.context.empty() ? ErrorCodeName(error.code) : std::string_view(error.context));
  line += " : ";
  AppendVisible(line, error.message);
  while (!line.empty() && (line.back() == ' ' || line.back() == '.')) line.pop_back();
  line += "; ";
  AppendVisible(line, error.hint.empty() ? RowFor(error.code).hint : std::string_view(error.hint));
  return line;
}

}  // namespace lockstep
