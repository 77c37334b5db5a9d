// The options that every command has.
#ifndef LOCKSTEP_INTEGRATION_OPTIONS_H_
#define LOCKSTEP_INTEGRATION_OPTIONS_H_

#include <CLI/App.hpp>
#include <string>

#include "lockstep/device_info.h"

namespace lockstep {

struct CommonOptions {
  std::string engine;  // A URL; empty: DOCKER_HOST, then the first socket that answers.
  std::string locks_root = "/tmp/balena-supervisor/services";
  std::string host_root = "/";
  std::string state_dir = "/var/lib/lockstep";
  std::string boot_dir;           // Empty: where boot files are found.
  std::string docker_config;      // Empty: DOCKER_CONFIG, then ~/.docker.
  std::string reboot = "logind";  // logind, syscall or never.
  std::string device;             // Uuid; empty: the target is for one device.
  DeviceInfo facts;  // What is said of this device; the rest is found out (device_facts.h).
  std::string log_level;   // Empty: as the command has it.
  std::string log_format;  // The same.
  bool json = false;  // Of the commands that have --json.
};

// Adds them to `app`, with --config, which reads a TOML file that sets the same names.
void AddCommonOptions(CLI::App& app, CommonOptions& options);

// Help in the form of a manual page: usage, what the command does, its options and the common ones,
// examples.
void UseHelpFormat(CLI::App& app);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_OPTIONS_H_
