// What a person asks of an app: put into what is remembered of it, and carried out.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent_client.h"
#include "apply_shown.h"
#include "command.h"
#include "device.h"
#include "device_facts.h"
#include "exit_status.h"
#include "lockstep/requests.h"
#include "own_container.h"
#include "request_target.h"
#include "target_file.h"
#include "text.h"

namespace lockstep {
namespace {

struct RequestWords {
  AppRequestKind kind;
  const char* name;
  const char* names;  // What it may name beside the app; null: nothing.
  const char* about;
  const char* examples;
};

constexpr const char* kServices = "SERVICE";
constexpr const char* kVolumes = "VOLUME";

constexpr std::array kRequests = {
    RequestWords{AppRequestKind::kStop, "stop", kServices,
                 "Stops services of an app, and remembers it: they stay stopped over restarts of "
                 "the device and over new releases, until `lockstep start`. It waits until no "
                 "update lock of the app is held. A service that comes with a later release is "
                 "not stopped.",
                 "  lockstep stop shop          all of it\n"
                 "  lockstep stop shop web db\n"},
    RequestWords{AppRequestKind::kStart, "start", kServices,
                 "Starts services that were stopped by `lockstep stop`. A service that is named "
                 "is started also where it has ended by itself. Waits for no lock.",
                 "  lockstep start shop\n"
                 "  lockstep start shop migrate\n"},
    RequestWords{AppRequestKind::kRestart, "restart", kServices,
                 "Stops and starts services that run, in the order of their dependencies, with "
                 "those that restart with them. It waits until no update lock of the app is held.",
                 "  lockstep restart shop web\n"
                 "  lockstep restart shop --no-wait || [ $? = 3 ]\n"},
    RequestWords{AppRequestKind::kPause, "pause", nullptr,
                 "Leaves apps as they run: releases are downloaded and prepared, and nothing that "
                 "runs is stopped, restarted or removed until `lockstep resume`. Nor does the "
                 "device reboot. No force runs over a pause; a service that crashes is started "
                 "again.",
                 "  lockstep pause              every app\n"
                 "  lockstep pause shop\n"},
    RequestWords{AppRequestKind::kResume, "resume", nullptr,
                 "Lets apps go on that were paused; `lockstep apply` carries out what was held.",
                 "  lockstep resume\n"
                 "  lockstep resume shop && lockstep apply target.json\n"},
    RequestWords{AppRequestKind::kRemove, "remove", nullptr,
                 "Stops an app and removes its containers, networks, images and lock directories. "
                 "Its named volumes stay: `lockstep purge` deletes them. An app that the target "
                 "of the whole device names is not removed.",
                 "  lockstep remove shop\n"},
    RequestWords{AppRequestKind::kPurge, "purge", kVolumes,
                 "Deletes the data in named volumes of an app: what uses them is stopped, the "
                 "volumes are removed and made anew, empty, and the services start again. It waits "
                 "until no update lock of the app is held. It does not ask whether you are sure.",
                 "  lockstep purge shop cache   this volume\n"
                 "  lockstep purge shop         all its volumes\n"},
};

struct RequestFlags {
  std::string app;
  std::vector<std::string> apps;  // Of a command for several.
  std::vector<std::string> names;
  WaitFlags wait;
  bool force = false;
  std::string api_socket = "/run/lockstep/lockstep.sock";
};

bool IsPauseOrResume(AppRequestKind kind) {
  return kind == AppRequestKind::kPause || kind == AppRequestKind::kResume;
}

Result<int> AskAgentFor(const std::string& path, const RequestWords& words,
                        const RequestFlags& flags, Invocation invocation) {
  nlohmann::ordered_json body;
  body["force"] = flags.force;
  body["wait"] = !flags.wait.no_wait;  // Until no lock is held.
  if (words.names != nullptr && !flags.names.empty()) {
    body[words.names == kServices ? "services" : "volumes"] = flags.names;
  }
  const auto answered = PostToAgent(flags.api_socket, path, body, invocation.streams.interrupt);
  if (!answered) {
    return MakeError(ErrorCode::kAnotherOrchestrator,
                     "an agent is running, and nobody answers there",
                     "name its socket with --api-socket, or look at its log");
  }
  const AgentAnswer& answer = answered.assume_value();
  if (answer.status == 200) return kExitOk;
  if (answer.status != 423) return ErrorOf(answer);
  invocation.streams.err << "lockstep: " << Printable(ErrorOf(answer).message) << '\n';
  return kExitHeld;
}

// An agent has the device: it is the one to ask, and carries it out.
Result<int> AskAgent(const RequestWords& words, const RequestFlags& flags, Error busy,
                     Invocation invocation) {
  if (access(flags.api_socket.c_str(), F_OK) != 0) {
    busy.hint = "wait for it to end; where it is an agent, name its socket with --api-socket";
    return busy;
  }
  const auto ask = [&](const std::string& path) {
    auto asked = AskAgentFor(path, words, flags, invocation);
    if (asked) return asked;
    return Result<int>(
        WithContext(std::move(asked).assume_error(), "ask the agent at " + flags.api_socket));
  };
  std::vector<std::string> apps = flags.apps;
  if (!flags.app.empty()) apps.push_back(flags.app);
  if (apps.empty()) return ask(std::string("/v1/") + words.name);
  int worst = kExitOk;
  for (const std::string& app : apps) {
    LOCKSTEP_TRY(const int status, ask("/v1/apps/" + PathSegment(app) + '/' + words.name));
    worst = std::max(worst, status);
  }
  return worst;
}

// The last one that was applied. What cannot be read again is as good as none.
std::optional<Target> LastTarget(const std::string& text, const CommonOptions& common) {
  if (text.empty()) return std::nullopt;
  TargetFileOptions options;
  options.balena.device_uuid = common.device;
  options.environment = ProcessEnvironment();
  auto target = ReadKeptTarget(text, {}, options);
  if (!target) return std::nullopt;
  return std::move(target).assume_value();
}

Result<void> Remember(Store& store, const AppRecord& record) {
  return record.empty() ? store.EraseApp(record.app) : store.PutApp(record);
}

// What was found of the device before anything is done.
struct Situation {
  std::optional<Target> last;
  ObservedState observed;
  const Target& target() const {
    static const Target kNone;
    return last ? *last : kNone;
  }
};

Result<Situation> LookAround(DeviceControl& device, Invocation invocation) {
  Situation situation;
  LOCKSTEP_TRY(const StoreState stored, device.store().Load());
  situation.last = LastTarget(stored.last_target, invocation.common);
  // With what the store knows that containers were made from, and no engine does.
  const Target none;
  LOCKSTEP_TRY(situation.observed,
               Orchestrator(device.ports()).Look(&none, invocation.streams.interrupt));
  return situation;
}

Result<int> CarryOut(const RequestWords& words, const RequestFlags& flags, DeviceControl& device,
                     const Situation& now, Invocation invocation) {
  const std::string& name = flags.app;
  LOCKSTEP_TRY(const std::string app, FindAppCalled(name, now.observed, now.target()));
  auto chosen = TargetForRequest(words.kind, app, now.observed, now.last);
  if (!chosen) return WithContext(std::move(chosen).assume_error(), "app " + name);
  const Target target = std::move(chosen).assume_value();
  LOCKSTEP_TRY(const AppRecord record,
               RecordAfter({words.kind, app, flags.names, flags.force}, now.observed, target));
  LOCKSTEP_TRYV(Remember(device.store(), record));
  ApplyOptions options;
  LOCKSTEP_TRY(options.session.device, DescribeDevice(invocation.common, device.ports().runtime,
                                                      invocation.streams.interrupt));
  options.session.plan.only_app = app;
  options.session.plan.force = flags.force;
  options.session.plan.self = OwnContainer();
  SetWait(flags.wait, options);
  LOCKSTEP_TRY(const ShownApply shown, ApplyShown(device, target, options, invocation));
  const bool gone = shown.report.apps.empty() && words.kind == AppRequestKind::kRemove;
  if (!gone || invocation.common.json) return Report(shown, invocation);
  invocation.streams.out << Printable(name) << ": removed; its named volumes stay\n";
  return kExitOk;
}

// Every app that is there or is to come.
std::set<std::string> AllApps(const Situation& now) {
  std::set<std::string> apps;
  for (const TargetApp& app : now.target().apps) {
    if (!app.is_host) apps.insert(app.uuid);
  }
  for (const ObservedContainer& container : now.observed.engine.containers) {
    if (!container.owned) continue;
    auto uuid = FindAppCalled(container.app, now.observed, now.target());
    if (uuid) apps.insert(std::move(uuid).assume_value());
  }
  for (const AppRecord& record : now.observed.apps) {
    if (record.paused) apps.insert(record.app);
  }
  return apps;
}

Result<int> PauseOrResume(const RequestWords& words, const RequestFlags& flags,
                          DeviceControl& device, const Situation& now, Invocation invocation) {
  std::set<std::string> apps;
  for (const std::string& name : flags.apps) {
    LOCKSTEP_TRY(std::string app, FindAppCalled(name, now.observed, now.target()));
    apps.insert(std::move(app));
  }
  if (flags.apps.empty()) apps = AllApps(now);
  auto& out = invocation.streams.out;
  for (const std::string& app : apps) {
    LOCKSTEP_TRY(const AppRecord record,
                 RecordAfter({words.kind, app}, now.observed, now.target()));
    LOCKSTEP_TRYV(Remember(device.store(), record));
    out << Printable(app) << (record.paused ? ": paused\n" : ": goes on\n");
  }
  if (apps.empty()) out << "No apps.\n";
  return kExitOk;
}

Result<int> RunRequest(const RequestWords& words, const RequestFlags& flags,
                       Invocation invocation) {
  auto device = DeviceControl::Open(invocation.common);
  if (!device) {
    Error error = std::move(device).assume_error();
    if (error.code == ErrorCode::kAnotherOrchestrator) {
      return AskAgent(words, flags, std::move(error), invocation);
    }
    return error;
  }
  LOCKSTEP_TRY(const Situation now, LookAround(*device.assume_value(), invocation));
  const auto run = IsPauseOrResume(words.kind) ? &PauseOrResume : &CarryOut;
  return run(words, flags, *device.assume_value(), now, invocation);
}

void AddArguments(CLI::App& app, const RequestWords& words, RequestFlags& flags) {
  const std::string by = "its uuid, its numeric id or its name";
  if (IsPauseOrResume(words.kind)) {
    app.add_option("APP", flags.apps,
                   "The apps, each by " + by + "; without any it is all of them.");
    return;
  }
  app.add_option("APP", flags.app, "The app: " + by + '.')->required();
  if (words.names == nullptr) return;
  const bool services = words.names == kServices;
  app.add_option(words.names, flags.names,
                 services ? "The services; without any it is all of them."
                          : "The named volumes; without any it is all of them.");
}

void AddFlags(CLI::App& app, const RequestWords& words, RequestFlags& flags,
              CommonOptions& common) {
  app.add_option("--api-socket", flags.api_socket,
                 "Where an agent that runs is asked. Without it: /run/lockstep/lockstep.sock.")
      ->type_name("PATH");
  if (IsPauseOrResume(words.kind)) return;
  AddWaitFlags(app, flags.wait);
  app.add_flag("--force", flags.force,
               "Runs over update locks of the app, this once; those of the services that it "
               "interrupts are removed, and reported.");
  app.add_flag("--json", common.json, "Prints events, one JSON object a line (lockstep.event/1).");
}

Command AddRequestCommand(CLI::App& root, const RequestWords& words, Invocation invocation) {
  auto flags = std::make_shared<RequestFlags>();
  auto* app = root.add_subcommand(words.name, words.about);
  app->group("Commands");
  AddArguments(*app, words, *flags);
  AddFlags(*app, words, *flags, invocation.common);
  std::string footer = "Examples:\n" + std::string(words.examples) + "\nExit status:\n";
  footer += IsPauseOrResume(words.kind)
                ? "  0 done, 1 an error, 2 the command line is wrong"
                : "  as of `lockstep apply`: 0 done, 1 an error or time-out, 2 the command\n"
                  "  line is wrong, 3 held by a lock or a pause, 4 not healthy, 6 blocked,\n"
                  "  130 interrupted. What was asked stays asked: the next `lockstep apply`\n"
                  "  goes on with it";
  app->footer(footer);
  return {app, [&words, flags, invocation] { return RunRequest(words, *flags, invocation); }};
}

}  // namespace

std::vector<Command> AddRequestCommands(CLI::App& root, Invocation invocation) {
  std::vector<Command> commands;
  for (const RequestWords& words : kRequests) {
    commands.push_back(AddRequestCommand(root, words, invocation));
  }
  return commands;
}

}  // namespace lockstep
