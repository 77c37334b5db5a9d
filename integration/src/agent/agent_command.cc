#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include "agent/agent.h"
#include "agent/agent_options.h"
#include "agent/service_manager.h"
#include "command.h"
#include "engine.h"
#include "exit_status.h"
#include "http_api/listening_socket.h"
#include "log.h"

namespace lockstep {
namespace {

Result<int> Check(const AgentOptions& options, Invocation invocation) {
  SystemClock clock;
  LOCKSTEP_TRYV(MakeSource(options, invocation.common, clock));
  // One that is not there yet is waited for.
  const auto engine = OpenEngine(invocation.common);
  const ErrorCode wrong = engine ? ErrorCode::kUnavailable : engine.assume_error().code;
  if (wrong == ErrorCode::kInvalidInput || wrong == ErrorCode::kUnsupported) {
    return engine.assume_error();
  }
  for (const std::string& address : options.api_listen) {
    LOCKSTEP_TRYV(CheckTcpAddress(address));
  }
  std::string source = "its API";
  if (SourceKindOf(options) == SourceKind::kBalena) {
    LOCKSTEP_TRY(const BalenaDevice backend, BackendOf(options, invocation.common));
    source = backend.api_endpoint;
  } else if (SourceKindOf(options) == SourceKind::kPath) {
    source = options.source;
    // Waited for, like one that comes later: no reason to keep an agent from its configuration.
    const auto target = LookAtTarget(options, invocation.common);
    if (!target) Log(LogLevel::kWarning, Describe(target.assume_error()));
  }
  invocation.streams.out << "The configuration is right: targets come from " << source << ".\n";
  return kExitOk;
}

Result<int> RunAgent(const AgentOptions& options, Invocation invocation) {
  if (options.check) return Check(options, invocation);
  std::stop_source stop;
  const std::stop_callback on_interrupt(invocation.streams.interrupt, [&] {
    service_manager::TellStopping();
    stop.request_stop();
  });
  bool reload = false;
  if (invocation.streams.on_hangup) {
    invocation.streams.on_hangup([&] {
      const std::string wrong = invocation.check_again();
      if (!wrong.empty()) {
        Log(LogLevel::kError, "the configuration is not read again: " + wrong);
        return;
      }
      Log(LogLevel::kInfo, "reads its configuration again");
      reload = true;
      service_manager::TellReloading();
      stop.request_stop();
    });
  }
  Agent agent(options, invocation.common);
  const auto ran = agent.Run(stop.get_token());
  if (invocation.streams.on_hangup) invocation.streams.on_hangup(nullptr);
  LOCKSTEP_TRYV(ran);
  return reload && !invocation.streams.interrupt.stop_requested() ? kAgain : kExitOk;
}

}  // namespace

Command AddAgentCommand(CLI::App& root, Invocation invocation) {
  auto options = std::make_shared<AgentOptions>();
  auto* app = root.add_subcommand(
      "agent",
      "Keeps the device at its target. It watches where targets come from, the engine's events and "
      "the update locks, and sleeps while nothing happens; it serves the HTTP API. Interrupted in "
      "any way, the next start goes on from where things are.");
  app->group("Commands");
  AddAgentOptions(*app, *options);
  app->footer(
      "Examples:\n"
      "  lockstep agent --source /etc/lockstep/compose.yml --api-socket none\n"
      "  lockstep agent --config /etc/lockstep/agent.toml --check\n"
      "  curl --unix-socket /run/lockstep/lockstep.sock http://localhost/v1/device\n\n"
      "Signals:\n"
      "  SIGTERM, SIGINT   ends it: a cutover that has begun is finished first\n"
      "  SIGHUP            reads its configuration again, where that is right\n\n"
      "Files:\n"
      "  STATE-DIR/lock          held while it runs: one Lockstep at a time\n"
      "  STATE-DIR/lockstep.db   what must outlive it");
  Command command{app, [options, invocation] { return RunAgent(*options, invocation); }};
  command.log_level = "info";
  command.log_format = IsLoggedToJournal() ? "journal" : "text";
  return command;
}

}  // namespace lockstep
