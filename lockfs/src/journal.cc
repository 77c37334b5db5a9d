#include "journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>

namespace lockstep::lockfs {
namespace {

// A line is "+ boot kind device inode birth app service file ." or "- boot device inode birth .":
// one that a kill cut short lacks its end.
constexpr std::string_view kEnd = ".";
constexpr std::string_view kFormerBoot = "former";  // Which one no longer matters.
constexpr off_t kGrown = 64 << 10;                  // Bytes; it is written anew then.
constexpr std::string_view kTaken = "taken";
constexpr std::string_view kSetAside = "aside";

bool IsPlain(char c) { return c > ' ' && c < '\x7f' && c != '%'; }

// A name as one word: it may hold any byte but '/' and NUL.
std::string Quote(std::string_view name) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string word;
  for (const char c : name) {
    if (IsPlain(c)) {
      word += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    word += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return word;
}

std::optional<std::string> Unquote(std::string_view word) {
  std::string name;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] != '%') {
      name += word[i];
      continue;
    }
    unsigned byte = 0;
    const std::string_view hex = word.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), byte, 16);
    if (error != std::errc() || end != hex.data() + 2) return std::nullopt;
    name += static_cast<char>(byte);
    i += 2;
  }
  return name;
}

template <typename Number>
bool ParseNumber(std::string_view word, Number& number) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size();
}

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    if (end != 0) words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

bool ParseId(std::span<const std::string_view> words, FileId& id) {
  return ParseNumber(words[0], id.device) && ParseNumber(words[1], id.inode) &&
         ParseNumber(words[2], id.born_ns);
}

std::optional<JournalEntry> ParseEntry(std::span<const std::string_view> words) {
  JournalEntry entry;
  if (words[0] != kTaken && words[0] != kSetAside) return std::nullopt;
  entry.kind = words[0] == kTaken ? JournalEntry::Kind::kTaken : JournalEntry::Kind::kSetAside;
  const auto app_dir = Unquote(words[4]);
  const auto service = Unquote(words[5]);
  const auto file = Unquote(words[6]);
  if (!ParseId(words.subspan(1), entry.id) || !app_dir || !service || !file) return std::nullopt;
  entry.app_dir = *app_dir;
  entry.service = *service;
  entry.file = *file;
  return entry;
}

std::string IdWords(const FileId& id) {
  return std::to_string(id.device) + " " + std::to_string(id.inode) + " " +
         std::to_string(id.born_ns);
}

void ApplyLine(std::string_view line, const std::string& boot_id,
               std::vector<JournalEntry>& entries) {
  const std::vector<std::string_view> words = Words(line);
  if (words.size() < 3 || words.back() != kEnd) return;
  const std::span<const std::string_view> rest(words.begin() + 2, words.end() - 1);
  if (words[0] == "+" && rest.size() == 7) {
    auto entry = ParseEntry(rest);
    if (!entry) return;
    entry->former_boot = words[1] != boot_id;
    entries.push_back(std::move(*entry));
  } else if (FileId id; words[0] == "-" && rest.size() == 3 && ParseId(rest, id)) {
    std::erase_if(entries, [&](const JournalEntry& entry) { return IsIdOf(entry, id); });
  }
}

std::string LinesOf(std::span<const JournalEntry> entries, const std::string& boot_id) {
  std::string lines = "\n";  // Ends a line that a kill cut short.
  for (const JournalEntry& entry : entries) {
    lines += "+ " + (entry.former_boot ? std::string(kFormerBoot) : boot_id) + " ";
    lines += entry.kind == JournalEntry::Kind::kTaken ? kTaken : kSetAside;
    lines += " " + IdWords(entry.id) + " " + Quote(entry.app_dir) + " " + Quote(entry.service) +
             " " + Quote(entry.file) + " .\n";
  }
  return lines;
}

Result<std::string> ReadAll(int fd, const std::string& path) {
  std::string text;
  std::array<char, 16384> chunk;
  for (;;) {
    const ssize_t got = ::pread(fd, chunk.data(), chunk.size(), static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError(errno, "read lock journal " + path);
    if (got == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

bool IsIdOf(const JournalEntry& entry, const FileId& id) {
  if (!entry.former_boot) return entry.id == id;
  return entry.id.inode == id.inode && entry.id.born_ns == id.born_ns;
}

// The boot id is one word of a line.
Journal::Journal(std::string dir, std::string boot_id)
    : dir_(std::move(dir)), path_(dir_ + "/locks.journal"), boot_id_(Quote(boot_id)) {}

Result<std::vector<JournalEntry>> Journal::Entries() const {
  UniqueFd opened;
  if (!file_) {
    opened.Reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!opened && errno == ENOENT) return std::vector<JournalEntry>();
    if (!opened) return SystemError(errno, "open lock journal " + path_);
  }
  LOCKSTEP_TRY(const std::string text, ReadAll(file_ ? file_.get() : opened.get(), path_));
  std::vector<JournalEntry> entries;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    ApplyLine(rest.substr(0, end), boot_id_, entries);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return entries;
}

Result<void> Journal::Add(std::span<const JournalEntry> entries) {
  if (entries.empty()) return Ok();
  LOCKSTEP_TRYV(Append(LinesOf(entries, boot_id_)));
  if (durable_ && ::fdatasync(file_.get()) != 0) {
    return SystemError(errno, "write lock journal " + path_);
  }
  return Ok();
}

Result<void> Journal::Remove(std::span<const FileId> ids) {
  LOCKSTEP_TRYV(OpenForWriting());
  LOCKSTEP_TRY(std::vector<JournalEntry> entries, Entries());
  std::erase_if(entries, [&](const JournalEntry& entry) {
    return std::any_of(ids.begin(), ids.end(), [&](const FileId& id) { return IsIdOf(entry, id); });
  });
  if (entries.empty()) {
    if (::ftruncate(file_.get(), 0) == 0) return Ok();
    return SystemError(errno, "empty lock journal " + path_);
  }
  struct stat seen {};
  if (::fstat(file_.get(), &seen) == 0 && seen.st_size > kGrown) return Rewrite(entries);
  std::string lines = "\n";
  for (const FileId& id : ids) lines += "- " + boot_id_ + " " + IdWords(id) + " .\n";
  return Append(lines);
}

Result<void> Journal::OpenForWriting() {
  if (file_) return Ok();
  if (::mkdir(dir_.c_str(), 0700) != 0 && errno != EEXIST) {
    return SystemError(errno, "make state directory " + dir_);
  }
  const UniqueFd dir(::open(dir_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir) return SystemError(errno, "open state directory " + dir_);
  struct stat seen {};
  if (::fstat(dir.get(), &seen) != 0) return SystemError(errno, "look at " + dir_);
  // Whoever can write the journal can have any file taken for a lock of ours.
  if (seen.st_uid != ::geteuid() || (seen.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return WithContext(MakeError(ErrorCode::kInvalidInput, "other users may write in " + dir_,
                                 "give it to the user that runs Lockstep, with mode 0700"),
                       "open lock journal");
  }
  file_.Reset(::openat(dir.get(), "locks.journal",
                       O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file_) return SystemError(errno, "open lock journal " + path_);
  // So that the file itself is there after a power cut.
  if (durable_ && ::fsync(dir.get()) != 0) return SystemError(errno, "write " + dir_);
  return Ok();
}

Result<void> Journal::Rewrite(std::span<const JournalEntry> entries) {
  const std::string next = path_ + ".new";
  UniqueFd old = std::move(file_);
  file_.Reset(
      ::open(next.c_str(), O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  Result<void> written = file_ ? Append(LinesOf(entries, boot_id_))
                               : Result<void>(SystemError(errno, "open lock journal " + next));
  if (written &&
      ((durable_ && ::fdatasync(file_.get()) != 0) || ::rename(next.c_str(), path_.c_str()) != 0)) {
    written = SystemError(errno, "write lock journal " + next);
  }
  if (!written) file_ = std::move(old);
  return written;
}

Result<void> Journal::Append(const std::string& lines) {
  LOCKSTEP_TRYV(OpenForWriting());
  for (std::size_t done = 0; done < lines.size();) {
    const ssize_t wrote = ::write(file_.get(), lines.data() + done, lines.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return SystemError(errno, "write lock journal " + path_);
    done += static_cast<std::size_t>(wrote);
  }
  return Ok();
}

}  // namespace lockstep::lockfs
