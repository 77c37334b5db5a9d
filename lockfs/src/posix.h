// Thin words for system calls: descriptors, who a file is, errors.
#ifndef LOCKSTEP_LOCKFS_SRC_POSIX_H_
#define LOCKSTEP_LOCKFS_SRC_POSIX_H_

#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "lockstep/result.h"

namespace lockstep::lockfs {

class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) Reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { Reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void Reset(int fd = -1);  // Leaves errno alone.
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// Which file it is. Names and owners prove nothing: an app can have both. Inode numbers are used
// again, so the birth time is part of it (0: the file system has none).
struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t born_ns = 0;
  friend auto operator<=>(const FileId&, const FileId&) = default;
};

struct FileInfo {
  FileId id;
  mode_t mode = 0;
  uid_t uid = 0;
  std::uint64_t size = 0;  // Bytes.
  std::uint32_t links = 0;
  std::int64_t modified_ns = 0;
};

// What is at `name` in `dir`, links not followed, nothing opened; none where nothing is.
Result<std::optional<FileInfo>> LookAt(int dir, const std::string& name);
Result<FileInfo> LookAtFd(int fd);

// Opens the directory `name` of `dir`: no link, and on the same file system.
// Where it fails, `fd` is empty and `error` the errno.
struct OpenedDirectory {
  UniqueFd fd;
  int error = 0;
};
OpenedDirectory OpenDirectory(int dir, const std::string& name, int flags);
// The same with openat alone, for kernels and sandboxes without openat2.
OpenedDirectory OpenDirectoryInSteps(int dir, const std::string& name, int flags);

// Renames, replacing nothing. 0 or the errno.
int Rename(int from_dir, const std::string& from, int to_dir, const std::string& to);
// Swaps two entries. 0 or the errno.
int Exchange(int a_dir, const std::string& a, int b_dir, const std::string& b);

// The error for a refused system call.
Error SystemError(int error, const std::string& what);
// The error for a place that is not as it must be.
Error UnsafeError(const std::string& path, const std::string& why, std::string hint);

std::string ErrnoText(int error);

}  // namespace lockstep::lockfs

#endif  // LOCKSTEP_LOCKFS_SRC_POSIX_H_
