#include "target_options.h"

#include <functional>

#include "compose_target.h"
#include "text.h"

namespace lockstep {
namespace {

std::function<std::string(const std::string&)> Checked(std::string (*wrong)(std::string_view)) {
  return [wrong](const std::string& name) {
    const std::string why = wrong(name);
    return why.empty() ? why : '"' + Printable(name) + "\" " + why;
  };
}

}  // namespace

void AddTargetOptions(CLI::App& app, TargetFlags& flags) {
  app.add_option("TARGET", flags.path,
                 "The target: a compose file (YAML) for one app, or a balena state of version 3 "
                 "(JSON) for the whole device; - reads standard input.")
      ->required();
  app.add_option("--app", flags.app,
                 "Of a compose file: the app's name. Without it: the file's `name`.")
      ->type_name("NAME")
      ->check(Checked(WrongAppName));
  app.add_option("--release", flags.release,
                 "Of a compose file: the release's name, such as a version. Without it: a hash of "
                 "what the file says.")
      ->type_name("NAME")
      ->check(Checked(WrongReleaseName));
  app.add_option("--profile", flags.profiles,
                 "Of a compose file: takes the services of this profile too; may be given more "
                 "than once, and * is all. Without it: COMPOSE_PROFILES.")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_option("--env-file", flags.env_files,
                 "Of a compose file: where its variables are looked up after the environment; may "
                 "be given more than once, and the last goes first. Without it: .env beside the "
                 "file.")
      ->type_name("FILE")
      ->allow_extra_args(false);
}

Result<LoadedTarget> LoadTarget(const TargetFlags& flags, const CommonOptions& common,
                                const std::stop_token& stop) {
  TargetFileOptions options;
  options.balena.device_uuid = common.device;
  options.app = flags.app;
  options.release = flags.release;
  options.profiles = flags.profiles;
  options.env_files = flags.env_files;
  options.environment = ProcessEnvironment();
  return ReadTargetFile(flags.path, options, stop);
}

}  // namespace lockstep
