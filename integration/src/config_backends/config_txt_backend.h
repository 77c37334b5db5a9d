// The configuration in config.txt, with which the boards of the Raspberry Pi family boot.
#ifndef LOCKSTEP_INTEGRATION_CONFIG_TXT_BACKEND_H_
#define LOCKSTEP_INTEGRATION_CONFIG_TXT_BACKEND_H_

#include <string>
#include <string_view>
#include <vector>

#include "config_backends/safe_file.h"
#include "lockstep/config_backend.h"

namespace lockstep {

// Keys: BALENA_HOST_CONFIG_<key of config.txt>; what counts as a value says config_txt.h. A file
// that is missing is never made (kNotFound): the boot partition is then another than was thought,
// or not there. An Error of Write() with kInternal means that nothing was written because the
// outcome was not the wanted one.
class ConfigTxtBackend : public ConfigBackend {
 public:
  explicit ConfigTxtBackend(std::string path);

  std::string_view name() const override { return "config.txt"; }
  const std::vector<ConfigRule>& rules() const override { return rules_; }
  Result<void> Recover() override { return file_.Recover(); }
  Result<ConfigValues> Read() override;
  Result<void> Write(const ConfigChanges& changes) override;

 private:
  Result<std::string> Text() const;

  SafeFile file_;
  std::vector<ConfigRule> rules_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_CONFIG_TXT_BACKEND_H_
