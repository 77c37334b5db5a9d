#include <CLI/CLI.hpp>
#include <memory>

#include "command.h"
#include "config_backends/known_backends.h"
#include "device.h"
#include "device_facts.h"
#include "exit_status.h"
#include "json_value.h"
#include "lockstep/device_fit.h"
#include "lockstep/orchestrator.h"
#include "lockstep/planner.h"
#include "own_container.h"
#include "plan_graph.h"
#include "plan_json.h"
#include "plan_view.h"
#include "snapshot.h"
#include "whole_file.h"

namespace lockstep {
namespace {

Result<Plan> Make(const PlanFlags& flags, Invocation invocation) {
  LOCKSTEP_TRY(const LoadedTarget loaded,
               LoadTarget(flags.target, invocation.common, invocation.streams.interrupt));
  SessionOptions options;
  options.plan.force = flags.force;
  if (!flags.snapshot.empty()) {
    LOCKSTEP_TRY(const std::string text,
                 ReadWholeFile(flags.snapshot, invocation.streams.interrupt));
    DeviceInfo said;
    auto observed = ReadSnapshot(text, &said);
    if (!observed) {
      return WithContext(std::move(observed).assume_error(), "snapshot " + flags.snapshot);
    }
    // Nothing of this machine: the plan is the same on every one.
    options.plan.config_rules = KnownConfigRules();
    options.device = invocation.common.facts;
    FillIn(options.device, said);
    FillIn(options.device, FactsOfEngine(observed.assume_value().engine.engine));
    return MakePlan(observed.assume_value(), FitToDevice(loaded.target, options.device),
                    options.plan);
  }
  options.plan.self = OwnContainer();
  LOCKSTEP_TRY(const auto device, DeviceView::Open(invocation.common));
  LOCKSTEP_TRY(options.device, DescribeDevice(invocation.common, device->ports().runtime,
                                              invocation.streams.interrupt));
  return Orchestrator(device->ports())
      .Preview(loaded.target, options, invocation.streams.interrupt);
}

int DetailedStatus(PlanStatus status) {
  switch (status) {
    case PlanStatus::kInSync:
      return kExitOk;
    case PlanStatus::kReady:
      return kExitChanges;
    case PlanStatus::kHeld:
      return kExitHeld;
    case PlanStatus::kBlocked:
      return kExitBlocked;
  }
  return kExitError;
}

}  // namespace

Result<int> RunPlan(const PlanFlags& flags, Invocation invocation) {
  LOCKSTEP_TRY(const Plan plan, Make(flags, invocation));
  LOCKSTEP_TRYV(CheckFingerprint(plan, flags.if_fingerprint));
  const auto values = flags.show_values ? ShowValues::kYes : ShowValues::kNo;
  if (!flags.graph.empty()) {
    const PlanGraph graph = LayOut(plan, values);
    invocation.streams.out << (flags.graph == "dot" ? RenderDot(plan, graph)
                                                    : RenderSvg(plan, graph));
  } else if (invocation.common.json) {
    invocation.streams.out << Dump(PlanToJson(plan, values), 2) << '\n';
  } else {
    PlanViewOptions view;
    view.values = values;
    view.style = Style(invocation.streams.colour);
    view.width = invocation.streams.columns ? invocation.streams.columns() : 0;
    view.apply = flags.apply;
    view.elsewhere = !flags.snapshot.empty();
    view.forced = flags.force;
    invocation.streams.out << RenderPlan(plan, view);
  }
  return flags.detailed_exitcode ? DetailedStatus(plan.status) : kExitOk;
}

Command AddPlanCommand(CLI::App& root, Invocation invocation) {
  auto flags = std::make_shared<PlanFlags>();
  auto* app = root.add_subcommand(
      "plan",
      "Shows what would be done to reach a target, and why. It changes nothing: it says for each "
      "service what differs, who holds the update up and for how long, and lists the steps in "
      "order.");
  app->group("Commands");
  AddTargetOptions(*app, flags->target);
  app->add_option("--snapshot", flags->snapshot,
                  "Plans for the state in this file (see `lockstep snapshot`) instead of this "
                  "device: needs no engine, no root and no network, and gives the same plan on "
                  "every machine.")
      ->type_name("FILE");
  app->add_flag("--json", invocation.common.json, "Prints the plan as JSON (lockstep.plan/1).");
  app->add_option("--graph", flags->graph,
                  "Draws the steps instead: a column for each service, time going down, and a box "
                  "around what is done while Lockstep holds the update locks. svg is a picture for "
                  "a browser, dot is for Graphviz.")
      ->type_name("dot|svg")
      ->check(CLI::IsMember({"dot", "svg"}))
      ->excludes(app->get_option("--json"));
  app->add_flag("--force", flags->force, "Plans to run over update locks.");
  app->add_flag("--show-values", flags->show_values,
                "Shows values that may be secret, such as those of environment variables.");
  app->add_flag("--detailed-exitcode", flags->detailed_exitcode,
                "Exits with 0 in sync, 3 held, 5 changes are ready, 6 blocked. Without it: 0 "
                "whenever a plan was printed.");
  app->footer(
      "Examples:\n"
      "  lockstep plan target.json\n"
      "      what `lockstep apply target.json` would begin with, now, on this device\n"
      "  lockstep snapshot --output device.json\n"
      "  lockstep plan target.json --snapshot device.json\n"
      "      the same, on another machine\n"
      "  lockstep plan target.json --graph svg > plan.svg\n"
      "      the steps as a picture\n"
      "  TAG=2.1 lockstep plan compose.yml --profile debug\n"
      "      a compose file says what one app should be; other apps stay as they are\n"
      "  lockstep plan target.json --detailed-exitcode >/dev/null || echo \"not in sync\"\n\n"
      "Exit status:\n"
      "  0 a plan was printed (but see --detailed-exitcode), 1 an error,\n"
      "  2 the command line is wrong");
  return {app, [flags, app, invocation] {
            flags->apply = ApplyCommandFor(*app);
            return RunPlan(*flags, invocation);
          }};
}

}  // namespace lockstep
