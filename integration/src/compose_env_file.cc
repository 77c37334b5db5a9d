#include "compose_env_file.h"

#include <algorithm>
#include <string>
#include <utility>

#include "lockstep/utf8.h"

namespace lockstep {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

bool IsName(std::string_view text) {
  const auto part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), part);
}

std::string_view TrimRight(std::string_view text) {
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view TrimLeft(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  return text;
}

std::string WithoutCarriageReturns(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') out += text[i];
  }
  return out;
}

// Where the comment in an unquoted value begins; a `#` without a blank before it is part of it.
std::size_t CommentAt(std::string_view value) {
  for (std::size_t i = 1; i < value.size(); ++i) {
    if (value[i] == '#' && IsBlank(value[i - 1])) return i;
  }
  return value.size();
}

class Reader {
 public:
  Reader(std::string_view text, EnvFileFormat format, const Place& place,
         Interpolation& interpolation, Variables& variables)
      : text_(text),
        format_(format),
        place_(place),
        interpolation_(interpolation),
        variables_(variables) {}

  Result<void> ReadAll() {
    while (at_ < text_.size()) {
      const std::string_view line = TrimLeft(RestOfLine());
      if (line.empty() || line.front() == '#') {
        at_ = EndOfLine() + 1;
        continue;
      }
      LOCKSTEP_TRYV(ReadEntry());
    }
    return Ok();
  }

 private:
  std::size_t EndOfLine() const { return std::min(text_.find('\n', at_), text_.size()); }
  std::string_view RestOfLine() const { return text_.substr(at_, EndOfLine() - at_); }
  void SkipBlanks() { at_ += RestOfLine().size() - TrimLeft(RestOfLine()).size(); }

  Error Wrong(std::size_t where, std::string message) const {
    const auto upto = text_.begin() + static_cast<std::ptrdiff_t>(where);
    const auto line = std::count(text_.begin(), upto, '\n') + 1;
    return ErrorAt(ErrorCode::kInvalidTarget, place_,
                   "line " + std::to_string(line) + ": " + std::move(message),
                   "write lines of NAME=VALUE");
  }

  // Leaves `at_` at the beginning of a line.
  Result<void> ReadEntry() {
    constexpr std::string_view kExport = "export";
    SkipBlanks();
    const std::string_view line = RestOfLine();
    if (format_ == EnvFileFormat::kDotenv && line.starts_with(kExport) &&
        line.size() > kExport.size() && IsBlank(line[kExport.size()])) {
      at_ += kExport.size();
      SkipBlanks();
    }
    const std::size_t begin = at_;
    const std::string_view rest = RestOfLine();
    const std::size_t separator =
        std::min(rest.find_first_of(format_ == EnvFileFormat::kRaw ? "=" : "=:"), rest.size());
    const std::string name(TrimRight(rest.substr(0, separator)));
    if (!IsName(name)) return Wrong(begin, '`' + name + "` cannot be the name of a variable");
    if (separator == rest.size()) {
      const std::string* value =
          variables_.before == nullptr ? nullptr : variables_.before->Find(name);
      if (value != nullptr) variables_.own[name] = *value;
      at_ = EndOfLine() + 1;
      return Ok();
    }
    at_ += separator + 1;
    LOCKSTEP_TRY(variables_.own[name], ReadValue());
    return Ok();
  }

  Result<std::string> ReadValue() {
    const std::string_view rest = RestOfLine();
    const std::string_view value = TrimLeft(rest);
    if (format_ == EnvFileFormat::kDotenv && (value.starts_with('"') || value.starts_with('\''))) {
      SkipBlanks();
      return ReadQuoted();
    }
    at_ = EndOfLine() + 1;
    if (format_ == EnvFileFormat::kRaw) return std::string(rest);
    const std::string_view plain = TrimRight(TrimLeft(rest.substr(0, CommentAt(rest))));
    return interpolation_.Replace(plain, variables_, place_);
  }

  Result<std::string> ReadQuoted() {
    const std::size_t begin = at_;
    const char quote = text_[at_++];
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        value += Escaped(quote, text_[at_ + 1]);
        at_ += 2;
      } else {
        value += text_[at_++];
      }
    }
    if (at_ == text_.size()) return Wrong(begin, "a quote is not closed");
    ++at_;
    const std::string_view behind = TrimLeft(RestOfLine());
    if (!behind.empty() && behind.front() != '#') {
      return Wrong(at_, "something stands behind the quote that closes");
    }
    at_ = EndOfLine() + 1;
    if (quote == '\'') return value;
    return interpolation_.Replace(value, variables_, place_);
  }

  // In double quotes the outcome is interpolated, and so a dollar sign is written as one there.
  static std::string Escaped(char quote, char c) {
    if (c == quote) return {c};
    if (quote == '"') {
      switch (c) {
        case 'n':
          return "\n";
        case 'r':
          return "\r";
        case 't':
          return "\t";
        case '\\':
          return "\\";
        case '$':
          return "$$";
        default:
          break;
      }
    }
    return {'\\', c};
  }

  std::string_view text_;
  EnvFileFormat format_;
  const Place& place_;
  Interpolation& interpolation_;
  Variables& variables_;
  std::size_t at_ = 0;
};

}  // namespace

Result<void> ReadEnvFile(std::string_view text, EnvFileFormat format, const Place& place,
                         Interpolation& interpolation, Variables& variables) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (!IsUtf8(text) || text.find('\0') != std::string_view::npos) {
    return ErrorAt(ErrorCode::kInvalidTarget, place, "it is not text in UTF-8",
                   "check that it is the right file");
  }
  const std::string lines = WithoutCarriageReturns(text);
  return Reader(lines, format, place, interpolation, variables).ReadAll();
}

}  // namespace lockstep
