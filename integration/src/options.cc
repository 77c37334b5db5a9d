#include "options.h"

#include <sys/stat.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "device_facts.h"
#include "text.h"

namespace lockstep {
namespace {

constexpr int kHelpWidth = 80;
constexpr int kOptionIndent = 2;
constexpr int kTextIndent = 8;

constexpr off_t kMostConfigBytes = off_t{1} << 20;

// CLI11 opens whatever it is, and reads it to its end. One that is not there it reports itself.
std::string WrongConfigFile(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return {};
  if (!S_ISREG(info.st_mode)) return '"' + Printable(path) + "\" is no regular file; name a file";
  if (info.st_size <= kMostConfigBytes) return {};
  return '"' + Printable(path) + "\" is larger than 1 MiB; check that it is the right file";
}

std::string Blanks(int count) { return std::string(static_cast<std::size_t>(count), ' '); }

std::string Entry(const std::string& name, const std::string& text) {
  return Blanks(kOptionIndent) + name + '\n' + Blanks(kTextIndent) +
         Wrap(text, kTextIndent, kHelpWidth) + '\n';
}

// CLI11's own layout neither wraps lines nor lists a parent's options.
class ManualFormat final : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    std::string help =
        "Usage: " + Usage(app, name) + "\n\n" + Wrap(app->get_description(), 0, kHelpWidth) + '\n';
    help += make_positionals(app);
    if (app->get_parent() == nullptr) help += make_subcommands(app, mode);
    help += Options(app, app->get_parent() == nullptr ? "Common options" : "Options");
    if (const CLI::App* parent = app->get_parent()) help += Options(parent, "Common options");
    if (!app->get_footer().empty()) help += '\n' + app->get_footer() + '\n';
    return help;
  }

  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    std::string name =
        is_positional ? option->get_name(true, false) : option->get_name(false, true);
    if (const auto comma = name.find(','); comma != std::string::npos) name.insert(comma + 1, " ");
    if (!is_positional && option->get_type_size() != 0) name += ' ' + option->get_type_name();
    return Entry(name, option->get_description());
  }

  std::string make_subcommand(const CLI::App* command) const override {
    const std::string& text = command->get_description();
    return Entry(command->get_name(),
                 text.substr(0, std::min(text.find(". "), text.size() - 1)) + '.');
  }

 private:
  static std::string Usage(const CLI::App* app, const std::string& name) {
    if (app->get_parent() == nullptr) return "lockstep COMMAND [OPTIONS]";
    std::string usage = (name.empty() ? "lockstep " + app->get_name() : name) + " [OPTIONS]";
    for (const CLI::Option* option : app->get_options()) {
      if (option->get_positional()) usage += ' ' + option->get_name(true, false);
    }
    return usage;
  }

  std::string Options(const CLI::App* app, const std::string& title) const {
    const auto options =
        app->get_options([](const CLI::Option* option) { return option->nonpositional(); });
    return options.empty() ? std::string() : make_group(title, false, options);
  }
};

// With one, the parent of "state/" would be "state".
std::string WithoutTrailingSlashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

void AddCommonOptions(CLI::App& app, CommonOptions& options) {
  app.add_option("--engine", options.engine,
                 "The container engine: unix:///var/run/docker.sock, tcp://HOST:PORT (with TLS as "
                 "DOCKER_TLS_VERIFY and DOCKER_CERT_PATH say), or memory: for an engine "
                 "without a daemon, to try things out. Without it: DOCKER_HOST, then the first "
                 "socket of Docker or balenaEngine that answers.")
      ->type_name("URL");
  app.add_option("--locks-root", options.locks_root,
                 "Where the update locks are, one directory for each app and service. Without it: "
                 "/tmp/balena-supervisor/services.")
      ->type_name("DIR");
  app.add_option("--host-root", options.host_root,
                 "Put in front of every path of the host that Lockstep opens: where the host's "
                 "root is mounted when Lockstep runs in a container.")
      ->type_name("DIR");
  app.add_option("--state-dir", options.state_dir,
                 "Where Lockstep keeps what must outlive it. Without it: /var/lib/lockstep.")
      ->type_name("DIR")
      ->transform(WithoutTrailingSlashes);
  app.add_option("--boot-dir", options.boot_dir,
                 "Where the device's boot files are (config.txt, extlinux, ...). Without it: "
                 "the first of /mnt/boot, /boot/firmware and /boot that exists.")
      ->type_name("DIR");
  app.add_option("--docker-config", options.docker_config,
                 "Where docker's config.json is, with the logins to registries (docker login). "
                 "Without it: DOCKER_CONFIG, then .docker in the home directory.")
      ->type_name("DIR");
  app.add_option("--reboot", options.reboot,
                 "How the device is rebooted: logind (the default), syscall (reboot(2), for a host "
                 "without systemd), or never (what takes a reboot waits until somebody does).")
      ->type_name("WAY")
      ->check(CLI::IsMember({"logind", "syscall", "never"}));
  app.add_option("--device", options.device,
                 "The device to take from a target that is for several.")
      ->type_name("UUID");
  for (const DeviceFact& fact : DeviceFacts()) {
    if (fact.option == nullptr) continue;
    app.add_option(fact.option, options.facts.*fact.member, fact.help)->type_name(fact.value);
  }
  app.add_option("--log-level", options.log_level,
                 "What is logged on standard error: debug, info, warning, error, off. Without "
                 "it: warning, and info for the agent.")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"debug", "info", "warning", "error", "off"}));
  app.add_option("--log-format", options.log_format,
                 "How it is logged: text, json, or journal (systemd's). Without it: text, and "
                 "journal for an agent that systemd started.")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json", "journal"}));
  app.set_config("--config", "",
                 "A TOML file that sets options by the same names: engine = \"memory:\". What the "
                 "command line says goes first.")
      ->type_name("FILE")
      ->check(WrongConfigFile);
  app.allow_config_extras(CLI::config_extras_mode::error);
}

void UseHelpFormat(CLI::App& app) {
  auto format = std::make_shared<ManualFormat>();
  format->label("Positionals", "Arguments");
  app.formatter(std::move(format));
}

}  // namespace lockstep
