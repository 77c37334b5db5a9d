// A target from a file, in whichever of the formats it is: a balena state, which is JSON, or a
// compose file, which is YAML (and so may be JSON too).
#ifndef LOCKSTEP_INTEGRATION_TARGET_FILE_H_
#define LOCKSTEP_INTEGRATION_TARGET_FILE_H_

#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "balena_target.h"
#include "lockstep/result.h"
#include "lockstep/target.h"

namespace lockstep {

struct TargetFileOptions {
  ReadTargetOptions balena = {};
  // For a compose file: see ComposeOptions. A balena state goes with none of them.
  std::string app = {};
  std::string release = {};
  std::vector<std::string> profiles = {};
  std::vector<std::string> env_files = {};  // Empty: `.env` beside the file, if it is there.
  std::map<std::string, std::string, std::less<>> environment = {};
};

struct LoadedTarget {
  Target target;
  std::string text;  // As read: for the store.
};

// Reads the file at `path`; "-" is standard input, and then the current directory is where a
// compose file counts as being. It and `env_files` may be pipes, which are waited for until `stop`
// is requested. Errors: kInvalidTarget (see ReadBalenaTarget and ReadComposeTarget), kNotFound,
// kPermissionDenied, kInvalidInput (a directory, larger than 64 MiB, or options that do not go with
// what the file is), kCancelled, kUnavailable.
Result<LoadedTarget> ReadTargetFile(const std::string& path, const TargetFileOptions& options = {},
                                    const std::stop_token& stop = {});

// Likewise of a text: one that was read before (LoadedTarget::text), or that somebody sends. Such a
// text may be a set of compose files, too (target_set.h).
// `directory`, absolute, is where a compose file counts as being; empty: it may name no files, and
// there is no `.env`. Nothing is waited for: it reads regular files only. `others`, which may be
// null, gets the paths of the other files that were read or looked for, also where it fails.
// Errors: kInvalidTarget, kInvalidInput; those of such files.
Result<Target> ReadTargetText(std::string_view text, const std::string& directory = {},
                              const TargetFileOptions& options = {},
                              std::vector<std::string>* others = nullptr);

// Likewise of a text that was kept (Store). It was taken once, a backend's with fields that this
// Lockstep does not know: such a field is a gap, and no reason to know no target.
Result<Target> ReadKeptTarget(std::string_view text, const std::string& directory,
                              TargetFileOptions options);

// The variables of this process; of two with one name the first.
std::map<std::string, std::string, std::less<>> ProcessEnvironment();

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_TARGET_FILE_H_
