#include "apply_shown.h"

#include <stop_token>
#include <utility>

#include "apply_display.h"
#include "duration_option.h"
#include "error_json.h"
#include "exit_status.h"
#include "json_value.h"
#include "report_view.h"
#include "text.h"

namespace lockstep {

void AddWaitFlags(CLI::App& app, WaitFlags& flags) {
  app.add_flag("--no-wait", flags.no_wait,
               "Does all that needs no lock, downloads included, and ends with status 3 where an "
               "update lock is held.");
  AddDurationOption(
      app, "--timeout", [&flags](std::chrono::milliseconds time) { flags.timeout = time; },
      "Gives up after this long (90s, 10m, 1h30m); a cutover that has begun is finished "
      "first. Status 3 when it passes while held, else 1.");
  AddSettleOption(app, flags.settle);
}

void SetWait(const WaitFlags& flags, ApplyOptions& options) {
  options.session.wait_when_held = !flags.no_wait;
  options.timeout = flags.timeout;
  options.session.settle = flags.settle;
}

Result<ShownApply> ApplyShown(DeviceControl& device, const Target& target,
                              const ApplyOptions& options, Invocation invocation) {
  Streams& streams = invocation.streams;
  ApplyDisplay display(streams, invocation.common.json ? DisplayForm::kJson : DisplayForm::kPeople,
                       [&device](std::string_view app) { return device.locks().UnlockSeen(app); });
  const std::stop_callback say(streams.interrupt, [&display] { display.OnInterrupt(); });
  auto report = Orchestrator(device.ports()).Apply(target, options, display, streams.interrupt);
  LOCKSTEP_TRYV(device.Save());
  LOCKSTEP_TRYV(report);
  return ShownApply{std::move(report).assume_value(), display.held()};
}

int Report(const ShownApply& shown, Invocation invocation) {
  Streams& streams = invocation.streams;
  const ApplyReport& report = shown.report;
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
  const int status = ExitStatusOf(report, shown.held);
  // Still held, but nobody waits for it any longer.
  const bool interrupted = streams.interrupt.stop_requested();
  return interrupted && status == kExitHeld ? kExitInterrupted : status;
}

}  // namespace lockstep
