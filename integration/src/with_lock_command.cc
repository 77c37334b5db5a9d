#include "command.h"
#include "exit_status.h"

namespace lockstep {

Command AddWithLockCommand(CLI::App& root, Invocation invocation) {
  auto* app = root.add_subcommand(
      "with-lock",
      "Runs a command, inside a service's container, while the service's own update lock is held.");
  app->group("Commands");
  app->prefix_command();
  // main() hands over to it before anything else is set up: it has signals and options of its own.
  return {app, [invocation]() -> Result<int> {
            invocation.streams.err
                << "lockstep: command line : with-lock takes none of the common options; "
                   "write `lockstep with-lock -- COMMAND`\n";
            return kExitUsage;
          }};
}

}  // namespace lockstep
