#include "config_backends/safe_file_copy.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <utility>
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace lockstep {
namespace {

constexpr std::string_view kMagic = "lockstep-old 1";
constexpr std::size_t kSector = 512;

// " 12:0123456789abcdef", or " -" for no file.
std::string Seal(const std::optional<std::string>& text) {
  if (!text) return " -";
  std::string seal(64, '\0');
  const int length =
      std::snprintf(seal.data(), seal.size(), " %zu:%016llx", text->size(),
                    static_cast<unsigned long long>(XXH3_64bits(text->data(), text->size())));
  seal.resize(static_cast<std::size_t>(length));
  return seal;
}

// The size that a seal at the beginning of `header` states; takes the seal off. False: no seal.
bool TakeSize(std::string_view& header, std::optional<std::size_t>& size) {
  if (!header.starts_with(' ')) return false;
  const std::size_t end = std::min(header.find(' ', 1), header.size());
  const std::string_view seal = header.substr(1, end - 1);
  header.remove_prefix(end);
  if (seal == "-") return true;
  std::size_t value = 0;
  const auto read = std::from_chars(seal.data(), seal.data() + seal.size(), value);
  if (read.ec != std::errc() || read.ptr == seal.data() + seal.size() || *read.ptr != ':') {
    return false;
  }
  size = value;
  return true;
}

bool EndsWithALine(std::string_view part, std::string_view whole) {
  const char next = whole[part.size()];
  return part.back() == '\n' || next == '\n' || next == '\r';
}

bool IsCutShort(std::string_view found, const std::optional<std::string>& whole) {
  if (!whole || found.size() >= whole->size() || !whole->starts_with(found)) return false;
  return found.size() % kSector == 0 || !EndsWithALine(found, *whole);
}

bool IsBlank(std::string_view sector) {
  const char first = sector.front();
  return (first == '\0' || first == '\xff') &&
         sector.find_first_not_of(first) == std::string_view::npos;
}

bool HasBlankSector(std::string_view text) {
  for (; !text.empty(); text.remove_prefix(std::min(kSector, text.size()))) {
    if (IsBlank(text.substr(0, kSector))) return true;
  }
  return false;
}

// A beginning with nothing but NULs after it: no person leaves that, wherever the beginning ends.
bool IsBlankAtItsEnd(std::string_view found, const std::optional<std::string>& whole) {
  const std::size_t end = found.find_last_not_of('\0') + 1;  // npos + 1 is 0.
  return whole && end < found.size() && whole->starts_with(found.substr(0, end));
}

bool IsDamageOf(std::string_view found, const FileChange& change) {
  const bool blank_is_theirs =
      (change.old && HasBlankSector(*change.old)) || (change.next && HasBlankSector(*change.next));
  if (found.empty() || (!blank_is_theirs && HasBlankSector(found))) return true;
  for (const auto& whole : {std::cref(change.old), std::cref(change.next)}) {
    if (IsCutShort(found, whole) || IsBlankAtItsEnd(found, whole)) return true;
  }
  return false;
}

}  // namespace

std::string CopyOf(const FileChange& change) {
  std::string copy = std::string(kMagic) + Seal(change.old) + Seal(change.next) + '\n';
  return copy + change.old.value_or("") + change.next.value_or("");
}

std::optional<FileChange> ParseCopy(std::string_view text) {
  if (!text.starts_with(kMagic)) return std::nullopt;
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view header = text.substr(kMagic.size(), end - kMagic.size());
  std::optional<std::size_t> old_size;
  std::optional<std::size_t> next_size;
  if (!TakeSize(header, old_size) || !TakeSize(header, next_size)) return std::nullopt;
  const std::string_view body = text.substr(end + 1);
  if (old_size.value_or(0) > body.size()) return std::nullopt;
  FileChange change;
  if (old_size) change.old = body.substr(0, *old_size);
  if (next_size) change.next = body.substr(old_size.value_or(0));
  // One comparison for every size, hash and byte: what is not what it would be made of is none.
  if (CopyOf(change) != text) return std::nullopt;
  return change;
}

FoundFile Judge(const FileChange& change, const std::optional<std::string>& found) {
  if (found == change.old || found == change.next) return FoundFile::kWhole;
  if (!found) return FoundFile::kDamaged;
  return IsDamageOf(*found, change) ? FoundFile::kDamaged : FoundFile::kForeign;
}

}  // namespace lockstep
