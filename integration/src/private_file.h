// Files that nobody else may read.
#ifndef LOCKSTEP_INTEGRATION_PRIVATE_FILE_H_
#define LOCKSTEP_INTEGRATION_PRIVATE_FILE_H_

#include <string>
#include <string_view>

#include "lockstep/result.h"

namespace lockstep {

// Puts `text` at `path` with mode 0600, whole or not at all; a file that was there is replaced.
// Errors: kInvalidInput (a directory, device, FIFO or symlink is there), kPermissionDenied,
// kNotFound (its directory), kNoSpace, kUnavailable.
Result<void> WritePrivateFile(const std::string& path, std::string_view text);

// The error that `errno_value` stands for, of an attempt at `path`.
Error FileError(int errno_value, std::string_view what, const std::string& path);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_PRIVATE_FILE_H_
