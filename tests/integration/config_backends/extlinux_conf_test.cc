#include "config_backends/extlinux_conf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "config_backends/changed_text.h"
#include "config_backends/extlinux_backend.h"
#include "config_backends/extlinux_options.h"
#include "format_testing.h"
#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

using Strings = std::vector<std::string>;

ExtlinuxConf Parsed(std::string_view text) {
  auto parsed = ExtlinuxConf::Parse(text);
  EXPECT_THAT(parsed, IsOk()) << text;
  return std::move(parsed).assume_value();
}

TEST(ExtlinuxConfTest, WhatIsNotChangedStaysToTheByte) {
  const auto files = FilesOf("extlinux");
  ASSERT_GE(files.size(), 4U);
  for (const auto& [name, text] : files) EXPECT_EQ(Parsed(text).ToText(), text) << name;
}

TEST(ExtlinuxConfTest, ReadsTheWordsOfTheDefaultLabel) {
  const auto files = FilesOf("extlinux");
  EXPECT_EQ(Parsed(files.at("jetson.txt")).Values(), (ConfigValues{{"isolcpus", "2"}}));
  EXPECT_EQ(Parsed(files.at("two_kernels.txt")).Values(), ConfigValues());
  EXPECT_EQ(Parsed(files.at("windows.txt")).Values(), (ConfigValues{{"isolcpus", "3"}}));
}

TEST(ExtlinuxConfTest, AnFdtOfTheHostOsIsNoValue) {
  EXPECT_EQ(Parsed(FilesOf("extlinux").at("jetson_fdt.txt")).Values(), ConfigValues());
}

const std::string kHead = "DEFAULT a\nLABEL b\n APPEND root=b isolcpus=9\nLABEL a\n LINUX /i\n";

struct ChangeCase {
  std::string name;
  std::string before;  // Behind kHead.
  std::string key;
  std::optional<std::string> value;
  std::string after;  // Likewise; empty: refused.
};
class ExtlinuxChangeTest : public ::testing::TestWithParam<ChangeCase> {};
TEST_P(ExtlinuxChangeTest, ChangesNothingElse) {
  const ChangeCase& row = GetParam();
  ExtlinuxConf file = Parsed(kHead + row.before);
  const auto change = [&](ExtlinuxConf& conf) {
    return row.value ? conf.Set(row.key, *row.value) : conf.Erase(row.key);
  };
  const auto changed = change(file);
  if (row.after.empty()) {
    EXPECT_THAT(changed, IsError(ErrorCode::kInvalidInput));
    EXPECT_EQ(file.ToText(), kHead + row.before);
    return;
  }
  ASSERT_THAT(changed, IsOk());
  EXPECT_EQ(file.ToText(), kHead + row.after);
  EXPECT_EQ(file.Rest(), Parsed(kHead + row.before).Rest());
  ASSERT_THAT(change(file), IsOk());
  EXPECT_EQ(file.ToText(), kHead + row.after) << "not twice the same";
}
const auto kNameOf = [](const auto& param_info) { return param_info.param.name; };

INSTANTIATE_TEST_SUITE_P(
    Isolcpus, ExtlinuxChangeTest,
    ::testing::Values(
        ChangeCase{"New", "\tappend  root=a ${x}  \n", "isolcpus", "1,2",
                   "\tappend  root=a ${x} isolcpus=1,2  \n"},
        ChangeCase{"InPlace", " APPEND isolcpus=1 root=a", "isolcpus", "2-3",
                   " APPEND isolcpus=2-3 root=a"},
        ChangeCase{"Gone", " APPEND root=a isolcpus=1 ro\r\n", "isolcpus", std::nullopt,
                   " APPEND root=a ro\r\n"},
        ChangeCase{"GoneAlready", " APPEND root=a\n", "isolcpus", std::nullopt, " APPEND root=a\n"},
        ChangeCase{"NoAppend", " FDT x\n", "isolcpus", "1", ""},
        ChangeCase{"EmptyAppend", " APPEND\n", "isolcpus", "1", ""},
        ChangeCase{"AppendOfNothing", " APPEND -\n", "isolcpus", "1", ""},
        ChangeCase{"AppendOfAnotherLabel", "LABEL c\n APPEND root=c\n", "isolcpus", "1", ""},
        ChangeCase{"SeveralAppends", " APPEND root=a\n APPEND root=b\n", "isolcpus", "1", ""},
        ChangeCase{"SeveralAppendsToTakeFrom", " APPEND a\n APPEND b isolcpus=1\n", "isolcpus",
                   std::nullopt, ""},
        ChangeCase{"NoWordLeft", " APPEND  isolcpus=1 \n", "isolcpus", std::nullopt, ""},
        ChangeCase{"Longest", " APPEND " + std::string(2036, 'x') + "\n", "isolcpus", "1",
                   " APPEND " + std::string(2036, 'x') + " isolcpus=1\n"},
        ChangeCase{"TooLong", " APPEND " + std::string(2037, 'x') + "\n", "isolcpus", "1", ""}),
    kNameOf);

INSTANTIATE_TEST_SUITE_P(
    Fdt, ExtlinuxChangeTest,
    ::testing::Values(
        ChangeCase{"New", " APPEND x\n", "fdt", "/b/x.dtb",
                   " # Lockstep added the line below.\n FDT /b/x.dtb\n APPEND x\n"},
        ChangeCase{"InPlaceOfTheHostOss", " APPEND x\n\tfdt  default \n", "fdt", "/b/x.dtb",
                   " APPEND x\n\t# Lockstep set the line below, which was:\tfdt  default \n"
                   "\tfdt  /b/x.dtb\n"},
        ChangeCase{"SameAsTheHostOss", " FDT x.dtb", "fdt", "x.dtb",
                   " # Lockstep set the line below, which was: FDT x.dtb\n FDT x.dtb"},
        ChangeCase{"OtherWord", " DeviceTree x.dtb\n", "fdt", "y.dtb",
                   " # Lockstep set the line below, which was: DeviceTree x.dtb\n"
                   " DeviceTree y.dtb\n"},
        ChangeCase{"WithoutAValue", " FDT\n", "fdt", "y.dtb",
                   " # Lockstep set the line below, which was: FDT\n FDT y.dtb\n"},
        ChangeCase{"Again", " # Lockstep added the line below.\n FDT x.dtb\n", "fdt", "y.dtb",
                   " # Lockstep added the line below.\n FDT y.dtb\n"},
        ChangeCase{"GoneAsItCame", " # Lockstep added the line below.\n FDT x.dtb\n APPEND x\n",
                   "fdt", std::nullopt, " APPEND x\n"},
        ChangeCase{"BackToTheHostOss",
                   " # Lockstep set the line below, which was:\tfdt  default \n FDT x.dtb", "fdt",
                   std::nullopt, "\tfdt  default "},
        ChangeCase{"TheHostOssStays", " FDT x.dtb\n", "fdt", std::nullopt, " FDT x.dtb\n"},
        ChangeCase{"Several", " FDT x.dtb\n FDT y.dtb\n", "fdt", "z.dtb", ""}),
    kNameOf);

TEST(ExtlinuxConfTest, AddsAnFdtInTheLettersOfTheFile) {
  ExtlinuxConf file = Parsed("label a\n\tkernel /i\n\tappend x\n");
  ASSERT_THAT(file.Set("fdt", "x.dtb"), IsOk());
  EXPECT_EQ(file.ToText(),
            "label a\n\tkernel /i\n\t# Lockstep added the line below.\n\tfdt x.dtb\n\tappend x\n");
  ExtlinuxConf none = Parsed("label a\n\tlocalboot 1\n");
  EXPECT_THAT(none.Set("fdt", "x.dtb"), IsError(ErrorCode::kInvalidInput));
}

struct DefaultCase {
  std::string name;
  std::string text;
  std::string root;  // Of the label that is the default; empty: refused.
};
class DefaultLabelTest : public ::testing::TestWithParam<DefaultCase> {};
TEST_P(DefaultLabelTest, IsTheOneBeyondDoubt) {
  const auto parsed = ExtlinuxConf::Parse(GetParam().text);
  if (GetParam().root.empty()) {
    ASSERT_THAT(parsed, IsError(ErrorCode::kInvalidInput));
    EXPECT_NE(parsed.assume_error().hint, "");
  } else {
    ASSERT_THAT(parsed, IsOk());
    EXPECT_EQ(parsed.assume_value().Values().at("isolcpus"), GetParam().root);
  }
}
const std::string kA = "LABEL a\nAPPEND isolcpus=1\n";
const std::string kB = "label b\nappend isolcpus=2\n";
INSTANTIATE_TEST_SUITE_P(
    Cases, DefaultLabelTest,
    ::testing::Values(DefaultCase{"Named", "DEFAULT b\n" + kA + kB, "2"},
                      DefaultCase{"NamedBelow", kA + kB + "Default  b \r\n", "2"},
                      DefaultCase{"NamedTwice", "DEFAULT b\nONTIMEOUT b\n" + kA + kB, "2"},
                      DefaultCase{"TwoNamed", "DEFAULT a\nONTIMEOUT b\n" + kA + kB, ""},
                      DefaultCase{"InTheMenu", kA + "MENU DEFAULT\n" + kB, "1"},
                      DefaultCase{"AnotherInTheMenu", "DEFAULT b\n" + kA + "MENU DEFAULT\n" + kB,
                                  ""},
                      DefaultCase{"OtherCase", "DEFAULT A\n" + kA, ""},
                      DefaultCase{"OnlyOne", kA, "1"}, DefaultCase{"NoneOfTwo", kA + kB, ""},
                      DefaultCase{"InAComment", "#DEFAULT b\n" + kA, "1"},
                      DefaultCase{"NotThere", "DEFAULT c\n" + kA, ""},
                      DefaultCase{"Twice", "DEFAULT a\n" + kA + kB + kA, ""},
                      DefaultCase{"AnotherTwice", "DEFAULT a\n" + kB + kA + kB, "1"},
                      DefaultCase{"NoLabel", "DEFAULT a\n", ""}, DefaultCase{"Empty", "", ""},
                      DefaultCase{"Nul", kA + std::string(1, '\0'), ""}),
    kNameOf);

struct RefusalCase {
  std::string name;
  std::string key;
  std::string value;
  bool refused;
};
class ExtlinuxRefusalTest : public ::testing::TestWithParam<RefusalCase> {};
TEST_P(ExtlinuxRefusalTest, LetsThroughOnlyWhatSuchValuesConsistOf) {
  const RefusalCase& row = GetParam();
  EXPECT_EQ(!ExtlinuxRefusal(row.key, row.value).empty(), row.refused);
  ExtlinuxConf file = Parsed(kHead + " APPEND root=a\n");
  const auto set = file.Set(row.key, row.value);
  EXPECT_EQ(set.has_error(), row.refused);
  if (row.refused) {
    EXPECT_EQ(file.ToText(), kHead + " APPEND root=a\n");
  }
}
INSTANTIATE_TEST_SUITE_P(
    Cases, ExtlinuxRefusalTest,
    ::testing::Values(RefusalCase{"List", "isolcpus", "0,2-5", false},
                      RefusalCase{"Flags", "isolcpus", "managed_irq,domain,0-9:2/4", false},
                      RefusalCase{"Equals", "isolcpus", "3=2", true},
                      RefusalCase{"Blank", "isolcpus", "1 init=/bin/sh", true},
                      RefusalCase{"Newline", "isolcpus", "1\nLABEL x", true},
                      RefusalCase{"Variable", "isolcpus", "${x}", true},
                      RefusalCase{"Quote", "isolcpus", "\"1\"", true},
                      RefusalCase{"Empty", "isolcpus", "", true},
                      RefusalCase{"Long", "isolcpus", std::string(256, '1'), true},
                      RefusalCase{"File", "fdt", "/boot/a_b-c.1+2,x@3.dtb", false},
                      RefusalCase{"FileWithBlank", "fdt", "/boot/a b", true},
                      RefusalCase{"FileWithHash", "fdt", "#a", true},
                      RefusalCase{"FileWithBackslash", "fdt", "a\\", true},
                      RefusalCase{"FileWithSemicolon", "fdt", "a;reset", true},
                      RefusalCase{"FileWithNul", "fdt", std::string("a\0", 2), true},
                      RefusalCase{"EmptyFile", "fdt", "", true},
                      RefusalCase{"OtherKey", "append", "x", true}),
    kNameOf);

std::string File(Chance& chance) {
  static const Strings kLines = {"",
                                 "# comment",
                                 "TIMEOUT 30",
                                 "MENU TITLE x",
                                 "prompt 0",
                                 "\tINITRD /i",
                                 " FDTDIR /d",
                                 "  menu label x",
                                 "rubbish \x01",
                                 "KERNEL",
                                 "#APPEND isolcpus=1",
                                 "  append",
                                 "\"",
                                 "IPAPPEND 2"};
  static const Strings kWords = {"root=/dev/a", "ro",           "${x}",     "a=\"b isolcpus=4 c\"",
                                 "isolcpus=1",  "isolcpus=2,3", "isolcpus", "quiet"};
  const std::string end = chance.OneIn(4) ? "\r\n" : "\n";
  const auto other = [&](std::string& text) {
    while (!chance.OneIn(3)) text += chance.Of(kLines) + end;
  };
  std::string text;
  other(text);
  if (chance.OneIn(2)) text += chance.Of(Strings{"DEFAULT b", "default  b ", "ontimeout b"}) + end;
  const std::size_t labels = 1 + chance.Below(3);
  for (std::size_t i = 0; i < labels; ++i) {
    text += (chance.OneIn(2) ? "LABEL " : "\tlabel\t") +
            std::string(1, static_cast<char>('a' + i)) + end;
    if (chance.OneIn(4)) text += "MENU default" + end;
    other(text);
    if (!chance.OneIn(4)) text += chance.Of(Strings{"  LINUX /i", "kernel /k"}) + end;
    other(text);
    if (chance.OneIn(3)) text += chance.Of(Strings{" FDT /x.dtb", "\tdevicetree y.dtb "}) + end;
    if (!chance.OneIn(6)) {
      text += chance.Of(Strings{" APPEND", "\tappend "});
      while (!chance.OneIn(4)) text += ' ' + chance.Of(kWords);
      text += end;
    }
    other(text);
  }
  if (chance.OneIn(4)) text.resize(text.size() - end.size());
  return text;
}

TEST(ExtlinuxConfTest, WhateverTheFileAChangeChangesItsKeyAlone) {
  Chance chance(21);
  int changed = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::string text = File(chance);
    auto parsed = ExtlinuxConf::Parse(text);
    if (!parsed) continue;
    ASSERT_EQ(parsed.assume_value().ToText(), text);
    const ConfigValues before = parsed.assume_value().Values();
    const bool is_fdt = chance.OneIn(2);
    const std::string key = is_fdt ? "fdt" : "isolcpus";
    const std::string value = is_fdt ? "/new.dtb" : "7";
    const auto set = ChangedText<ExtlinuxConf>(text, "", {{key, value}});
    if (!set) {
      ASSERT_THAT(set, IsError(ErrorCode::kInvalidInput)) << text;
      continue;
    }
    ++changed;
    const Strings was = LinesOf(text);
    Strings is = LinesOf(set.assume_value());
    if (!is_fdt) {
      ASSERT_EQ(is.size(), was.size());
      int differ = 0;
      for (std::size_t i = 0; i < is.size(); ++i) differ += is[i] == was[i] ? 0 : 1;
      ASSERT_EQ(differ, 1) << text;
    }
    const auto same = ChangedText<ExtlinuxConf>(set.assume_value(), "", {{key, value}});
    ASSERT_THAT(same, IsOkAndHolds(set.assume_value()));
    const auto erased = ChangedText<ExtlinuxConf>(set.assume_value(), "", {{key, std::nullopt}});
    if (is_fdt) {
      ASSERT_THAT(erased, IsOk());
      ASSERT_EQ(LinesOf(erased.assume_value()), was);
    } else if (erased && !before.contains(key)) {
      ASSERT_EQ(erased.assume_value(), text);
    }
  }
  EXPECT_GT(changed, 5000);
}

TEST(ExtlinuxConfTest, HundredThousandLinesTakeLinearTime) {
  std::string text = "DEFAULT x\n";
  for (int i = 0; i < 50'000; ++i) text += "LABEL l" + std::to_string(i) + "\nAPPEND isolcpus=1\n";
  text += "LABEL x\nLINUX /i\nAPPEND " + std::string(1U << 20, 'w') + "\n";
  const auto begin = std::chrono::steady_clock::now();
  ExtlinuxConf file = Parsed(text);
  ASSERT_THAT(file.Set("fdt", "x.dtb"), IsOk());
  EXPECT_THAT(file.Set("isolcpus", "1"), IsError(ErrorCode::kInvalidInput));  // Too long already.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(ExtlinuxBackendTest, ReadsWritesAndNeverMakesTheFile) {
  const TempDir dir;
  ExtlinuxBackend backend(dir / "extlinux.conf");
  const std::string cpus = "BALENA_HOST_EXTLINUX_isolcpus";
  const std::string fdt = "BALENA_HOST_EXTLINUX_fdt";
  EXPECT_THAT(backend.Read(), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(backend.Write({{cpus, "1"}}), IsError(ErrorCode::kNotFound));
  EXPECT_FALSE(std::filesystem::exists(dir / "extlinux.conf"));

  const std::string text = FilesOf("extlinux").at("jetson.txt");
  PutText(dir / "extlinux.conf", text);
  EXPECT_THAT(backend.Read(), IsOkAndHolds(ConfigValues{{cpus, "2"}}));
  ASSERT_THAT(backend.Write({{cpus, "1,3"}, {fdt, "/boot/x.dtb"}}), IsOk());
  EXPECT_THAT(backend.Read(), IsOkAndHolds(ConfigValues{{cpus, "1,3"}, {fdt, "/boot/x.dtb"}}));
  ASSERT_THAT(backend.Write({{cpus, "2"}, {fdt, std::nullopt}}), IsOk());
  EXPECT_EQ(TextOf(dir / "extlinux.conf"), text);

  // One that cannot be made keeps the other from being made.
  PutText(dir / "extlinux.conf", "LABEL a\nLINUX /i\n");
  EXPECT_THAT(backend.Write({{fdt, "x.dtb"}, {cpus, "1"}}), IsError(ErrorCode::kInvalidInput));
  EXPECT_EQ(TextOf(dir / "extlinux.conf"), "LABEL a\nLINUX /i\n");
}

TEST(ExtlinuxBackendTest, RulesAreOfItsTwoKeys) {
  const ExtlinuxBackend backend("extlinux.conf");
  ASSERT_EQ(backend.rules().size(), 2U);
  for (const ConfigRule& rule : backend.rules()) {
    EXPECT_EQ(rule.backend, "extlinux.conf");
    EXPECT_TRUE(rule.needs_reboot);
    EXPECT_NE(rule.refusal(rule.key, "a b"), "");
    EXPECT_EQ(rule.refusal(rule.key, "2"), "");
  }
  EXPECT_EQ(backend.rules()[0].key, "BALENA_HOST_EXTLINUX_isolcpus");
  EXPECT_EQ(backend.rules()[1].key, "BALENA_HOST_EXTLINUX_fdt");
}

}  // namespace
}  // namespace lockstep::test
