// The directory of one file, held open: what is done by name is done in it and nowhere else.
#ifndef LOCKSTEP_INTEGRATION_SAFE_FILE_FOLDER_H_
#define LOCKSTEP_INTEGRATION_SAFE_FILE_FOLDER_H_

#include <sys/stat.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "lockstep/result.h"

namespace lockstep {

class OwnedFd {
 public:
  explicit OwnedFd(int fd = -1) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnedFd();
  int get() const { return fd_; }

 private:
  int fd_;
};

// Names are of files in it. No symbolic link is followed. Errors are SafeFile's and name the file.
class SafeFolder {
 public:
  // The directory of `path`. Errors: kNotFound (there is none), kInvalidInput (`path` names no
  // file).
  static Result<SafeFolder> Open(const std::string& path);

  const std::string& path() const { return path_; }
  const std::string& name() const { return name_; }
  int fd() const { return directory_.get(); }
  // The name of what lies beside the file for a while; `kind` is "new" or "old".
  std::string Beside(std::string_view kind) const;
  // A rename over a file leaves the old or the new one, whatever happens.
  bool replaces_at_once() const { return replaces_at_once_; }

  // None where there is no such file. Errors: kInvalidInput (no regular file, or larger).
  Result<std::optional<std::string>> Read(const std::string& name, std::size_t most_bytes) const;
  Result<bool> Has(const std::string& name) const;
  std::optional<struct stat> StatusOf(const std::string& name) const;
  // For keeping it from being freed. -1 inside where it cannot be opened.
  OwnedFd Hold(const std::string& name) const;

  // A new file, written and durable (its name is not yet); mode and owner as in `like`, or 0644.
  // What there is of one that failed stays.
  Result<OwnedFd> Create(const std::string& name, std::string_view text,
                         const std::optional<struct stat>& like) const;
  // What the device has, not what is remembered of it. kUnavailable: something else than `text`.
  Result<void> ReadBack(const std::string& name, std::string_view text) const;
  Result<void> Rename(const std::string& from, const std::string& to) const;
  // There being none is no error.
  Result<void> Unlink(const std::string& name) const;
  Result<void> Sync(const OwnedFd& file) const;
  // Makes what was created, renamed and unlinked durable.
  Result<void> SyncNames() const;

  // A power cut can leave two names of FAT with the same data; taking one away would take that of
  // the other.
  bool ShareData(const std::string& one, const std::string& other) const;

  // Of the file itself, or of `name`.
  Error Failure(int errno_value, std::string_view what) const;
  Error Failure(int errno_value, std::string_view what, const std::string& name) const;

 private:
  SafeFolder() = default;
  Result<OwnedFd> OpenRegular(const std::string& name) const;
  Result<void> Fill(const OwnedFd& file, std::string_view text,
                    const std::optional<struct stat>& like) const;

  std::string path_;
  std::string name_;
  OwnedFd directory_;
  bool replaces_at_once_ = true;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_SAFE_FILE_FOLDER_H_
