#include "agent/agent_options.h"

#include <sys/stat.h>

#include <utility>

#include "config_backends/known_backends.h"
#include "duration_option.h"
#include "target_sources/balena_source.h"
#include "target_sources/directory_source.h"
#include "target_sources/file_source.h"

namespace lockstep {
namespace {

bool IsDirectory(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

void AddAgentOptions(CLI::App& app, AgentOptions& options) {
  app.add_option("--source", options.source,
                 "Where targets come from: a file (a balena state or a compose file), a directory "
                 "of such files, `balena` for the backend that the device's config.json names, or "
                 "`push` for the API alone. A file is watched. Without it: balena, where "
                 "config.json names a backend.")
      ->type_name("SOURCE");
  app.add_option("--profile", options.profiles, "Of compose files: a profile to take in; `*`: all.")
      ->type_name("NAME");
  app.add_option("--env-file", options.env_files,
                 "Of compose files: variables. Without it: .env beside the file.")
      ->type_name("FILE");
  app.add_option("--balena-endpoint", options.balena.api_endpoint,
                 "The backend's API, where config.json does not say.")
      ->type_name("URL");
  app.add_option("--balena-uuid", options.balena.uuid,
                 "Who this device is to the backend, where config.json does not say.")
      ->type_name("UUID");
  app.add_flag("!--no-report", options.report, "Tells the backend nothing of what runs here.");
  app.add_option("--api-socket", options.api_socket,
                 "Where the HTTP API is, for whoever may open this socket; `none`: nowhere. "
                 "Without it: /run/lockstep/lockstep.sock.")
      ->type_name("PATH")
      ->transform([](const std::string& path) { return path == "none" ? std::string() : path; });
  app.add_option("--api-listen", options.api_listen,
                 "Serves the HTTP API over TCP as well, for whoever has a key: 127.0.0.1:48484, "
                 "[::]:48484. Once for each address.")
      ->type_name("ADDRESS");
  app.add_option("--api-host", options.api_hosts,
                 "A name by which clients call this device. Without one they use its address, or "
                 "localhost.")
      ->type_name("NAME");
  app.add_option(
         "--api-address", options.api_address,
         "By which address containers reach the API over TCP: what a service with the label "
         "io.balena.features.supervisor-api is told. Without it: that of supervisor0, "
         "balena0 or docker0, where the API listens there.")
      ->type_name("HOST");
  app.add_flag("--rollback", options.rollback,
               "An app whose new release does not become healthy goes back to the one before.");
  AddSettleOption(app, options.settle);
  app.add_flag("--check", options.check,
               "Says whether the configuration is right, and does nothing.");
}

SourceKind SourceKindOf(const AgentOptions& options) {
  if (options.source.empty() || options.source == "balena") return SourceKind::kBalena;
  return options.source == "push" ? SourceKind::kPush : SourceKind::kPath;
}

Result<BalenaDevice> BackendOf(const AgentOptions& options, const CommonOptions& common) {
  // config.json of balenaOS stands among the boot files.
  const std::string config = FindConfigPlaces(common).boot + "/config.json";
  auto backend = ReadBalenaDevice(config, options.balena);
  if (backend || !options.source.empty()) return backend;
  return WithContext(MakeError(ErrorCode::kInvalidInput,
                               "nothing says where targets come from, and the device's config.json "
                               "names no backend: " +
                                   backend.assume_error().message,
                               "give --source FILE, --source push or --source balena"),
                     "source");
}

TargetFileOptions ReadingOptions(const AgentOptions& options, const CommonOptions& common) {
  TargetFileOptions reading;
  reading.balena.device_uuid = common.device;
  reading.profiles = options.profiles;
  reading.env_files = options.env_files;
  reading.environment = ProcessEnvironment();
  return reading;
}

Result<void> LookAtTarget(const AgentOptions& options, const CommonOptions& common) {
  if (SourceKindOf(options) != SourceKind::kPath || IsDirectory(options.source)) return Ok();
  LOCKSTEP_TRYV(ReadFileTarget(options.source, ReadingOptions(options, common)));
  return Ok();
}

Result<std::unique_ptr<TargetSource>> MakeSource(const AgentOptions& options,
                                                 const CommonOptions& common, Clock& clock) {
  switch (SourceKindOf(options)) {
    case SourceKind::kPush:
      return std::unique_ptr<TargetSource>();
    case SourceKind::kBalena: {
      LOCKSTEP_TRY(BalenaDevice backend, BackendOf(options, common));
      return MakeBalenaSource(std::move(backend), clock);
    }
    case SourceKind::kPath:
      break;
  }
  TargetFileOptions reading = ReadingOptions(options, common);
  if (IsDirectory(options.source)) return MakeDirectorySource(options.source, std::move(reading));
  return MakeFileSource(options.source, std::move(reading));
}

}  // namespace lockstep
