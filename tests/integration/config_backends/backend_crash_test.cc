// Each backend that keeps a file on the boot partition, cut off at every point of a change: by a
// kill, a power cut, a disk that fails, and torn sectors of a real FAT image.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "config_backends/config_json_backend.h"
#include "config_backends/config_txt_backend.h"
#include "config_backends/configfs_backend.h"
#include "config_backends/extlinux_backend.h"
#include "config_backends/extra_uenv_backend.h"
#include "config_backends/splash_backend.h"
#include "crash_replay.h"
#include "fat_image.h"

namespace lockstep::test {
namespace {

struct BackendCase {
  std::string name;
  Tree before;
  std::unique_ptr<ConfigBackend> (*open)(const std::string& dir);
  ConfigChanges changes;
  bool (*acceptable)(const Tree&) = nullptr;  // None: the old or the new files.
};

CrashCase CaseOf(const BackendCase& backend) {
  CrashCase crash;
  crash.before = backend.before;
  crash.change = [&backend](const std::string& dir) {
    return backend.open(dir)->Write(backend.changes);
  };
  crash.recover = [&backend](const std::string& dir) -> Result<void> {
    auto recovered = backend.open(dir)->Recover();
    // There is no kernel here that tables could be loaded into, which comes last.
    return backend.name == "Configfs" ? Result<void>(Ok()) : std::move(recovered);
  };
  crash.acceptable = backend.acceptable;
  return crash;
}

std::string Comments(int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i) text += "# what the factory says, " + std::to_string(i) + "\n";
  return text;
}

class BackendCrashTest : public ::testing::TestWithParam<BackendCase> {};

TEST_P(BackendCrashTest, LeavesTheOldOrTheNewWhole) { ExpectSurvivesCrashes(CaseOf(GetParam())); }

TEST_P(BackendCrashTest, LeavesTheOldOrTheNewWholeOnTornSectorsOfFat) {
  if (const std::string missing = FatImage::MissingTools(); !missing.empty()) {
    GTEST_SKIP() << "not here, install mtools and dosfstools: " << missing;
  }
  ExpectSurvivesTornSectors(CaseOf(GetParam()));
}

// What begins as a PNG does.
const std::string kPng = {'\x89', 'P', 'N', 'G', '\r', '\n', '\x1a', '\n', 'o', 'l', 'd'};
const std::string kNewPng = {'\x89', 'P', 'N', 'G', '\r', '\n', '\x1a', '\n', 'n', 'e', 'w'};
constexpr const char* kOtherPng = "iVBORw0KGgpuZXc=";

// The picture of the OS is there in two places for a while, and never in none.
bool ShowsOneAndKeepsTheOld(const Tree& tree) {
  Tree rest = tree;
  const std::string shown = rest["balena-logo.png"];
  const bool kept = rest.count("balena-logo-default.png") != 0;
  if (kept && rest["balena-logo-default.png"] != kPng) return false;
  return rest.size() == (kept ? 2U : 1U) && (shown == kPng || (shown == kNewPng && kept));
}

INSTANTIATE_TEST_SUITE_P(
    Backends, BackendCrashTest,
    ::testing::Values(
        BackendCase{"ConfigTxt",
                    {{"config.txt", Comments(40) + "gpu_mem=16\ndtoverlay=vc4-kms-v3d\n"}},
                    [](const std::string& dir) -> std::unique_ptr<ConfigBackend> {
                      return std::make_unique<ConfigTxtBackend>(dir + "/config.txt");
                    },
                    {{"BALENA_HOST_CONFIG_gpu_mem", "64"},
                     {"BALENA_HOST_CONFIG_dtparam", "\"spi=on\",\"audio=on\""}}},
        BackendCase{
            "Extlinux",
            {{"extlinux.conf", Comments(20) +
                                   "DEFAULT primary\nLABEL primary\n  LINUX /Image\n"
                                   "  FDT /old.dtb\n  APPEND root=/dev/mmcblk0p2 quiet\n"}},
            [](const std::string& dir) -> std::unique_ptr<ConfigBackend> {
              return std::make_unique<ExtlinuxBackend>(dir + "/extlinux.conf");
            },
            {{"BALENA_HOST_EXTLINUX_isolcpus", "2,3"}, {"BALENA_HOST_EXTLINUX_fdt", "/new.dtb"}}},
        BackendCase{"ExtraUEnv",
                    {{"extra_uEnv.txt", "extra_os_cmdline=quiet console=ttyS0\n"}},
                    [](const std::string& dir) -> std::unique_ptr<ConfigBackend> {
                      return std::make_unique<ExtraUEnvBackend>(dir + "/extra_uEnv.txt");
                    },
                    {{"BALENA_HOST_EXTLINUX_isolcpus", "2,3"}}},
        BackendCase{"ConfigJson",
                    {{"config.json", "{\"deviceApiKey\":\"secret\",\"persistentLogging\":false}"}},
                    [](const std::string& dir) -> std::unique_ptr<ConfigBackend> {
                      return std::make_unique<ConfigJsonBackend>(dir + "/config.json");
                    },
                    {{"BALENA_SUPERVISOR_PERSISTENT_LOGGING", "true"},
                     {"BALENA_HOST_HOSTNAME", "kitchen"}}},
        BackendCase{"Splash",
                    {{"balena-logo.png", kPng}},
                    [](const std::string& dir) -> std::unique_ptr<ConfigBackend> {
                      return std::make_unique<SplashBackend>(dir);
                    },
                    {{"BALENA_HOST_SPLASH_image", kOtherPng}},
                    &ShowsOneAndKeepsTheOld},
        BackendCase{"Configfs",
                    {{"configfs.json", "{\"ssdt\":[\"spi0\"]}"}},
                    [](const std::string& dir) -> std::unique_ptr<ConfigBackend> {
                      return std::make_unique<ConfigfsBackend>(dir + "/configfs.json",
                                                               dir + "/none", dir + "/none");
                    },
                    {{"BALENA_HOST_CONFIGFS_ssdt", std::nullopt}}}),
    [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace lockstep::test
