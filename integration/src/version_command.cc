#include <memory>
#include <optional>
#include <string>

#include "command.h"
#include "engine.h"
#include "exit_status.h"
#include "json_value.h"
#include "text.h"

namespace lockstep {
namespace {

Result<EngineInfo> AskEngine(Invocation invocation) {
  LOCKSTEP_TRY(const auto engine, OpenEngine(invocation.common));
  return engine->backend().Describe(invocation.streams.interrupt);
}

// An engine that does not answer is worth a word and no failure: what was asked for is known.
Result<int> RunVersion(Invocation invocation) {
  auto& out = invocation.streams.out;
  const auto engine = AskEngine(invocation);
  if (invocation.common.json) {
    nlohmann::ordered_json json = {
        {"format", "lockstep.version/1"}, {"version", LOCKSTEP_VERSION}, {"engine", nullptr}};
    if (engine) {
      const EngineInfo& info = engine.assume_value();
      json["engine"] = {
          {"kind", info.kind}, {"version", info.version}, {"api_version", info.api_version}};
    } else {
      json["engine_error"] = Describe(engine.assume_error());
    }
    out << Dump(json, 2) << '\n';
    return kExitOk;
  }
  out << "lockstep " << LOCKSTEP_VERSION << '\n';
  if (engine) {
    const EngineInfo& info = engine.assume_value();
    out << "engine   " << Printable(info.kind + ' ' + info.version);
    if (!info.api_version.empty()) out << ", API " << Printable(info.api_version);
    out << '\n';
  } else {
    out << "engine   " << Printable(Describe(engine.assume_error())) << '\n';
  }
  return kExitOk;
}

}  // namespace

Command AddVersionCommand(CLI::App& root, Invocation invocation) {
  auto* app = root.add_subcommand(
      "version",
      "Prints the versions of Lockstep, the engine and its API. Status 0 also when no "
      "engine answers.");
  app->group("Commands");
  app->add_flag("--json", invocation.common.json, "Prints JSON (lockstep.version/1).");
  app->footer("Examples:\n  lockstep version\n  lockstep version --json | jq -r .engine.version");
  return {app, [invocation] { return RunVersion(invocation); }};
}

}  // namespace lockstep
