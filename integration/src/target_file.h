// A target from a file, in whichever of the formats it is.
#ifndef LOCKSTEP_INTEGRATION_TARGET_FILE_H_
#define LOCKSTEP_INTEGRATION_TARGET_FILE_H_

#include <cstddef>
#include <string>

#include "balena_target.h"
#include "lockstep/result.h"
#include "lockstep/target.h"

namespace lockstep {

struct LoadedTarget {
  Target target;
  std::string text;  // As read: for the store.
};

// Reads the file at `path`; "-" is standard input. Errors: kInvalidTarget (see ReadBalenaTarget),
// kNotFound, kPermissionDenied, kInvalidInput (a directory, or larger than 64 MiB), kUnavailable.
Result<LoadedTarget> ReadTargetFile(const std::string& path, const ReadTargetOptions& options = {});

// The whole of a file, up to `max_bytes`; "-" is standard input. For targets and snapshots.
Result<std::string> ReadWholeFile(const std::string& path, std::size_t max_bytes = 64U << 20);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_TARGET_FILE_H_
