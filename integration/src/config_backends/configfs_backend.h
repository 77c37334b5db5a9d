// ACPI tables that are loaded at start, for the pins of an UP board: BALENA_HOST_CONFIGFS_ssdt.
#ifndef LOCKSTEP_INTEGRATION_CONFIGFS_BACKEND_H_
#define LOCKSTEP_INTEGRATION_CONFIGFS_BACKEND_H_

#include <string>
#include <string_view>
#include <vector>

#include "config_backends/safe_file.h"
#include "lockstep/config_backend.h"

namespace lockstep {

// The value names tables: `spi0` or `"spi0","i2c1"`; Read() says it the second way, with one name
// too. The names are kept in a JSON file; a file that is not there names none. Other fields of it
// stay as they are. Only Recover() loads tables: Lockstep calls it at every start. What is loaded
// cannot be unloaded but by a reboot.
//
// kNotFound: there is no table of that name, or the kernel offers nothing to load it with (module
// acpi_configfs). kInvalidInput also: a table that is no SSDT.
class ConfigfsBackend final : public ConfigBackend {
 public:
  // `file`: "/mnt/boot/configfs.json". `tables`: where <name>.aml are, "/boot/acpi-tables" (that
  // of the OS, not that of the boot partition). `loaded`: "/sys/kernel/config/acpi/table".
  ConfigfsBackend(std::string file, std::string tables, std::string loaded);

  std::string_view name() const override { return "configfs"; }
  const std::vector<ConfigRule>& rules() const override { return rules_; }
  // Also loads what is configured and not loaded yet. One that fails does not keep the others from
  // being loaded; the error is that of the first.
  Result<void> Recover() override;
  Result<ConfigValues> Read() override;
  Result<void> Write(const ConfigChanges& changes) override;

 private:
  Result<std::string> Table(const std::string& name) const;
  Result<void> Load(const std::string& name) const;

  const SafeFile file_;
  const std::string tables_;
  const std::string loaded_;
  const std::vector<ConfigRule> rules_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_CONFIGFS_BACKEND_H_
