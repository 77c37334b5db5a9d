// Reading a file at once, with a bound.
#ifndef LOCKSTEP_INTEGRATION_WHOLE_FILE_H_
#define LOCKSTEP_INTEGRATION_WHOLE_FILE_H_

#include <cstddef>
#include <string>

#include "lockstep/result.h"

namespace lockstep {

// The whole of a file, up to `max_bytes`; "-" is standard input. For what a person names: it waits
// for what comes through a pipe. Errors: kNotFound, kPermissionDenied, kInvalidInput (a directory,
// or too large), kUnavailable.
Result<std::string> ReadWholeFile(const std::string& path, std::size_t max_bytes = 64U << 20);

// Likewise, for what a document names: regular files only, so that it never waits, and nothing but
// a file is opened (kInvalidInput).
Result<std::string> ReadRegularFile(const std::string& path, std::size_t max_bytes);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_WHOLE_FILE_H_
