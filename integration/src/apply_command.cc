#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "apply_display.h"
#include "command.h"
#include "device.h"
#include "device_facts.h"
#include "error_json.h"
#include "exit_status.h"
#include "json_value.h"
#include "lockstep/orchestrator.h"
#include "own_container.h"
#include "report_view.h"
#include "text.h"

namespace lockstep {
namespace {

struct ApplyFlags {
  PlanFlags plan;
  bool no_wait = false;
  bool dry_run = false;
  std::string timeout;
};

ApplyOptions OptionsOf(const ApplyFlags& flags, const Target& target, DeviceInfo device) {
  ApplyOptions options;
  options.session.device = std::move(device);
  options.session.plan.force = flags.plan.force;
  options.session.plan.self = OwnContainer();
  options.session.device.uuid = target.device_uuid;
  options.session.device.name = target.device_name;
  options.session.wait_when_held = !flags.no_wait;
  options.if_fingerprint = flags.plan.if_fingerprint;
  if (!flags.timeout.empty()) options.timeout = ParseDuration(flags.timeout);
  return options;
}

struct Ended {
  ApplyReport report;
  bool held = false;  // An app was waiting for a lock at the end.
};

Result<Ended> ApplyShown(DeviceControl& device, const Target& target, const ApplyOptions& options,
                         Invocation invocation) {
  Streams& streams = invocation.streams;
  ApplyDisplay display(streams, invocation.common.json ? DisplayForm::kJson : DisplayForm::kPeople,
                       [&device](std::string_view app) { return device.locks().UnlockSeen(app); });
  const std::stop_callback say(streams.interrupt, [&display] { display.OnInterrupt(); });
  LOCKSTEP_TRY(auto report,
               Orchestrator(device.ports()).Apply(target, options, display, streams.interrupt));
  return Ended{std::move(report), display.held()};
}

void PrintReport(const ApplyReport& report, Invocation invocation) {
  Streams& streams = invocation.streams;
  if (!invocation.common.json) {
    streams.out << RenderReport(report, SystemClock().Now(), Style(streams.colour)) << std::flush;
  }
  for (const AppReport& app : report.apps) {
    if (!app.error) continue;
    const Error error = WithContext(
        *app.error, app.app.empty() ? std::string("device")
                                    : "app " + Printable(app.name.empty() ? app.app : app.name));
    streams.err << "lockstep: " << Printable(Describe(error)) << '\n';
    if (invocation.common.json) streams.out << Dump(ErrorDocument(error)) << '\n';
  }
}

Result<int> RunApply(const ApplyFlags& flags, Invocation invocation) {
  if (flags.dry_run) return RunPlan(flags.plan, invocation);
  LOCKSTEP_TRY(const LoadedTarget loaded, LoadTarget(flags.plan.target, invocation.common));
  LOCKSTEP_TRY(const auto device, DeviceControl::Open(invocation.common));
  LOCKSTEP_TRY(DeviceInfo facts, DescribeDevice(invocation.common, device->ports().runtime,
                                                invocation.streams.interrupt));
  const auto ended = ApplyShown(*device, loaded.target,
                                OptionsOf(flags, loaded.target, std::move(facts)), invocation);
  LOCKSTEP_TRYV(device->Save());
  LOCKSTEP_TRYV(ended);
  LOCKSTEP_TRYV(device->store().PutLastTarget(loaded.text));
  PrintReport(ended.assume_value().report, invocation);
  const int status = ExitStatusOf(ended.assume_value().report, ended.assume_value().held);
  // Still held, but nobody waits for it any longer.
  const bool interrupted = invocation.streams.interrupt.stop_requested();
  return interrupted && status == kExitHeld ? kExitInterrupted : status;
}

std::string CheckIsFingerprint(const std::string& text) {
  constexpr std::size_t kDigits = 16;
  const bool is_one = text.size() == 3 + kDigits && text.starts_with("p1:") &&
                      text.find_first_not_of("0123456789abcdef", 3) == std::string::npos;
  return is_one
             ? ""
             : '"' + text + "\" is no fingerprint; copy the one that `lockstep plan` prints last";
}

std::string CheckDuration(const std::string& text) {
  if (ParseDuration(text)) return {};
  return "\"" + text + "\" is no duration; write 90s, 10m or 1h30m";
}

void AddFlags(CLI::App& app, ApplyFlags& flags, CommonOptions& common) {
  AddTargetOptions(app, flags.plan.target);
  app.add_flag("--no-wait", flags.no_wait,
               "Does all that needs no lock, downloads included, and ends with status 3 where an "
               "update lock is held.");
  app.add_option("--timeout", flags.timeout,
                 "Gives up after this long (90s, 10m, 1h30m); a cutover that has begun is finished "
                 "first. Status 3 when it passes while held, else 1.")
      ->type_name("DURATION")
      ->check(CheckDuration);
  app.add_flag("--force", flags.plan.force,
               "Runs over update locks, this once; those of the services that it interrupts are "
               "removed, and reported.");
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
      "  3 held by a lock, 4 applied, but not healthy, 6 blocked, 130 interrupted\n\n"
      "Files:\n"
      "  STATE-DIR/lock          held while it runs: one Lockstep at a time\n"
      "  STATE-DIR/lockstep.db   what must outlive it");
  return {app, [flags, app, invocation] {
            flags->plan.apply = ApplyCommandFor(*app);
            return RunApply(*flags, invocation);
          }};
}

}  // namespace lockstep
