// The configuration in extra_uEnv.txt, of boards whose U-Boot reads one.
#ifndef LOCKSTEP_INTEGRATION_EXTRA_UENV_BACKEND_H_
#define LOCKSTEP_INTEGRATION_EXTRA_UENV_BACKEND_H_

#include <string>
#include <string_view>
#include <utility>

#include "config_backends/extlinux_options.h"
#include "config_backends/extra_uenv.h"
#include "config_backends/text_file_backend.h"

namespace lockstep {

// Keys: BALENA_HOST_EXTLINUX_isolcpus, BALENA_HOST_EXTLINUX_fdt. Only for a board that has such a
// file: one that is missing is read as kNotFound, but made by Write(), as without it the board
// boots with what its host OS is built with.
class ExtraUEnvBackend : public TextFileBackend<ExtraUEnv> {
 public:
  // `device_trees`: see ExtlinuxBackend.
  explicit ExtraUEnvBackend(std::string path, std::vector<std::string> device_trees = {})
      : TextFileBackend(std::move(path), kExtlinuxPrefix, MissingFile::kIsEmpty, Rules(),
                        DeviceTreeCheck(std::move(device_trees))) {}

  std::string_view name() const override { return kName; }

 private:
  static constexpr std::string_view kName = "extra_uEnv.txt";

  // Images for some carrier boards come with a device tree of their own here, which nobody could
  // give back: one that was set stays until another is.
  static std::vector<ConfigRule> Rules() {
    std::vector<ConfigRule> rules = ExtlinuxRules(kName);
    for (ConfigRule& rule : rules) rule.stays = rule.key.ends_with(kFdt);
    return rules;
  }
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_EXTRA_UENV_BACKEND_H_
