// A file of the host that is replaced so that a power cut at any instant leaves the old or the new
// one, whole.
#ifndef LOCKSTEP_INTEGRATION_SAFE_FILE_H_
#define LOCKSTEP_INTEGRATION_SAFE_FILE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "lockstep/result.h"

namespace lockstep {

// What a write that was cut off leaves beside it, until Recover(): "<name>.lockstep-new", and on
// FAT "LK******.NEW" and "LK******.OLD", whose digits stand for the name.
//
// One thread at a time. Errors of every method: kInvalidInput (no regular file, a symbolic link, or
// larger than kMostBytes), kPermissionDenied (or a file system that stays read-only), kNotFound
// (Write() only: its directory), kNoSpace, kUnavailable. After an error it is as it was.
class SafeFile {
 public:
  static constexpr std::size_t kMostBytes = 4U << 20;

  explicit SafeFile(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }

  // All of it; none where there is no such file. Changes nothing.
  Result<std::optional<std::string>> Read() const;

  // Puts `text` in its place, durable when it returns; mode and owner stay (a new file gets 0644).
  // Nothing is written where it says that already. A read-only file system is made writable for
  // the write alone.
  Result<void> Write(std::string_view text) const;

  // Likewise, for a text that was made out of `expected`: kConflict, and nothing is written, where
  // the file says something else by then. Others write to it, too.
  Result<void> Replace(const std::string& expected, std::string_view text) const;

  // No file any more, durable when it returns. There being none is no error.
  Result<void> Remove() const;

  // Puts right what a Write() or Remove() that was cut off left behind. On FAT, which cannot
  // replace a file in one go, a file that was cut short is put back from its verified previous
  // copy; one that somebody has edited since stays. Writes nothing where nothing was cut off.
  Result<void> Recover() const;

 private:
  Result<void> Put(std::string_view text, const std::optional<std::string>& expected) const;

  std::string path_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_SAFE_FILE_H_
