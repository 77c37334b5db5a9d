#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "apply_shown.h"
#include "command.h"
#include "device.h"
#include "device_facts.h"
#include "lockstep/orchestrator.h"
#include "own_container.h"

namespace lockstep {
namespace {

struct ApplyFlags {
  PlanFlags plan;
  WaitFlags wait;
  bool dry_run = false;
  bool rollback = false;
};

ApplyOptions OptionsOf(const ApplyFlags& flags, DeviceInfo device) {
  ApplyOptions options;
  options.session.device = std::move(device);
  options.session.plan.force = flags.plan.force;
  options.session.plan.self = OwnContainer();
  options.session.rollback = flags.rollback;
  options.if_fingerprint = flags.plan.if_fingerprint;
  SetWait(flags.wait, options);
  return options;
}

Result<int> RunApply(const ApplyFlags& flags, Invocation invocation) {
  if (flags.dry_run) return RunPlan(flags.plan, invocation);
  LOCKSTEP_TRY(const LoadedTarget loaded,
               LoadTarget(flags.plan.target, invocation.common, invocation.streams.interrupt));
  LOCKSTEP_TRY(const auto device, DeviceControl::Open(invocation.common));
  LOCKSTEP_TRY(DeviceInfo facts, DescribeDevice(invocation.common, device->ports().runtime,
                                                invocation.streams.interrupt));
  LOCKSTEP_TRY(const ShownApply shown,
               ApplyShown(*device, loaded.target, OptionsOf(flags, std::move(facts)), invocation));
  LOCKSTEP_TRYV(device->store().PutLastTarget(loaded.text));
  return Report(shown, invocation);
}

std::string CheckIsFingerprint(const std::string& text) {
  constexpr std::size_t kDigits = 16;
  const bool is_one = text.size() == 3 + kDigits && text.starts_with("p1:") &&
                      text.find_first_not_of("0123456789abcdef", 3) == std::string::npos;
  return is_one
             ? ""
             : '"' + text + "\" is no fingerprint; copy the one that `lockstep plan` prints last";
}

void AddFlags(CLI::App& app, ApplyFlags& flags, CommonOptions& common) {
  AddTargetOptions(app, flags.plan.target);
  AddWaitFlags(app, flags.wait);
  app.add_flag("--force", flags.plan.force,
               "Runs over update locks, this once; those of the services that it interrupts are "
               "removed, and reported.");
  app.add_flag("--rollback-on-failure", flags.rollback,
               "An app of whose release a service does not become healthy goes back to the release "
               "before, as soon as no update lock of it is held, and ends with status 4. The "
               "release is not tried again until it is applied again. The label "
               "io.balena.update.rollback of a service wins for its app.");
  app.add_option(
         "--if-fingerprint", flags.plan.if_fingerprint,
         "Does exactly the plan that had this fingerprint (`lockstep plan` prints it, last): "
         "where the device or the target has changed since, it does nothing and ends with "
         "status 1. A lock that comes or goes changes no plan.")
      ->type_name("FINGERPRINT")
      ->check(CheckIsFingerprint);
  app.add_flag("--dry-run", flags.dry_run, "Shows the plan and does nothing: `lockstep plan`.");
  app.add_flag("--json", common.json, "Prints events, one JSON object a line (lockstep.event/1).");
}

}  // namespace

Command AddApplyCommand(CLI::App& root, Invocation invocation) {
  auto flags = std::make_shared<ApplyFlags>();
  auto* app = root.add_subcommand(
      "apply",
      "Moves the device to a target, with progress. It downloads and prepares first, then waits "
      "until no update lock of the app is held, then stops, starts and cleans up in dependency "
      "order. Interrupted in any way, the next run goes on from where things are.");
  app->group("Commands");
  AddFlags(*app, *flags, invocation.common);
  app->footer(
      "Examples:\n"
      "  lockstep apply target.json\n"
      "  lockstep apply compose.yml --env-file device.env\n"
      "  lockstep apply target.json --no-wait || [ $? = 3 ]\n"
      "      download now, cut over if nobody minds\n"
      "  lockstep apply target.json --if-fingerprint p1:9f86d081884c7d65\n"
      "      what was read in a plan, or nothing\n"
      "  lockstep apply target.json --timeout 10m --json | jq -r .event\n\n"
      "Interrupting:\n"
      "  The first SIGINT or SIGTERM ends it safely: a cutover that has begun is\n"
      "  finished first. A second one ends it at once; the next run goes on from there.\n\n"
      "Exit status:\n"
      "  0 in sync, 1 an error or time-out, 2 the command line is wrong,\n"
      "  3 held by a lock, 4 applied, but not healthy (or gone back for that),\n"
      "  6 blocked, 130 interrupted\n\n"
      "Files:\n"
      "  STATE-DIR/lock          held while it runs: one Lockstep at a time\n"
      "  STATE-DIR/lockstep.db   what must outlive it");
  return {app, [flags, app, invocation] {
            flags->plan.apply = ApplyCommandFor(*app);
            return RunApply(*flags, invocation);
          }};
}

}  // namespace lockstep
