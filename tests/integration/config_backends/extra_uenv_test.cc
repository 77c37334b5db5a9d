#include "config_backends/extra_uenv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "config_backends/changed_text.h"
#include "config_backends/extra_uenv_backend.h"
#include "format_testing.h"
#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

using Strings = std::vector<std::string>;

ExtraUEnv Parsed(std::string_view text) {
  auto parsed = ExtraUEnv::Parse(text);
  EXPECT_THAT(parsed, IsOk());
  return std::move(parsed).assume_value();
}

TEST(ExtraUEnvTest, WhatIsNotChangedStaysToTheByte) {
  const auto files = FilesOf("extra_uenv");
  ASSERT_GE(files.size(), 4U);
  for (const auto& [name, text] : files) EXPECT_EQ(Parsed(text).ToText(), text) << name;
}

TEST(ExtraUEnvTest, ReadsItsTwoKeys) {
  const auto files = FilesOf("extra_uenv");
  EXPECT_EQ(Parsed(files.at("empty.txt")).Values(), ConfigValues());
  EXPECT_EQ(Parsed(files.at("jetson.txt")).Values(),
            (ConfigValues{{"fdt", "tegra194-p3668-dsboard-nx2-0000.dtb"}, {"isolcpus", "3,4"}}));
  EXPECT_EQ(Parsed(files.at("variscite.txt")).Values(),
            (ConfigValues{{"fdt", "imx8mm-var-dart-dt8mcustomboard-legacy.dtb"}}));
  EXPECT_EQ(Parsed(files.at("windows.txt")).Values(),
            (ConfigValues{{"fdt", "b.dtb"}, {"isolcpus", "1"}}));
  EXPECT_EQ(Parsed(files.at("goes_on.txt")).Values(), (ConfigValues{{"fdt", "this.dtb"}}));
}

struct ChangeCase {
  std::string name;
  std::string before;
  std::string key;
  std::optional<std::string> value;
  std::optional<std::string> after;  // None: refused.
};
class ExtraUEnvChangeTest : public ::testing::TestWithParam<ChangeCase> {};
TEST_P(ExtraUEnvChangeTest, ChangesNothingElse) {
  const ChangeCase& row = GetParam();
  ExtraUEnv file = Parsed(row.before);
  const auto change = [&] {
    return row.value ? file.Set(row.key, *row.value) : file.Erase(row.key);
  };
  const auto changed = change();
  if (!row.after) {
    EXPECT_THAT(changed, IsError(ErrorCode::kInvalidInput));
    EXPECT_EQ(file.ToText(), row.before);
    return;
  }
  ASSERT_THAT(changed, IsOk());
  EXPECT_EQ(file.ToText(), row.after);
  EXPECT_EQ(file.Rest(), Parsed(row.before).Rest());
  ASSERT_THAT(change(), IsOk());
  EXPECT_EQ(file.ToText(), row.after) << "not twice the same";
}
INSTANTIATE_TEST_SUITE_P(
    Cases, ExtraUEnvChangeTest,
    ::testing::Values(
        ChangeCase{"NewFdt", "", "fdt", "a.dtb", "custom_fdt_file=a.dtb\n"},
        ChangeCase{"NewFdtBehindNoNewline", "a=1\r\nb=2", "fdt", "a.dtb",
                   "a=1\r\nb=2\r\ncustom_fdt_file=a.dtb\r\n"},
        ChangeCase{"FdtInPlace", "# c\n  custom_fdt_file=a.dtb \nb=1", "fdt", "b.dtb",
                   "# c\n  custom_fdt_file=b.dtb\nb=1"},
        ChangeCase{"LastFdt", "custom_fdt_file=a\ncustom_fdt_file=b\n", "fdt", "c",
                   "custom_fdt_file=a\ncustom_fdt_file=c\n"},
        ChangeCase{"NoFdtAtAll", "custom_fdt_file=a\nx=1\ncustom_fdt_file=b\n", "fdt", std::nullopt,
                   "x=1\n"},
        ChangeCase{"NewIsolcpus", "x", "isolcpus", "1", "x\nextra_os_cmdline=isolcpus=1\n"},
        ChangeCase{"OneMoreWord", "\textra_os_cmdline=quiet  x=\"y z\" \n", "isolcpus", "1",
                   "\textra_os_cmdline=quiet  x=\"y z\" isolcpus=1 \n"},
        ChangeCase{"WordInPlace", "extra_os_cmdline=a isolcpus=1 b", "isolcpus", "2-3",
                   "extra_os_cmdline=a isolcpus=2-3 b"},
        ChangeCase{"OneWordLess", "extra_os_cmdline=a  isolcpus=1 b\n", "isolcpus", std::nullopt,
                   "extra_os_cmdline=a b\n"},
        ChangeCase{"NoWordLeft", "a=1\nextra_os_cmdline=isolcpus=1\n", "isolcpus", std::nullopt,
                   "a=1\n"},
        // The line above would come in force.
        ChangeCase{"NoWordLeftBelowAnother", "extra_os_cmdline=a\nextra_os_cmdline=isolcpus=1\n",
                   "isolcpus", std::nullopt, "extra_os_cmdline=a\nextra_os_cmdline=\n"},
        ChangeCase{"InAComment", "#custom_fdt_file=a\n", "fdt", std::nullopt,
                   "#custom_fdt_file=a\n"},
        ChangeCase{"BlankBeforeEqualsIsAnotherName", "custom_fdt_file =a\n", "fdt", "b",
                   "custom_fdt_file =a\ncustom_fdt_file=b\n"},
        ChangeCase{"GoesOn", "extra_os_cmdline=a \\\nb\n", "isolcpus", "1", std::nullopt},
        ChangeCase{"GoesOnToTheEnd", "a=b\\", "fdt", "x", std::nullopt},
        ChangeCase{"GoesNotOn", "a=b\\\\", "fdt", "x", "a=b\\\\\ncustom_fdt_file=x\n"},
        ChangeCase{"PartOfAnother", "a=b \\\ncustom_fdt_file=c\n", "fdt", "x",
                   "a=b \\\ncustom_fdt_file=c\ncustom_fdt_file=x\n"},
        ChangeCase{"FdtGoesOn", "custom_fdt_file=a\\\nb\n", "fdt", std::nullopt, std::nullopt},
        ChangeCase{"Equals", "", "isolcpus", "1=2", std::nullopt},
        ChangeCase{"Blank", "", "fdt", "a b", std::nullopt},
        ChangeCase{"Newline", "", "fdt", "a\nbootcmd=x", std::nullopt},
        ChangeCase{"OtherKey", "", "extra_os_cmdline", "x", std::nullopt},
        ChangeCase{"TooLong", "extra_os_cmdline=" + std::string(2040, 'x'), "isolcpus", "1",
                   std::nullopt}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(ExtraUEnvTest, RefusesWhatIsNoText) {
  EXPECT_THAT(ExtraUEnv::Parse(std::string("a\0", 2)), IsError(ErrorCode::kInvalidInput));
}

TEST(ExtraUEnvTest, WhateverTheFileAChangeChangesItsKeyAlone) {
  static const Strings kLines = {"",
                                 "# c",
                                 "a=1",
                                 "  b=x y",
                                 "rubbish \x02",
                                 "=",
                                 "#custom_fdt_file=n",
                                 "custom_fdt_file=a.dtb",
                                 "\tcustom_fdt_file=b.dtb ",
                                 "custom_fdt_file=",
                                 "extra_os_cmdline=",
                                 "extra_os_cmdline=quiet  isolcpus=1 ${x}",
                                 "  extra_os_cmdline=isolcpus=1",
                                 "extra_os_cmdline=isolcpus=1 x isolcpus=2 -- isolcpus=3",
                                 "extra_os_cmdline=quiet ",
                                 "c=goes on \\",
                                 "d=\\\\",
                                 "$(x) `y` 'z' \""};
  Chance chance(31);
  int changed = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::string end = chance.OneIn(4) ? "\r\n" : "\n";
    std::string text;
    while (!chance.OneIn(6)) text += chance.Of(kLines) + end;
    if (chance.OneIn(4)) text += chance.Of(kLines);
    ASSERT_EQ(Parsed(text).ToText(), text);
    const bool is_fdt = chance.OneIn(2);
    const std::string key = is_fdt ? "fdt" : "isolcpus";
    const std::string value = is_fdt ? "new.dtb" : "7";
    const auto set = ChangedText<ExtraUEnv>(text, "", {{key, value}});
    if (!set) {
      ASSERT_THAT(set, IsError(ErrorCode::kInvalidInput)) << text;
      continue;
    }
    ++changed;
    const Strings was = LinesOf(text);
    const Strings is = LinesOf(set.assume_value());
    ASSERT_TRUE(is.size() == was.size() || is.size() == was.size() + 1);
    int differ = 0;
    for (std::size_t i = 0; i < was.size(); ++i) differ += is[i] == was[i] ? 0 : 1;
    ASSERT_EQ(differ, is.size() == was.size() ? 1 : 0) << text << "\n->\n" << set.assume_value();
    ASSERT_THAT(ChangedText<ExtraUEnv>(set.assume_value(), "", {{key, value}}),
                IsOkAndHolds(set.assume_value()));
    const auto erased = ChangedText<ExtraUEnv>(set.assume_value(), "", {{key, std::nullopt}});
    ASSERT_THAT(erased, IsOk());
    ConfigValues expected = Parsed(text).Values();
    expected.erase(key);
    ASSERT_EQ(Parsed(erased.assume_value()).Values(), expected);
  }
  EXPECT_GT(changed, 5000);
}

TEST(ExtraUEnvTest, HundredThousandLinesTakeLinearTime) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "custom_fdt_file=a\nextra_os_cmdline=isolcpus=1\n";
  text += "a=" + std::string(1U << 20, '\\') + "\n";
  const auto begin = std::chrono::steady_clock::now();
  ExtraUEnv file = Parsed(text);
  ASSERT_THAT(file.Set("isolcpus", "2"), IsOk());
  ASSERT_THAT(file.Erase("fdt"), IsOk());
  EXPECT_EQ(file.Values(), (ConfigValues{{"isolcpus", "2"}}));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(ExtraUEnvBackendTest, MakesTheFileWhenThereIsSomethingToWrite) {
  const TempDir dir;
  const std::string path = dir / "extra_uEnv.txt";
  ExtraUEnvBackend backend(path);
  const std::string fdt = "BALENA_HOST_EXTLINUX_fdt";
  EXPECT_THAT(backend.Read(), IsError(ErrorCode::kNotFound));
  ASSERT_THAT(backend.Write({{fdt, std::nullopt}}), IsOk());
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_THAT(backend.Write({{fdt, "a.dtb"}}), IsOk());
  EXPECT_EQ(TextOf(path), "custom_fdt_file=a.dtb\n");
  EXPECT_THAT(backend.Read(), IsOkAndHolds(ConfigValues{{fdt, "a.dtb"}}));
}

TEST(ExtraUEnvBackendTest, KeepsWhatItDoesNotManage) {
  const TempDir dir;
  const std::string path = dir / "extra_uEnv.txt";
  PutText(path, FilesOf("extra_uenv").at("variscite.txt"));
  ExtraUEnvBackend backend(path);
  const std::string cpus = "BALENA_HOST_EXTLINUX_isolcpus";
  ASSERT_THAT(backend.Write({{cpus, "1"}}), IsOk());
  EXPECT_THAT(TextOf(path),
              ::testing::HasSubstr("\n\textra_os_cmdline=quiet  loglevel=3 isolcpus=1 \n"));
  ASSERT_THAT(backend.Write({{cpus, std::nullopt}}), IsOk());
  EXPECT_EQ(TextOf(path), FilesOf("extra_uenv").at("variscite.txt"));
  ASSERT_EQ(backend.rules().size(), 2U);
  EXPECT_EQ(backend.rules()[0].backend, "extra_uEnv.txt");
}

}  // namespace
}  // namespace lockstep::test
