// The picture that balenaOS shows while it starts: BALENA_HOST_SPLASH_image.
#ifndef LOCKSTEP_INTEGRATION_SPLASH_BACKEND_H_
#define LOCKSTEP_INTEGRATION_SPLASH_BACKEND_H_

#include <string>
#include <string_view>
#include <vector>

#include "config_backends/safe_file.h"
#include "lockstep/config_backend.h"

namespace lockstep {

// The value is a PNG of at most 1 MiB in base64, with or without "data:image/png;base64," in front;
// Read() says it without. The picture of the OS is kept as balena-logo-default.png (balena's own
// name for it) when it is replaced for the first time, and is put back when the key goes.
//
// Read() says nothing while the picture is that of the OS, so a target must not ask for that very
// picture: Write() refuses it (kInvalidInput), or it would look not done for ever. kNotFound: there
// is no picture to replace.
class SplashBackend final : public ConfigBackend {
 public:
  // `directory`: "/mnt/boot/splash".
  explicit SplashBackend(std::string directory);

  std::string_view name() const override { return "splash"; }
  const std::vector<ConfigRule>& rules() const override { return rules_; }
  Result<void> Recover() override;
  Result<ConfigValues> Read() override;
  Result<void> Write(const ConfigChanges& changes) override;

 private:
  struct Pictures;
  Result<Pictures> Find() const;
  Result<void> Replace(const std::string& picture) const;
  Result<void> PutBack() const;

  const std::vector<SafeFile> shown_;  // Older releases of the OS show the second.
  const SafeFile default_;
  const std::vector<ConfigRule> rules_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_SPLASH_BACKEND_H_
