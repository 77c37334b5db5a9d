// The configuration in config.txt, with which the boards of the Raspberry Pi family boot.
#ifndef LOCKSTEP_INTEGRATION_CONFIG_TXT_BACKEND_H_
#define LOCKSTEP_INTEGRATION_CONFIG_TXT_BACKEND_H_

#include <string>
#include <string_view>

#include "config_backends/config_txt.h"
#include "config_backends/text_file_backend.h"

namespace lockstep {

// Keys: BALENA_HOST_CONFIG_<key of config.txt>; what counts as a value says config_txt.h. A file
// that is missing is never made (kNotFound): the boot partition is then another than was thought,
// or not there.
class ConfigTxtBackend : public TextFileBackend<ConfigTxt> {
 public:
  explicit ConfigTxtBackend(std::string path);

  std::string_view name() const override { return "config.txt"; }
  Result<ConfigValues> Read() override;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_CONFIG_TXT_BACKEND_H_
