#include "private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace lockstep {
namespace {

// 0, or an errno.
int WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return fsync(fd) == 0 || errno == EINVAL || errno == EROFS ? 0 : errno;
}

}  // namespace

Error FileError(int errno_value, std::string_view what, const std::string& path) {
  ErrorCode code = ErrorCode::kUnavailable;
  std::string hint;
  switch (errno_value) {
    case EACCES:
    case EPERM:
    case EROFS:
      code = ErrorCode::kPermissionDenied;
      hint = "run as a user who may write there, or name another place";
      break;
    case ENOENT:
    case ENOTDIR:
      code = ErrorCode::kNotFound;
      hint = "make the directory, or name another place";
      break;
    case ENOSPC:
    case EDQUOT:
      code = ErrorCode::kNoSpace;
      hint = "free some space";
      break;
    default:
      break;
  }
  return WithContext(MakeError(code, std::strerror(errno_value), std::move(hint)),
                     std::string(what) + ' ' + path);
}

Result<void> WritePrivateFile(const std::string& path, std::string_view text) {
  struct stat found = {};
  if (lstat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode)) {
    return WithContext(MakeError(ErrorCode::kInvalidInput, "it exists and is no regular file",
                                 "name a regular file, or one that does not exist"),
                       "write " + path);
  }
  std::string temporary = path + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);  // Mode 0600.
  if (fd < 0) return FileError(errno, "write", path);
  int failed = WriteAll(fd, text);
  if (close(fd) != 0 && failed == 0) failed = errno;
  if (failed == 0 && std::rename(temporary.c_str(), path.c_str()) != 0) failed = errno;
  if (failed != 0) {
    unlink(temporary.c_str());
    return FileError(failed, "write", path);
  }
  return Ok();
}

}  // namespace lockstep
