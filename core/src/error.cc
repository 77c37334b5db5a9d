#include "lockstep/error.h"

#include <array>
#include <utility>

namespace lockstep {
namespace {

struct CodeRow {
  ErrorCode code;
  std::string_view name;
  bool transient;
};

constexpr std::array kCodes = {
    CodeRow{ErrorCode::kInvalidInput, "invalid-input", false},
    CodeRow{ErrorCode::kInvalidTarget, "invalid-target", false},
    CodeRow{ErrorCode::kNotFound, "not-found", false},
    CodeRow{ErrorCode::kConflict, "conflict", true},
    CodeRow{ErrorCode::kPermissionDenied, "permission-denied", false},
    CodeRow{ErrorCode::kUnavailable, "unavailable", true},
    CodeRow{ErrorCode::kDeadlineExceeded, "deadline-exceeded", true},
    CodeRow{ErrorCode::kCancelled, "cancelled", false},
    CodeRow{ErrorCode::kNoSpace, "no-space", false},
    CodeRow{ErrorCode::kUnsupported, "unsupported", false},
    CodeRow{ErrorCode::kBadReply, "bad-reply", true},
    CodeRow{ErrorCode::kAnotherOrchestrator, "another-orchestrator", false},
    CodeRow{ErrorCode::kInternal, "internal", false},
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
  if (!error.hint.empty()) {
    line += "; ";
    AppendVisible(line, error.hint);
  }
  return line;
}

}  // namespace lockstep
