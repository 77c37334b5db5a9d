// The target on a command line: which file, and what is said beside it.
#ifndef LOCKSTEP_INTEGRATION_TARGET_OPTIONS_H_
#define LOCKSTEP_INTEGRATION_TARGET_OPTIONS_H_

#include <CLI/App.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "lockstep/result.h"
#include "options.h"
#include "target_file.h"

namespace lockstep {

struct TargetFlags {
  std::string path;
  std::string app;
  std::string release;
  std::vector<std::string> profiles;
  std::vector<std::string> env_files;
};

// Adds TARGET and the options for a compose file to a command.
void AddTargetOptions(CLI::App& app, TargetFlags& flags);

// Reads it, with the variables of this process. Errors: as ReadTargetFile.
Result<LoadedTarget> LoadTarget(const TargetFlags& flags, const CommonOptions& common,
                                const std::stop_token& stop);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_TARGET_OPTIONS_H_
