#include "config_backends/known_backends.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

#include "board_directory.h"
#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class KnownBackendsTest : public BoardDirectory {
 protected:
  ConfigPlaces Places() const {
    CommonOptions options;
    options.host_root = root_;
    return FindConfigPlaces(options);
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& backend : BackendsOf(Places())) names.emplace_back(backend->name());
    std::sort(names.begin(), names.end());
    return names;
  }
  void Chip(const std::string& name) const {
    Put("sys/firmware/devicetree/base/compatible", "nvidia,board" + std::string(1, '\0') + name);
  }
};

TEST_F(KnownBackendsTest, ABoardIsRecognisedByWhatItHas) {
  EXPECT_THAT(Names(), IsEmpty());
  Put("mnt/boot/config.txt", "");
  Put("mnt/boot/config.json", "{}");
  Put("mnt/boot/splash/balena-logo.png", "");
  EXPECT_THAT(Names(), ElementsAre("config.json", "config.txt", "splash"));
}

TEST_F(KnownBackendsTest, TheChipTellsJetsonsApart) {
  Put("mnt/boot/config.json", "{}");
  Put("dev/mmcblk0boot0", "");
  Chip("nvidia,tegra194");
  EXPECT_THAT(Names(), ElementsAre("config.json"));
  Chip("nvidia,tegra186");
  EXPECT_THAT(Names(), ElementsAre("config.json", "odmdata"));
  Chip("nvidia,tegra234");
  EXPECT_THAT(Names(), ElementsAre("config.json", "power and fan"));
}

TEST_F(KnownBackendsTest, OfTwoFilesWithTheSameKeysTheOneThatIsReadFirst) {
  Put("mnt/boot/extlinux/extlinux.conf", "");
  EXPECT_THAT(Names(), ElementsAre("extlinux.conf"));
  Put("mnt/boot/extra_uEnv.txt", "");
  EXPECT_THAT(Names(), ElementsAre("extra_uEnv.txt"));
  Put("mnt/boot/config.txt", "");
  EXPECT_THAT(Names(), ElementsAre("config.txt")) << "a Raspberry Pi has its own";
}

// What is below the mount point while nothing is mounted is not what the board boots by.
TEST_F(KnownBackendsTest, FilesElsewhereAreNotThoseOfAPartitionThatIsNotMounted) {
  Put("boot/config.txt", "# moved to /boot/firmware/config.txt\n");
  EXPECT_THAT(Names(), ElementsAre("config.txt"));
  std::filesystem::create_directory(At("boot/firmware"));
  EXPECT_THAT(Names(), IsEmpty());
  Put("boot/firmware/config.txt", "");
  EXPECT_THAT(Names(), ElementsAre("config.txt"));
  std::filesystem::create_directories(At("mnt/boot"));
  EXPECT_THAT(Names(), IsEmpty());
}

// A boot loader gives up on a label whose device tree is not there.
TEST_F(KnownBackendsTest, ADeviceTreeThatIsNotThereIsNotSet) {
  const std::string conf = "DEFAULT a\nLABEL a\n  LINUX /Image\n  APPEND quiet\n";
  Put("mnt/boot/extlinux/extlinux.conf", conf);
  const auto backends = BackendsOf(Places());
  ASSERT_EQ(backends.size(), 1U);
  const auto set = [&](const std::string& name) {
    return backends[0]->Write({{"BALENA_HOST_EXTLINUX_fdt", name}});
  };
  const auto refused = set("/typo.dtb");
  ASSERT_THAT(refused, IsError(ErrorCode::kNotFound));
  EXPECT_THAT(refused.assume_error().hint, HasSubstr("would not boot"));
  EXPECT_EQ(Get("mnt/boot/extlinux/extlinux.conf"), conf);
  Put("mnt/boot/new.dtb", "");
  EXPECT_THAT(set("/new.dtb"), IsOk());
  Put("boot/other.dtb", "");
  EXPECT_THAT(set("other.dtb"), IsOk());
}

TEST(KnownConfigRulesTest, SayOfEachKeyWhoseItIs) {
  for (const ConfigRule& rule : KnownConfigRules()) EXPECT_NE(rule.backend, "") << rule.key;
}

}  // namespace
}  // namespace lockstep::test
