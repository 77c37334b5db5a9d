#include "config_backends/config_txt_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "format_testing.h"
#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

std::string Key(const std::string& key) { return "BALENA_HOST_CONFIG_" + key; }

const ConfigRule* RuleOf(const ConfigBackend& backend, const std::string& key) {
  const ConfigRule* any = nullptr;
  for (const ConfigRule& rule : backend.rules()) {
    if (rule.key == key) return &rule;
    if (rule.key.ends_with('*') && key.starts_with(rule.key.substr(0, rule.key.size() - 1))) {
      any = &rule;
    }
  }
  return any;
}

ino_t InodeOf(const std::string& path) {
  struct stat found = {};
  EXPECT_EQ(::stat(path.c_str(), &found), 0);
  return found.st_ino;
}

TEST(ConfigTxtBackendTest, ReadsAndWritesByBalenasNames) {
  const TempDir dir;
  PutText(dir / "config.txt", "gpu_mem=16\n[pi4]\ngpu_mem=64\n[all]\ndtoverlay=a\n");
  ConfigTxtBackend backend(dir / "config.txt");
  EXPECT_THAT(backend.Read(),
              IsOkAndHolds(ConfigValues{{Key("gpu_mem"), "16"}, {Key("dtoverlay"), "a"}}));
  ASSERT_THAT(backend.Write({{Key("gpu_mem"), "32"},
                             {Key("dtoverlay"), std::nullopt},
                             {Key("gpio"), R"("2=op","3=op")"}}),
              IsOk());
  EXPECT_EQ(TextOf(dir / "config.txt"),
            "gpu_mem=32\n[pi4]\ngpu_mem=64\n[all]\ngpio=2=op\ngpio=3=op\n");
  EXPECT_THAT(backend.Read(), IsOkAndHolds(ConfigValues{{Key("gpu_mem"), "32"},
                                                        {Key("gpio"), R"("2=op","3=op")"}}));
}

TEST(ConfigTxtBackendTest, WritesNothingWhereNothingChanges) {
  const TempDir dir;
  PutText(dir / "config.txt", "gpu_mem=16 \ndtparam=spi=on,audio=on");
  ConfigTxtBackend backend(dir / "config.txt");
  const ino_t before = InodeOf(dir / "config.txt");
  ASSERT_THAT(backend.Write({{Key("gpu_mem"), "16"},
                             {Key("dtparam"), R"("spi=on", "audio=on")"},
                             {Key("absent"), std::nullopt}}),
              IsOk());
  EXPECT_EQ(TextOf(dir / "config.txt"), "gpu_mem=16 \ndtparam=spi=on,audio=on");
  EXPECT_EQ(InodeOf(dir / "config.txt"), before);
}

TEST(ConfigTxtBackendTest, NeverMakesTheFile) {
  const TempDir dir;
  ConfigTxtBackend backend(dir / "config.txt");
  const auto read = backend.Read();
  ASSERT_THAT(read, IsError(ErrorCode::kNotFound));
  EXPECT_THAT(read.assume_error().hint, ::testing::HasSubstr("boot partition"));
  EXPECT_THAT(backend.Write({{Key("gpu_mem"), "16"}}), IsError(ErrorCode::kNotFound));
  EXPECT_FALSE(std::filesystem::exists(dir / "config.txt"));
}

TEST(ConfigTxtBackendTest, LeavesAFileOfAnotherFormatAlone) {
  const TempDir dir;
  const std::string picture("\x89PNG\0\0\0\rIHDR", 12);
  PutText(dir / "config.txt", picture);
  ConfigTxtBackend backend(dir / "config.txt");
  const auto read = backend.Read();
  ASSERT_THAT(read, IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(read.assume_error().context, ::testing::HasSubstr("config.txt"));
  EXPECT_THAT(backend.Write({{Key("gpu_mem"), "16"}}), IsError(ErrorCode::kInvalidInput));
  EXPECT_EQ(TextOf(dir / "config.txt"), picture);
}

TEST(ConfigTxtBackendTest, MakesNoChangeWhereOneIsRefused) {
  const TempDir dir;
  PutText(dir / "config.txt", "gpu_mem=16\n");
  ConfigTxtBackend backend(dir / "config.txt");
  EXPECT_THAT(backend.Write({{Key("arm_freq"), "900"}, {Key("gpu_mem"), "1\n[none]"}}),
              IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(backend.Write({{Key("arm_freq"), "900"}, {"BALENA_HOST_EXTLINUX_fdt", "x"}}),
              IsError(ErrorCode::kInternal));
  EXPECT_EQ(TextOf(dir / "config.txt"), "gpu_mem=16\n");
}

TEST(ConfigTxtBackendTest, KeysOfOthersAreNotItsOwn) {
  const TempDir dir;
  PutText(dir / "config.txt", "power_mode=1\nfan_profile=cool\ninclude=x\nkernel=k.img\n");
  ConfigTxtBackend backend(dir / "config.txt");
  EXPECT_THAT(backend.Read(), IsOkAndHolds(ConfigValues{{Key("kernel"), "k.img"}}));
}

TEST(ConfigTxtBackendTest, RulesForbidWhatCouldKeepTheDeviceFromBooting) {
  const ConfigTxtBackend backend("config.txt");
  for (const std::string key :
       {"disable_commandline_tags", "cmdline", "kernel", "kernel_address", "kernel_old",
        "ramfsfile", "ramfsaddr", "initramfs", "device_tree_address", "init_emmc_clock",
        "avoid_safe_mode", "power_mode", "fan_profile", "include"}) {
    const ConfigRule* rule = RuleOf(backend, Key(key));
    ASSERT_NE(rule, nullptr);
    EXPECT_NE(rule->forbidden, "") << key;
  }
  for (const std::string key : {"gpu_mem", "dtoverlay", "dtparam", "gpio", "kernel8"}) {
    const ConfigRule* rule = RuleOf(backend, Key(key));
    ASSERT_NE(rule, nullptr);
    EXPECT_EQ(rule->forbidden, "") << key;
    EXPECT_TRUE(rule->needs_reboot);
    EXPECT_EQ(rule->backend, "config.txt");
  }
  EXPECT_EQ(RuleOf(backend, "BALENA_HOST_EXTLINUX_fdt"), nullptr);
}

TEST(ConfigTxtBackendTest, RulesKnowListsAndRefusals) {
  const ConfigTxtBackend backend("config.txt");
  const ConfigRule* params = RuleOf(backend, Key("dtparam"));
  EXPECT_EQ(params->canonical("spi=on,audio=on"), R"("spi=on","audio=on")");
  EXPECT_EQ(params->refusal(Key("dtparam"), "spi=on"), "");
  EXPECT_NE(params->refusal(Key("dtparam"), "\"spi=on"), "");
  const ConfigRule* any = RuleOf(backend, Key("gpu_mem"));
  EXPECT_EQ(any->canonical, nullptr);
  EXPECT_EQ(any->refusal(Key("gpu_mem"), "16"), "");
  EXPECT_NE(any->refusal(Key("gpu_mem"), " 16"), "");
  EXPECT_NE(any->refusal(Key("[pi4]"), "16"), "");
  EXPECT_NE(any->refusal(Key(""), "16"), "");
}

}  // namespace
}  // namespace lockstep::test
