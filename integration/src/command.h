// The commands of `lockstep`, one file each: <name>_command.cc.
#ifndef LOCKSTEP_INTEGRATION_COMMAND_H_
#define LOCKSTEP_INTEGRATION_COMMAND_H_

#include <CLI/App.hpp>
#include <functional>
#include <string>
#include <vector>

#include "lockstep/result.h"
#include "options.h"
#include "streams.h"
#include "target_options.h"

namespace lockstep {

// What a command is given; both outlive it.
struct Invocation {
  CommonOptions& common;
  Streams& streams;
  // Reads the same command line and configuration file once more, and says what is wrong with them
  // now; empty where nothing is.
  std::function<std::string()> check_again = {};
};

// A command that is on the command line. Returns its exit status; an Error is printed by the caller
// and is status 1, or 130 where an interrupt ended it.
struct Command {
  CLI::App* app;
  std::function<Result<int>()> run;
  std::string log_level = "warning";
  std::string log_format = "text";
};

// In place of an exit status: the command line is to be read again, and the command run anew.
inline constexpr int kAgain = -1;

Command AddPlanCommand(CLI::App& root, Invocation invocation);
Command AddApplyCommand(CLI::App& root, Invocation invocation);
Command AddAgentCommand(CLI::App& root, Invocation invocation);
Command AddLocksCommand(CLI::App& root, Invocation invocation);
Command AddStatusCommand(CLI::App& root, Invocation invocation);
Command AddSnapshotCommand(CLI::App& root, Invocation invocation);
Command AddVersionCommand(CLI::App& root, Invocation invocation);
Command AddWithLockCommand(CLI::App& root, Invocation invocation);
// What a person asks of an app: stop, start, restart, pause, resume, remove, purge.
std::vector<Command> AddRequestCommands(CLI::App& root, Invocation invocation);

// `plan`, and `apply --dry-run`.
struct PlanFlags {
  TargetFlags target;
  std::string snapshot;
  bool force = false;
  bool detailed_exitcode = false;
  bool show_values = false;
  std::string graph;           // "dot" or "svg" instead of text; empty: neither.
  std::string if_fingerprint;  // Another plan is refused; empty: any will do.
  std::string apply;           // The command that applies it, to be proposed; may be empty.
};
// The command line that applies what `command` (plan, or apply --dry-run) was told to plan. Empty
// where it cannot be written as a shell would read it. `command` must have been parsed.
std::string ApplyCommandFor(const CLI::App& command);
Result<int> RunPlan(const PlanFlags& flags, Invocation invocation);

// The whole command: `args` without the program's name. Returns the exit status; nothing escapes.
int RunCommand(std::vector<std::string> args, Streams& streams);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_COMMAND_H_
