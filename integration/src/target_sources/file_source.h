// A target that stands in one file of this device.
#ifndef LOCKSTEP_INTEGRATION_TARGET_SOURCES_FILE_SOURCE_H_
#define LOCKSTEP_INTEGRATION_TARGET_SOURCES_FILE_SOURCE_H_

#include <memory>
#include <string>
#include <vector>

#include "target_file.h"
#include "target_sources/target_source.h"

namespace lockstep {

// Reads the target at `path` once, as a FileSource does: no pipe, and nothing that would be waited
// for. `others` and the errors are those of ReadTargetText; and kNotFound, kPermissionDenied,
// kInvalidInput (no regular file, or larger than 64 MiB), kUnavailable.
Result<LoadedTarget> ReadFileTarget(const std::string& path, const TargetFileOptions& options,
                                    std::vector<std::string>* others = nullptr);

// Of the file at `path`: a balena state or a compose file (ReadFileTarget). It is read again when
// it, or another file that it was read with (`.env`, env_file), was written and closed, replaced
// or removed, by way of symlinks too. File and directories may come and go: until the file is
// there, that is the problem. Costs nothing while nothing happens.
std::unique_ptr<TargetSource> MakeFileSource(std::string path, TargetFileOptions options);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_TARGET_SOURCES_FILE_SOURCE_H_
