// Every backend keeps the contract of config_backend.h.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "config_backends/config_json_backend.h"
#include "config_backends/config_txt_backend.h"
#include "config_backends/configfs_backend.h"
#include "config_backends/extlinux_backend.h"
#include "config_backends/extra_uenv_backend.h"
#include "config_backends/odmdata_backend.h"
#include "config_backends/splash_backend.h"
#include "crash_replay.h"
#include "lockstep/testing/config_conformance.h"
#include "lockstep/testing/fake_config_backend.h"

namespace lockstep::test {
namespace {

using Backend = std::unique_ptr<ConfigBackend>;

class FilePlace final : public ConfigPlace {
 public:
  using OpenIn = Backend (*)(const std::string& dir);
  FilePlace(const Tree& files, OpenIn open, ConfigValues settable)
      : files_(files), open_(open), settable_(std::move(settable)) {
    std::filesystem::create_directory(files_.path() + "/loaded");
  }
  ConfigBackend& Open() override {
    backend_ = open_(files_.path());
    return *backend_;
  }
  ConfigValues Settable() const override { return settable_; }

 private:
  const ScratchTree files_;
  const OpenIn open_;
  const ConfigValues settable_;
  Backend backend_;
};

bool Register(const std::string& name, Tree files, FilePlace::OpenIn open, ConfigValues settable) {
  return RegisterConfigConformance(
      name, [=] { return std::make_unique<FilePlace>(files, open, settable); });
}

template <typename T>
Backend OfFile(const std::string& path) {
  return std::make_unique<T>(path);
}

const bool kConfigTxt =
    Register("ConfigTxt", {{"config.txt", "gpu_mem=16\ndtparam=audio=on\n[pi4]\narm_boost=1\n"}},
             [](const std::string& dir) { return OfFile<ConfigTxtBackend>(dir + "/config.txt"); },
             {{"BALENA_HOST_CONFIG_gpu_mem", "64"},
              {"BALENA_HOST_CONFIG_dtparam", "\"spi=on\",\"i2c_arm=on\""},
              {"BALENA_HOST_CONFIG_hdmi_mode", "4"},
              {"BALENA_HOST_CONFIG_dtoverlay", "\"i2c-rtc,ds1307\",\"w1-gpio,gpiopin=4\""}});

const ConfigValues kExtlinux = {{"BALENA_HOST_EXTLINUX_isolcpus", "2,3"},
                                {"BALENA_HOST_EXTLINUX_fdt", "/boot/new.dtb"}};
const bool kExtlinuxConf = Register(
    "Extlinux", {{"extlinux.conf", "DEFAULT a\nLABEL a\n  LINUX /Image\n  APPEND root=/dev/sda\n"}},
    [](const std::string& dir) { return OfFile<ExtlinuxBackend>(dir + "/extlinux.conf"); },
    kExtlinux);
const bool kExtraUEnv = Register(
    "ExtraUEnv", {{"extra_uEnv.txt", "extra_os_cmdline=quiet\n"}},
    [](const std::string& dir) { return OfFile<ExtraUEnvBackend>(dir + "/extra_uEnv.txt"); },
    kExtlinux);

const Tree kJson = {{"config.json", "{\n  \"deviceApiKey\": \"secret\"\n}\n"}};
const bool kConfigJson =
    Register("ConfigJson", kJson,
             [](const std::string& dir) { return OfFile<ConfigJsonBackend>(dir + "/config.json"); },
             {{"BALENA_SUPERVISOR_PERSISTENT_LOGGING", "1"},
              {"BALENA_HOST_HOSTNAME", "kitchen"},
              {"BALENA_HOST_NTP_SERVERS", "ntp.example"}});
const bool kPowerFan = Register(
    "PowerFan", kJson,
    [](const std::string& dir) { return OfFile<PowerFanBackend>(dir + "/config.json"); },
    {{"BALENA_HOST_CONFIG_fan_profile", "cool"}, {"BALENA_HOST_CONFIG_power_mode", "low"}});

const bool kOdmdata =
    Register("Odmdata", {{"boot0", std::string(65536, '\0')}, {"force_ro", "1\n"}},
             [](const std::string& dir) -> Backend {
               return std::make_unique<OdmdataBackend>(dir + "/boot0", dir + "/force_ro");
             },
             {{"BALENA_HOST_ODMDATA_configuration", "4"}});

const bool kSplash =
    Register("Splash", {{"balena-logo.png", "\x89PNG\r\n\x1a\nold"}},
             [](const std::string& dir) { return OfFile<SplashBackend>(dir); },
             {{"BALENA_HOST_SPLASH_image", "data:image/png;base64,iVBORw0KGgpuZXc="}});

const bool kConfigfs = Register("Configfs", {{"spi0.aml", "SSDT spi0"}, {"i2c1.aml", "SSDT i2c1"}},
                                [](const std::string& dir) -> Backend {
                                  return std::make_unique<ConfigfsBackend>(dir + "/configfs.json",
                                                                           dir, dir + "/loaded");
                                },
                                {{"BALENA_HOST_CONFIGFS_ssdt", "\"spi0\",\"i2c1\""}});

class FakePlace final : public ConfigPlace {
 public:
  ConfigBackend& Open() override {
    backend_ = std::make_unique<FakeConfigBackend>(
        "fake", std::vector<ConfigRule>{{.backend = {}, .key = "BALENA_FAKE_*"}}, place_);
    return *backend_;
  }
  ConfigValues Settable() const override { return {{"BALENA_FAKE_a", "1"}, {"BALENA_FAKE_b", ""}}; }

 private:
  FakeConfigPlace place_;
  std::unique_ptr<ConfigBackend> backend_;
};
const bool kFake =
    RegisterConfigConformance("FakeConfig", [] { return std::make_unique<FakePlace>(); });

}  // namespace
}  // namespace lockstep::test
