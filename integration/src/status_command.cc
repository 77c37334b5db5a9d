#include "command.h"
#include "device.h"
#include "exit_status.h"
#include "json_value.h"
#include "lockstep/orchestrator.h"
#include "status_view.h"

namespace lockstep {
namespace {

Result<int> RunStatus(Invocation invocation) {
  LOCKSTEP_TRY(const auto device, DeviceView::Open(invocation.common));
  LOCKSTEP_TRY(const ObservedState observed,
               Orchestrator(device->ports()).Look(nullptr, invocation.streams.interrupt));
  auto& out = invocation.streams.out;
  if (invocation.common.json) {
    out << Dump(StatusToJson(observed), 2) << '\n';
  } else {
    out << RenderStatus(observed, Style(invocation.streams.colour));
  }
  return kExitOk;
}

}  // namespace

Command AddStatusCommand(CLI::App& root, Invocation invocation) {
  auto* app = root.add_subcommand(
      "status",
      "Shows what runs: for each app its release, and for each service its state, health, release "
      "and since when. For the device: what Lockstep configured, and whether that takes a reboot.");
  app->group("Commands");
  app->add_flag("--json", invocation.common.json, "Prints JSON (lockstep.status/1).");
  app->footer(
      "Examples:\n"
      "  lockstep status\n"
      "  lockstep status --json | jq -r '.apps[].services[] | \"\\(.service) \\(.state)\"'");
  return {app, [invocation] { return RunStatus(invocation); }};
}

}  // namespace lockstep
