// How the agent is to run.
#ifndef LOCKSTEP_INTEGRATION_AGENT_AGENT_OPTIONS_H_
#define LOCKSTEP_INTEGRATION_AGENT_AGENT_OPTIONS_H_

#include <CLI/App.hpp>
#include <memory>
#include <string>
#include <vector>

#include "balena_api/balena_device.h"
#include "lockstep/clock.h"
#include "lockstep/result.h"
#include "lockstep/session_options.h"
#include "options.h"
#include "target_file.h"
#include "target_sources/target_source.h"

namespace lockstep {

struct AgentOptions {
  // Where targets come from: "balena" (the backend that config.json names), "push" (the API), or
  // the path of a file or directory.
  std::string source;
  std::vector<std::string> profiles;   // Of compose files.
  std::vector<std::string> env_files;  // The same.
  BalenaDevice balena;                 // What is said here goes before config.json.
  bool report = true;                  // To the backend, what runs here.

  std::string api_socket = "/run/lockstep/lockstep.sock";  // Empty: none.
  std::vector<std::string> api_listen;                     // "127.0.0.1:48484"
  std::vector<std::string> api_hosts;                      // Names of this device.
  std::string api_address;                                 // As containers reach it.
  bool rollback = false;
  std::chrono::milliseconds settle = SessionOptions().settle;
  bool check = false;
};

// Adds the options of `lockstep agent` to it.
void AddAgentOptions(CLI::App& app, AgentOptions& options);

enum class SourceKind { kBalena, kPush, kPath };
SourceKind SourceKindOf(const AgentOptions& options);

// The backend that options and config.json name. Errors: as ReadBalenaDevice.
Result<BalenaDevice> BackendOf(const AgentOptions& options, const CommonOptions& common);

// Reads what --source names, where it is a file. Errors: those of ReadFileTarget.
Result<void> LookAtTarget(const AgentOptions& options, const CommonOptions& common);

// How targets from elsewhere than a file are read.
TargetFileOptions ReadingOptions(const AgentOptions& options, const CommonOptions& common);

// None for "push": targets come by themselves. `clock` outlives it. Errors: those of BackendOf, and
// kInvalidInput where nothing says where targets come from.
Result<std::unique_ptr<TargetSource>> MakeSource(const AgentOptions& options,
                                                 const CommonOptions& common, Clock& clock);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_AGENT_OPTIONS_H_
