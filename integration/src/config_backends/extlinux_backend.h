// The configuration in extlinux/extlinux.conf, of boards that boot by it.
#ifndef LOCKSTEP_INTEGRATION_EXTLINUX_BACKEND_H_
#define LOCKSTEP_INTEGRATION_EXTLINUX_BACKEND_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config_backends/extlinux_conf.h"
#include "config_backends/extlinux_options.h"
#include "config_backends/text_file_backend.h"

namespace lockstep {

// Keys: BALENA_HOST_EXTLINUX_isolcpus, BALENA_HOST_EXTLINUX_fdt, of the default label; what counts
// as their value says extlinux_conf.h. A file that is missing is never made (kNotFound).
// `device_trees`: where a device tree that is set must be (CheckDeviceTree).
class ExtlinuxBackend : public TextFileBackend<ExtlinuxConf> {
 public:
  explicit ExtlinuxBackend(std::string path, std::vector<std::string> device_trees = {})
      : TextFileBackend(std::move(path), kExtlinuxPrefix, MissingFile::kIsAnError,
                        ExtlinuxRules(kName), DeviceTreeCheck(std::move(device_trees))) {}

  std::string_view name() const override { return kName; }

 private:
  static constexpr std::string_view kName = "extlinux.conf";
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_EXTLINUX_BACKEND_H_
