// The fields of balenaOS's config.json that a target may set (see config_json_fields.h).
#ifndef LOCKSTEP_INTEGRATION_CONFIG_JSON_BACKEND_H_
#define LOCKSTEP_INTEGRATION_CONFIG_JSON_BACKEND_H_

#include <string>
#include <string_view>
#include <vector>

#include "config_backends/config_json_fields.h"
#include "config_backends/safe_file.h"
#include "lockstep/config_backend.h"

namespace lockstep {

// Reads and writes no other field, and puts no value of the file into an error: it holds the keys
// of the device. kInvalidInput: the file is no JSON object, or a field of ours is of another type.
// kNotFound: there is no such file; none is made, since one without the keys is of no use.
class ConfigJsonBackend : public ConfigBackend {
 public:
  // `path`: "/mnt/boot/config.json".
  explicit ConfigJsonBackend(std::string path);

  std::string_view name() const override { return name_; }
  const std::vector<ConfigRule>& rules() const override { return rules_; }
  Result<void> Recover() override { return file_.Recover(); }
  Result<ConfigValues> Read() override;
  Result<void> Write(const ConfigChanges& changes) override;

 protected:
  ConfigJsonBackend(std::string name, std::string path, std::vector<ConfigJsonField> fields);

 private:
  Result<std::string> Text() const;

  const std::string name_;
  const SafeFile file_;
  const std::vector<ConfigJsonField> fields_;
  const std::vector<ConfigRule> rules_;
};

// The power mode and the fan profile of a Jetson Orin, in the same file. Whether a device has them
// is the caller's to know.
class PowerFanBackend final : public ConfigJsonBackend {
 public:
  explicit PowerFanBackend(std::string path);
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_CONFIG_JSON_BACKEND_H_
