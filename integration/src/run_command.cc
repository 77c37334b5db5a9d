#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <sstream>
#include <utility>

#include "command.h"
#include "error_json.h"
#include "exit_status.h"
#include "json_value.h"
#include "log.h"
#include "text.h"

namespace lockstep {
namespace {

constexpr const char* kDescription =
    "Moves a device from the release that runs to the release that should run, all services of an "
    "app together. It downloads first, waits until every service can be interrupted (until no "
    "update lock is held), then cuts over in dependency order.";

constexpr const char* kFooter =
    R"(Examples:
  lockstep plan target.json        what would be done, and why; changes nothing
  lockstep apply target.json       do it; waits while an update lock is held
  lockstep apply compose.yml       likewise, for one app
  lockstep locks                   who holds up an update, and since when
  lockstep stop shop web           stop a service; it stays stopped

Exit status:
  0    done, or in sync
  1    an error (one line on standard error says what, why and what to do)
  2    the command line is wrong
  3    held by an update lock
  4    applied, but services did not become healthy
  5    plan --detailed-exitcode: changes are ready
  6    blocked: the target of an app cannot be planned
  130  interrupted; a cutover that had begun was finished first

Files:
  /tmp/balena-supervisor/services/APP/SERVICE/updates.lock   an update lock
  /var/lib/lockstep                                          see --state-dir

Environment:
  DOCKER_HOST        the engine, where --engine is not given
  DOCKER_TLS_VERIFY  set to anything: TLS at tcp://, with proof of who answers
  DOCKER_TLS         set to anything: TLS, and whoever answers is believed
  DOCKER_CERT_PATH   where ca.pem, cert.pem and key.pem are (~/.docker)
  COMPOSE_PROFILES   of a compose file, where --profile is not given
  NO_COLOR           set to anything: no colours

`lockstep COMMAND --help` says more about a command.)";

std::string Chosen(const CLI::App& root) {
  const auto chosen = root.get_subcommands();
  return chosen.empty() ? std::string() : ' ' + chosen.front()->get_name();
}

std::string UsageMessage(const CLI::App& root, const CLI::ParseError& error) {
  if (const auto rest = root.remaining(); root.get_subcommands().empty() && !rest.empty()) {
    return rest.front().starts_with('-') ? "unknown option " + rest.front()
                                         : "unknown command \"" + rest.front() + '"';
  }
  if (root.get_subcommands().empty() && dynamic_cast<const CLI::RequiredError*>(&error)) {
    return "a command is required";
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error)) {
    const auto rest = root.remaining(true);
    if (!rest.empty()) {
      return (rest.front().starts_with('-') ? "unknown option " : "unexpected argument ") +
             rest.front();
    }
  }
  return error.what();
}

void PrintError(const Error& error, bool json, Streams& streams) {
  streams.err << "lockstep: " << Printable(Describe(error)) << '\n';
  if (json) streams.out << Dump(ErrorDocument(error)) << '\n';
}

// None: the command is to be run.
std::optional<int> Parse(CLI::App& root, std::vector<std::string> args, Streams& streams) {
  try {
    std::reverse(args.begin(), args.end());  // What CLI11 wants of a vector.
    root.parse(std::move(args));
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    streams.out << root.help();
    return kExitOk;
  } catch (const CLI::Success& success) {
    streams.out << success.what() << '\n';
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    const Error usage = WithContext(MakeError(ErrorCode::kInvalidInput, UsageMessage(root, error),
                                              "see `lockstep" + Chosen(root) + " --help`"),
                                    "command line");
    streams.err << "lockstep: " << Printable(Describe(usage)) << '\n';
    return kExitUsage;
  }
}

int Finish(const Result<int>& result, const CommonOptions& common, Streams& streams) {
  if (!result) {
    const Error& error = result.assume_error();
    if (error.code == ErrorCode::kCancelled && streams.interrupt.stop_requested()) {
      streams.err << "lockstep: interrupted\n";
      return kExitInterrupted;
    }
    PrintError(error, common.json, streams);
    return kExitError;
  }
  if (!streams.out.flush()) {
    streams.err << "lockstep: standard output : it cannot be written; free the disk it is on, or "
                   "keep its reader open\n";
    return kExitError;
  }
  return result.assume_value();
}

int Run(const std::vector<std::string>& args, Streams& streams) {
  CommonOptions common;
  CLI::App root(kDescription, "lockstep");
  UseHelpFormat(root);
  root.set_help_flag("-h,--help", "Prints this help.");
  root.fallthrough();
  root.require_subcommand(1);
  root.footer(kFooter);
  AddCommonOptions(root, common);
  const Invocation invocation{common, streams, [&args, &streams] {
                                std::vector<std::string> check = args;
                                check.push_back("--check");
                                std::ostringstream out;
                                std::ostringstream err;
                                Streams quiet{out, err, streams.interrupt, nullptr, false};
                                return Run(std::move(check), quiet) == kExitOk ? std::string()
                                                                               : err.str();
                              }};
  std::vector<Command> commands = {
      AddPlanCommand(root, invocation),     AddApplyCommand(root, invocation),
      AddAgentCommand(root, invocation),    AddLocksCommand(root, invocation),
      AddStatusCommand(root, invocation),   AddWithLockCommand(root, invocation),
      AddSnapshotCommand(root, invocation), AddVersionCommand(root, invocation)};
  for (Command& command : AddRequestCommands(root, invocation)) {
    commands.push_back(std::move(command));
  }
  if (const auto status = Parse(root, args, streams)) return *status;
  for (const Command& command : commands) {
    if (!command.app->parsed()) continue;
    const LogScope log(streams.err, common.log_level.empty() ? command.log_level : common.log_level,
                       common.log_format.empty() ? command.log_format : common.log_format);
    return Finish(command.run(), common, streams);
  }
  return kExitUsage;  // Not reached: a command is required.
}

}  // namespace

int RunCommand(std::vector<std::string> args, Streams& streams) {
  // CLI11, spdlog and the standard library throw; nothing of Lockstep does.
  try {
    int status = kAgain;
    while (status == kAgain) status = Run(args, streams);
    return status;
  } catch (const std::exception& defect) {
    PrintError(MakeError(ErrorCode::kInternal, defect.what(),
                         "this is a defect of Lockstep; please report it"),
               false, streams);
  } catch (...) {
    PrintError(MakeError(ErrorCode::kInternal, "unknown exception",
                         "this is a defect of Lockstep; please report it"),
               false, streams);
  }
  return kExitError;
}

}  // namespace lockstep
