// Which images of a registry run on which machine.
#include "platform.h"

#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <vector>

#include "capture.h"

namespace lockstep::test {
namespace {

using docker::Json;
using docker::Platform;

struct PlatformCase {
  std::string name;
  Platform offered;
  Platform machine;
  bool fits;
};

class PlatformTest : public ::testing::TestWithParam<PlatformCase> {};

TEST_P(PlatformTest, FitsWhatTheEngineWouldTake) {
  EXPECT_EQ(docker::Fits(GetParam().offered, GetParam().machine), GetParam().fits);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, PlatformTest,
    ::testing::ValuesIn(std::vector<PlatformCase>{
        {"Same", {"linux", "amd64", ""}, {"linux", "amd64", ""}, true},
        {"OtherProcessor", {"linux", "amd64", ""}, {"linux", "arm64", ""}, false},
        {"OtherSystem", {"windows", "amd64", ""}, {"linux", "amd64", ""}, false},
        {"ImageSaysNothing", {"", "", ""}, {"linux", "arm64", ""}, true},
        {"EngineSaysNothing", {"linux", "amd64", ""}, {"", "", ""}, true},
        {"ArmOfSameVariant", {"linux", "arm", "v7"}, {"linux", "arm", "v7"}, true},
        {"ArmOfOlderVariant", {"linux", "arm", "v6"}, {"linux", "arm", "v7"}, true},
        {"ArmOfNewerVariant", {"linux", "arm", "v7"}, {"linux", "arm", "v6"}, false},
        {"VariantInAnotherSpelling", {"linux", "arm", "7"}, {"linux", "arm", "v6"}, false},
        {"ImageOfNoVariant", {"linux", "arm", ""}, {"linux", "arm", "v6"}, true},
        {"MachineOfNoVariant", {"linux", "arm", "v7"}, {"linux", "arm", ""}, true},
        {"VariantThatIsNoNumber", {"linux", "arm", "hard"}, {"linux", "arm", "v6"}, true},
        {"VariantElsewhere", {"linux", "arm64", "v8"}, {"linux", "arm64", ""}, true},
        {"OtherWordForTheSame", {"linux", "aarch64", ""}, {"linux", "arm64", ""}, true},
        {"ThirtyTwoBitsOnX86", {"linux", "386", ""}, {"linux", "amd64", ""}, true},
        {"ThirtyTwoBitsOnArm", {"linux", "arm", "v7"}, {"linux", "arm64", ""}, true},
        {"SixtyFourBitsOnSmallArm", {"linux", "arm64", "v8"}, {"linux", "arm", "v7"}, false},
    }),
    [](const auto& param_info) { return param_info.param.name; });

const Platform kPi{"linux", "arm", "v7"};

TEST(PlatformTest, NamesWhatOthersGet) {
  const Json platforms = Json::parse(R"([{"os":"linux","architecture":"amd64"},
      {"os":"linux","architecture":"arm64","variant":"v8"},
      {"os":"unknown","architecture":"unknown"},
      {"os":"linux","architecture":"amd64"}])");
  EXPECT_EQ(docker::OnlyForOthers(platforms, kPi), "linux/amd64, linux/arm64/v8");
}

TEST(PlatformTest, OneThatFitsIsEnough) {
  const Json recorded = docker::At(Capture("distribution-inspect"), "Platforms");
  ASSERT_EQ(recorded.size(), 1U);
  EXPECT_EQ(docker::OnlyForOthers(recorded, {"linux", "amd64", ""}), std::nullopt);
  EXPECT_EQ(docker::OnlyForOthers(recorded, kPi), std::nullopt) << "it is the only one";
  Json both = recorded;
  both.push_back({{"os", "linux"}, {"architecture", "arm"}, {"variant", "v6"}});
  EXPECT_EQ(docker::OnlyForOthers(both, kPi), std::nullopt);
}

TEST(PlatformTest, RegistryThatSaysNothingIsBelieved) {
  for (const char* text : {"null", "[]", "7", "{}", R"(["linux"])", R"([{"os":7}])",
                           R"([{"os":"unknown","architecture":"unknown"}])"}) {
    EXPECT_EQ(docker::OnlyForOthers(Json::parse(text), kPi), std::nullopt) << text;
  }
}

TEST(PlatformTest, LongListIsCutShort) {
  Json platforms = Json::array();
  for (int i = 0; i < 100; ++i) {
    platforms.push_back({{"os", "linux"}, {"architecture", "a" + std::to_string(i)}});
  }
  EXPECT_EQ(docker::OnlyForOthers(platforms, kPi),
            "linux/a0, linux/a1, linux/a2, linux/a3, linux/a4, linux/a5, linux/a6, linux/a7, "
            "others");
}

TEST(PlatformTest, KernelTellsTheVariantOfSmallArms) {
  EXPECT_EQ(docker::VariantOfMachine("armv6l"), "v6");
  EXPECT_EQ(docker::VariantOfMachine("armv7l"), "v7");
  for (const char* machine : {"aarch64", "x86_64", "arm", "armv", ""}) {
    EXPECT_EQ(docker::VariantOfMachine(machine), "") << machine;
  }
}

}  // namespace
}  // namespace lockstep::test
