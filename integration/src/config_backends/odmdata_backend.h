// How a Jetson TX2 shares out its high-speed lanes: BALENA_HOST_ODMDATA_configuration, 1 to 6.
#ifndef LOCKSTEP_INTEGRATION_ODMDATA_BACKEND_H_
#define LOCKSTEP_INTEGRATION_ODMDATA_BACKEND_H_

#include <string>
#include <string_view>
#include <vector>

#include "lockstep/config_backend.h"

namespace lockstep {

// The value is one byte in each of the three copies of the boot configuration table in the boot
// partition. The boot ROM takes the first copy that is sound and the others where it is not, so the
// first copy is what counts: it is read, and it is written last. A Write() that is cut off before
// has changed nothing that is in force, one that is cut off after it has changed all; Recover()
// makes the other copies say what the first says (balena-supervisor, which writes the first copy
// first, is carried on with in that way, too).
//
// A byte that stands for none of the six means that this is no table of a TX2: kInvalidInput, and
// nothing is written by any method. The partition is writable for the kernel only while it is
// written to; Recover() also locks it again after a process that was killed in between.
//
// There is no such thing as no value, and nobody noted the one from the factory: a change that
// removes the key does nothing.
class OdmdataBackend final : public ConfigBackend {
 public:
  // `device`: "/dev/mmcblk0boot0". `force_ro`: "/sys/block/mmcblk0boot0/force_ro".
  OdmdataBackend(std::string device, std::string force_ro);

  std::string_view name() const override { return "odmdata"; }
  const std::vector<ConfigRule>& rules() const override { return rules_; }
  Result<void> Recover() override;
  Result<ConfigValues> Read() override;
  Result<void> Write(const ConfigChanges& changes) override;

 private:
  // Makes every copy say `mode`, and writes only those that do not.
  Result<void> WriteMode(unsigned char mode) const;

  const std::string device_;
  const std::string force_ro_;
  const std::vector<ConfigRule> rules_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_ODMDATA_BACKEND_H_
