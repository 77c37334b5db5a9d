#include <memory>
#include <string>

#include "command.h"
#include "device.h"
#include "device_facts.h"
#include "exit_status.h"
#include "lockstep/orchestrator.h"
#include "private_file.h"
#include "snapshot.h"

namespace lockstep {
namespace {

Result<int> RunSnapshot(const std::string& output, Invocation invocation) {
  LOCKSTEP_TRY(const auto device, DeviceView::Open(invocation.common));
  LOCKSTEP_TRY(const ObservedState observed,
               Orchestrator(device->ports()).Look(nullptr, invocation.streams.interrupt));
  LOCKSTEP_TRY(const DeviceInfo facts, DescribeDevice(invocation.common, device->ports().runtime,
                                                      invocation.streams.interrupt));
  const std::string text = WriteSnapshot(observed, facts);
  if (output.empty()) {
    invocation.streams.out << text;
  } else {
    LOCKSTEP_TRYV(WritePrivateFile(output, text));
  }
  return kExitOk;
}

}  // namespace

Command AddSnapshotCommand(CLI::App& root, Invocation invocation) {
  auto output = std::make_shared<std::string>();
  auto* app = root.add_subcommand(
      "snapshot",
      "Prints the state of this device as JSON (lockstep.snapshot/1): containers, images, "
      "networks, volumes, locks, what Lockstep remembers, and what the device is. `lockstep plan "
      "--snapshot` reads it in place of "
      "a device. It holds the values of environment variables, which may be secret.");
  app->group("Commands");
  app->add_option("--output", *output,
                  "Writes to this file instead, with mode 0600, whole or not at all.")
      ->type_name("FILE");
  // It is JSON anyway; errors then are too.
  app->add_flag("--json", invocation.common.json, "Prints errors as JSON as well.");
  app->footer(
      "Example:\n"
      "  lockstep snapshot --output device.json\n"
      "  lockstep plan target.json --snapshot device.json");
  return {app, [output, invocation] { return RunSnapshot(*output, invocation); }};
}

}  // namespace lockstep
