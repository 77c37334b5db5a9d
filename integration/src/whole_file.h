// Reading a file at once, with a bound.
#ifndef LOCKSTEP_INTEGRATION_WHOLE_FILE_H_
#define LOCKSTEP_INTEGRATION_WHOLE_FILE_H_

#include <cstddef>
#include <stop_token>
#include <string>

#include "lockstep/result.h"

namespace lockstep {

constexpr std::size_t kMostFileBytes = std::size_t{64} << 20;

// The whole of a file, up to `max_bytes`; "-" is standard input. For what a person names: it waits
// for what comes through a pipe, until `stop` is requested. Errors: kNotFound, kPermissionDenied,
// kInvalidInput (a directory, or too large), kCancelled, kUnavailable.
Result<std::string> ReadWholeFile(const std::string& path, const std::stop_token& stop,
                                  std::size_t max_bytes = kMostFileBytes);

// Likewise, for what nobody is there to wait for: regular files only (kInvalidInput), and nothing
// else is opened.
Result<std::string> ReadRegularFile(const std::string& path, std::size_t max_bytes);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_WHOLE_FILE_H_
