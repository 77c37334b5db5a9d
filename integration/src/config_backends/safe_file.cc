#include "config_backends/safe_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "private_file.h"
#include "whole_file.h"

namespace lockstep {

Result<std::optional<std::string>> SafeFile::Read() const {
  auto text = ReadRegularFile(path_, kMostBytes);
  if (text) return std::optional(std::move(text).assume_value());
  if (text.assume_error().code == ErrorCode::kNotFound) return std::optional<std::string>();
  return std::move(text).as_failure();
}

Result<void> SafeFile::Write(std::string_view text) const {
  LOCKSTEP_TRY(const std::optional<std::string> old, Read());
  if (old == text) return Ok();
  return WritePrivateFile(path_, text);
}

Result<void> SafeFile::Remove() const {
  if (::unlink(path_.c_str()) == 0 || errno == ENOENT) return Ok();
  return FileError(errno, "remove", path_);
}

Result<void> SafeFile::Recover() const { return Ok(); }

}  // namespace lockstep
