#include "config_backends/config_txt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "format_testing.h"
#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

ConfigTxt Parsed(std::string_view text) {
  auto parsed = ConfigTxt::Parse(text);
  EXPECT_THAT(parsed, IsOk());
  return std::move(parsed).assume_value();
}

ConfigValues ValuesOf(std::string_view text) { return Parsed(text).Values(); }

std::string Changed(std::string_view text, const std::string& key,
                    const std::optional<std::string>& value) {
  ConfigTxt file = Parsed(text);
  EXPECT_THAT(value ? file.Set(key, *value) : file.Erase(key), IsOk());
  return file.ToText();
}

TEST(ConfigTxtTest, WhatIsNotChangedStaysToTheByte) {
  const auto files = FilesOf("config_txt");
  ASSERT_GE(files.size(), 8U);
  for (const auto& [name, text] : files) EXPECT_EQ(Parsed(text).ToText(), text) << name;
}

TEST(ConfigTxtTest, ReadsWhatRaspberryPiOsShips) {
  EXPECT_EQ(ValuesOf(FilesOf("config_txt").at("raspios.txt")),
            (ConfigValues{{"dtparam", "audio=on"},
                          {"camera_auto_detect", "1"},
                          {"display_auto_detect", "1"},
                          {"auto_initramfs", "1"},
                          {"dtoverlay", "vc4-kms-v3d"},
                          {"max_framebuffers", "2"},
                          {"disable_fw_kms_setup", "1"},
                          {"arm_64bit", "1"},
                          {"disable_overscan", "1"},
                          {"arm_boost", "1"}}));
}

TEST(ConfigTxtTest, ReadsOnlyWhatHoldsForEveryBoard) {
  EXPECT_EQ(ValuesOf(FilesOf("config_txt").at("many_boards.txt")),
            (ConfigValues{{"arm_freq", "900"}, {"gpu_mem", "128"}}));
}

// Without it a balenaFin is not reached any more; no target names it.
TEST(ConfigTxtTest, TheOverlayOfTheBoardIsNoValueAndStays) {
  const std::string text = "dtoverlay=balena-fin\ndtoverlay=w1-gpio\n";
  EXPECT_EQ(Changed(text, "dtoverlay", "vc4-fkms-v3d"),
            "dtoverlay=balena-fin\ndtoverlay=vc4-fkms-v3d\n");
  EXPECT_EQ(Changed(text, "dtoverlay", std::nullopt), "dtoverlay=balena-fin\n");
  EXPECT_EQ(CanonicalConfigTxtList("dtoverlay", R"("balena-fin","a")"), "a");
}

// On the board that the filter is for, the line below is the overlay's.
TEST(ConfigTxtTest, ANewParameterComesBeforeAnOverlayOfAnyBoard) {
  const std::string text = "[cm5]\ndtoverlay=dwc2,dr_mode=host\n[all]\ndtparam=watchdog=on\n";
  const std::string changed = Changed(text, "dtparam", R"("watchdog=on","act_led_trigger=none")");
  EXPECT_LT(changed.find("act_led_trigger"), changed.find("dtoverlay")) << changed;
}

TEST(ConfigTxtTest, ReadsOverlaysWithTheirParameters) {
  const auto values = ValuesOf(FilesOf("config_txt").at("balena_fin.txt"));
  EXPECT_EQ(values.at("dtoverlay"), R"("i2c-rtc,ds1307","w1-gpio,gpiopin=4,pullup=on")");
  EXPECT_EQ(values.at("dtparam"), R"("i2c_arm=on","spi=on","audio=on")");
  EXPECT_EQ(values.at("gpio"), R"("2=op,dh","3=op,dl","4-6=ip,pu")");
}

TEST(ConfigTxtTest, ReadsOddLinesAsTheFirmwareDoes) {
  const auto kiosk = ValuesOf(FilesOf("config_txt").at("kiosk.txt"));
  EXPECT_EQ(kiosk.at("gpu_mem"), "320");  // The last one.
  EXPECT_EQ(kiosk.at("hdmi_force_hotplug:1"), "1");
  EXPECT_EQ(kiosk.at("ignore_lcd"), "0");
  EXPECT_EQ(kiosk.at("config_hdmi_boost"), "7 # for the long cable");
  EXPECT_EQ(kiosk.at("dtparam"), "i2s=on");  // Behind an empty dtoverlay.
  EXPECT_EQ(kiosk.at("dtoverlay"),
            R"("ads7846,cs=1,penirq=25,penirq_pull=2,speed=50000,swapxy=1,xmin=400,ymin=300,)"
            R"(xmax=3900","rpi-backlight")");
  EXPECT_EQ(ValuesOf(FilesOf("config_txt").at("ubuntu.txt")).at("initramfs"),
            "initrd.img followkernel");
  EXPECT_EQ(
      ValuesOf(FilesOf("config_txt").at("windows.txt")),
      (ConfigValues{{"gpu_mem", "64"}, {"dtoverlay", "vc4-fkms-v3d"}, {"dtparam", "audio=on"}}));
  EXPECT_EQ(ValuesOf(FilesOf("config_txt").at("rubbish.txt")), (ConfigValues{{"gpu_mem", "16"}}));
}

struct FilterCase {
  std::string name;
  std::string filter;
  bool for_all;
};
class FilterTest : public ::testing::TestWithParam<FilterCase> {};
TEST_P(FilterTest, OnlyAllHoldsForEveryBoard) {
  const std::string text = "a=1\n[pi4]\n" + GetParam().filter + "\na=2\n";
  EXPECT_EQ(ValuesOf(text).at("a"), GetParam().for_all ? "2" : "1");
}
INSTANTIATE_TEST_SUITE_P(
    Cases, FilterTest,
    ::testing::Values(
        FilterCase{"All", "[all]", true}, FilterCase{"AllWithBlanksBehind", "[all] \t", true},
        FilterCase{"AllOfWindows", "[all]\r", true}, FilterCase{"AllIndented", " [all]", false},
        FilterCase{"AllInCapitals", "[ALL]", false}, FilterCase{"AllAndMore", "[all] x", false},
        FilterCase{"AllInAComment", "#[all]", false}, FilterCase{"Model", "[pi3+]", false},
        FilterCase{"None", "[none]", false}, FilterCase{"Display", "[EDID=VSC-TD2220]", false},
        FilterCase{"Serial", "[0x12345678]", false}, FilterCase{"Pin", "[gpio4=1]", false},
        FilterCase{"BoardType", "[board-type=0x14]", false}, FilterCase{"NotClosed", "[all", false},
        FilterCase{"Empty", "[]", false}),
    [](const auto& param_info) { return param_info.param.name; });

struct ChangeCase {
  std::string name;
  std::string before;
  std::string key;
  std::optional<std::string> value;
  std::string after;
};
class ConfigTxtChangeTest : public ::testing::TestWithParam<ChangeCase> {};
TEST_P(ConfigTxtChangeTest, ChangesNoOtherLine) {
  const ChangeCase& row = GetParam();
  EXPECT_EQ(Changed(row.before, row.key, row.value), row.after);
  EXPECT_EQ(Changed(row.after, row.key, row.value), row.after) << "not twice the same";
}
const auto kNameOf = [](const auto& param_info) { return param_info.param.name; };

INSTANTIATE_TEST_SUITE_P(
    Settings, ConfigTxtChangeTest,
    ::testing::Values(
        ChangeCase{"InPlace", "# m\n\tgpu_mem=16  \n# n\n", "gpu_mem", "64",
                   "# m\n\tgpu_mem=64\n# n\n"},
        ChangeCase{"SameValue", "gpu_mem=16 \n", "gpu_mem", "16", "gpu_mem=16 \n"},
        ChangeCase{"LastOfSeveral", "a=1\nb=1\na=2\n", "a", "3", "a=1\nb=1\na=3\n"},
        ChangeCase{"NotUnderAFilter", "a=1\n[pi4]\na=2\n", "a", "3", "a=3\n[pi4]\na=2\n"},
        ChangeCase{"UnderAll", "a=1\n[pi4]\na=2\n[all]\na=4\n", "a", "3",
                   "a=1\n[pi4]\na=2\n[all]\na=3\n"},
        ChangeCase{"NewAtTheEnd", "a=1\n# end\n", "b", "2", "a=1\n# end\nb=2\n"},
        ChangeCase{"NewBehindAFilter", "[pi4]\na=1\n", "a", "2", "[pi4]\na=1\n[all]\na=2\n"},
        ChangeCase{"NewInAnEmptyFile", "", "a", "1", "a=1\n"},
        ChangeCase{"NewAfterNoNewline", "a=1", "b", "2", "a=1\nb=2\n"},
        ChangeCase{"NewAfterNoNewlineOfWindows", "a=1\r\nc=1", "b", "2", "a=1\r\nc=1\r\nb=2\r\n"},
        ChangeCase{"KeepsTheMark", "\xef\xbb\xbfgpu_mem=1\r\n", "gpu_mem", "2",
                   "\xef\xbb\xbfgpu_mem=2\r\n"},
        ChangeCase{"BlankBeforeEqualsIsAnotherKey", "a =1\n", "a", "2", "a =1\na=2\n"},
        ChangeCase{"BlankBehindEqualsIsValue", "a= 1\n", "a", "1", "a=1\n"},
        ChangeCase{"KeysOfTwoPorts", "hdmi_group:0=1\n", "hdmi_group:1", "2",
                   "hdmi_group:0=1\nhdmi_group:1=2\n"},
        ChangeCase{"EraseTakesEveryLine", "a=1\nb=1\n[pi4]\na=5\n[all]\na=2", "a", std::nullopt,
                   "b=1\n[pi4]\na=5\n[all]\n"},
        ChangeCase{"EraseOfNothing", "b=1\n", "a", std::nullopt, "b=1\n"},
        ChangeCase{"ShellAndOtherCharacters", "a=1\n", "a", "$(x);`y`|&<>'#[all]\\",
                   "a=$(x);`y`|&<>'#[all]\\\n"}),
    kNameOf);

INSTANTIATE_TEST_SUITE_P(
    PlainLists, ConfigTxtChangeTest,
    ::testing::Values(
        ChangeCase{"New", "a=1\n", "gpio", R"("2=op","3=ip")", "a=1\ngpio=2=op\ngpio=3=ip\n"},
        ChangeCase{"OneMore", "gpio=2=op\n# c\nb=1\n", "gpio", R"("2=op","3=ip")",
                   "gpio=2=op\ngpio=3=ip\n# c\nb=1\n"},
        ChangeCase{"OneBefore", "# c\ngpio=3=ip\n", "gpio", R"("2=op","3=ip")",
                   "# c\ngpio=2=op\ngpio=3=ip\n"},
        ChangeCase{"OneLess", "gpio=2=op\n# c\ngpio=3=ip\n", "gpio", "3=ip", "# c\ngpio=3=ip\n"},
        ChangeCase{"InPlaceOfAnother", "gpio=1=op\n# c\n  gpio=2=op\ngpio=3=op\n", "gpio",
                   R"("1=op","2=ip","3=op")", "gpio=1=op\n# c\n  gpio=2=ip\ngpio=3=op\n"},
        ChangeCase{"BareIsAListOfOne", "gpio=2=op\n", "gpio", R"("2=op")", "gpio=2=op\n"},
        ChangeCase{"Erase", "gpio=1=op\n[pi4]\ngpio=2=op\n", "gpio", std::nullopt,
                   "[pi4]\ngpio=2=op\n"}),
    kNameOf);

INSTANTIATE_TEST_SUITE_P(
    BaseParameters, ConfigTxtChangeTest,
    ::testing::Values(
        ChangeCase{"NewAtTheEnd", "a=1\n", "dtparam", "audio=on", "a=1\ndtparam=audio=on\n"},
        // Behind an overlay the firmware would look there first: vc4-kms-v3d has an "audio" too.
        ChangeCase{"NewBeforeOverlays", "a=1\ndtoverlay=vc4-kms-v3d\n", "dtparam", "audio=on",
                   "a=1\ndtparam=audio=on\ndtoverlay=vc4-kms-v3d\n"},
        ChangeCase{"NewBeforeOverlaysUnderAFilter", "a=1\n[pi4]\nb=1\ndtoverlay=x\n[all]\n",
                   "dtparam", "i2s=on", "a=1\ndtparam=i2s=on\n[pi4]\nb=1\ndtoverlay=x\n[all]\n"},
        ChangeCase{"NewBehindALeadingReset", "dtoverlay=\ndtoverlay=x\n", "dtparam", "i2s=on",
                   "dtoverlay=\ndtparam=i2s=on\ndtoverlay=x\n"},
        ChangeCase{"OneMore", "dtparam=audio=on\ndtoverlay=x\n", "dtparam",
                   R"("audio=on","i2s=on")", "dtparam=audio=on\ndtparam=i2s=on\ndtoverlay=x\n"},
        ChangeCase{"CommasAreAsGoodAsALine", "dtparam=i2c_arm=on,spi=on\ndtparam=audio=on\n",
                   "dtparam", "i2c_arm=on,spi=on,audio=on",
                   "dtparam=i2c_arm=on,spi=on\ndtparam=audio=on\n"},
        ChangeCase{"InPlaceOnALineOfSeveral", "dtparam=i2c_arm=on,spi=on\n", "dtparam",
                   R"("i2c_arm=on","spi=off")", "dtparam=i2c_arm=on,spi=off\n"},
        ChangeCase{"OneLessOnALineOfSeveral", "dtparam=i2c_arm=on,spi=on\n", "dtparam", "spi=on",
                   "dtparam=spi=on\n"},
        ChangeCase{"OneBetween", "dtparam=a,c\n", "dtparam", "a,b,c", "dtparam=a,b,c\n"},
        ChangeCase{"OneBefore", "# c\ndtparam=b\n", "dtparam", "a,b",
                   "# c\ndtparam=a\ndtparam=b\n"},
        ChangeCase{"NotThoseOfAnOverlay", "dtoverlay=x\ndtparam=speed=1,audio=on\n", "dtparam",
                   "audio=off", "dtoverlay=x\ndtparam=speed=1,audio=off\n"},
        ChangeCase{"EraseLeavesThoseOfAnOverlay",
                   "dtparam=spi=on\ndtoverlay=x\ndtparam=speed=1,audio=on\n", "dtparam",
                   std::nullopt, "dtoverlay=x\ndtparam=speed=1\n"},
        ChangeCase{"OutOfAnOverlayIfItCouldFallToIt", "dtoverlay=x\ndtparam=audio=on\n", "dtparam",
                   "i2s=on", "dtparam=i2s=on\ndtoverlay=x\n"},
        ChangeCase{"EraseMakesNoLeadingReset", "dtparam=spi=on\ndtoverlay=\nb=1\n", "dtparam",
                   std::nullopt, "b=1\n"}),
    kNameOf);

INSTANTIATE_TEST_SUITE_P(
    Overlays, ConfigTxtChangeTest,
    ::testing::Values(
        ChangeCase{"New", "a=1\n", "dtoverlay", "vc4-kms-v3d,cma-64",
                   "a=1\ndtoverlay=vc4-kms-v3d,cma-64\n"},
        ChangeCase{"NewTakesNoParameterOfOthers", "dtparam=i2s=on\n[cm4]\ndtparam=x=1\n",
                   "dtoverlay", "new",
                   "dtparam=i2s=on\n[cm4]\ndtparam=x=1\n[all]\ndtoverlay=new\n"},
        ChangeCase{"OneMore", "dtoverlay=a\ndtparam=p=1\n# c\nb=1\n", "dtoverlay",
                   R"("a,p=1","new")", "dtoverlay=a\ndtparam=p=1\ndtoverlay=new\n# c\nb=1\n"},
        ChangeCase{"OneMoreBehindParametersUnderAFilter",
                   "dtoverlay=a\n[pi4]\ndtparam=p=1\nc=1\n[all]\nb=1\n", "dtoverlay",
                   R"("a","new")",
                   "dtoverlay=a\n[pi4]\ndtparam=p=1\nc=1\n[all]\ndtoverlay=new\nb=1\n"},
        ChangeCase{"OneMoreBehindAFilterAtTheEnd", "dtoverlay=a\n[pi4]\ndtparam=p=1", "dtoverlay",
                   R"("a","new")", "dtoverlay=a\n[pi4]\ndtparam=p=1\n[all]\ndtoverlay=new\n"},
        ChangeCase{"OneMoreBeforeTheReset", "dtoverlay=a\ndtoverlay=\ndtparam=i2s=on\n",
                   "dtoverlay", R"("a","new")",
                   "dtoverlay=a\ndtoverlay=new\ndtoverlay=\ndtparam=i2s=on\n"},
        ChangeCase{"OneBefore", "dtparam=i2s=on\ndtoverlay=a\n", "dtoverlay", R"("new","a")",
                   "dtparam=i2s=on\ndtoverlay=new\ndtoverlay=a\n"},
        ChangeCase{"OtherParameter", "# rtc\ndtoverlay=i2c-rtc\ndtparam=ds1307\n# end\n",
                   "dtoverlay", "i2c-rtc,ds3231", "# rtc\ndtoverlay=i2c-rtc,ds3231\n# end\n"},
        ChangeCase{"ParametersOnTheirLinesAreTheSame", "dtoverlay=i2c-rtc\ndtparam=ds1307\n",
                   "dtoverlay", "i2c-rtc,ds1307", "dtoverlay=i2c-rtc\ndtparam=ds1307\n"},
        ChangeCase{"OneLess", "dtoverlay=a\ndtparam=p=1,audio=on\n# c\ndtoverlay=b\n", "dtoverlay",
                   "b", "dtparam=audio=on\n# c\ndtoverlay=b\n"},
        ChangeCase{"Erase", "dtoverlay=a,x=1\n  dtparam=p=1\n[pi4]\ndtoverlay=a\n", "dtoverlay",
                   std::nullopt, "[pi4]\ndtoverlay=a\n"},
        ChangeCase{"EraseMakesNoLeadingReset", "dtoverlay=a\ndtoverlay=\ndtparam=i2s=on\n",
                   "dtoverlay", std::nullopt, "dtparam=i2s=on\n"},
        ChangeCase{"EraseLeavesALeadingReset", "dtoverlay=\ndtoverlay=a\n", "dtoverlay",
                   std::nullopt, "dtoverlay=\n"},
        ChangeCase{"QuotesInTheFileAreNoListThere", "dtoverlay=\"vc4-kms-v3d\"\n", "dtoverlay",
                   "vc4-kms-v3d", "dtoverlay=vc4-kms-v3d\n"}),
    kNameOf);

TEST(ConfigTxtTest, LongOverlaysGetLinesForTheirParameters) {
  const std::string a(40, 'a');
  const std::string b(40, 'b');
  EXPECT_EQ(Changed("", "dtoverlay", "foo," + a + ',' + b), "dtoverlay=foo," + a + ',' + b + '\n');
  EXPECT_EQ(Changed("", "dtoverlay", "fooooo," + a + ',' + b + ",c"),
            "dtoverlay=fooooo\ndtparam=" + a + "\ndtparam=" + b + "\ndtparam=c\n");
  // `audio` on a line of its own would be the base's.
  EXPECT_EQ(Changed("", "dtoverlay", "fooooo," + a + ",audio=on," + b),
            "dtoverlay=fooooo," + a + ",audio=on\ndtparam=" + b + '\n');
}

struct RefusalCase {
  std::string name;
  std::string key;
  std::string value;
  std::string why;  // Part of it; empty: none.
};
class ConfigTxtRefusalTest : public ::testing::TestWithParam<RefusalCase> {};
TEST_P(ConfigTxtRefusalTest, SaysWhyAndWritesNothing) {
  const RefusalCase& row = GetParam();
  const std::string why = ConfigTxtRefusal(row.key, row.value);
  if (row.why.empty()) {
    EXPECT_EQ(why, "");
  } else {
    EXPECT_THAT(why, ::testing::HasSubstr(row.why));
  }
  ConfigTxt file = Parsed("a=1\n");
  const auto set = file.Set(row.key, row.value);
  EXPECT_EQ(set.has_error(), !row.why.empty());
  if (set.has_error()) {
    EXPECT_THAT(set, IsError(ErrorCode::kInvalidInput));
    EXPECT_EQ(file.ToText(), "a=1\n");
  }
}
INSTANTIATE_TEST_SUITE_P(
    Cases, ConfigTxtRefusalTest,
    ::testing::Values(
        RefusalCase{"Empty", "a", "", "is empty"},
        RefusalCase{"WhatTheBoardHas", "dtoverlay", "balena-fin", "anyway"},
        RefusalCase{"Newline", "a", "1\n[pi4]", "control"},
        RefusalCase{"CarriageReturn", "a", "1\r2", "control"},
        RefusalCase{"Nul", "a", std::string("1\0", 2), "control"},
        RefusalCase{"Tab", "a", "1\t2", "control"}, RefusalCase{"Delete", "a", "\x7f", "control"},
        RefusalCase{"BlankBefore", "a", " 1", "blank"},
        RefusalCase{"BlankBehind", "a", "1 ", "blank"}, RefusalCase{"Quote", "a", "\"1\"", "quote"},
        RefusalCase{"BlankWithin", "hdmi_cvt", "800 480 60", ""},
        RefusalCase{"Longest", "a", std::string(96, 'x'), ""},
        RefusalCase{"TooLong", "a", std::string(97, 'x'), "98"},
        RefusalCase{"NoKey", "", "1", "key"}, RefusalCase{"KeyOfAFilter", "[pi4]", "1", "key"},
        RefusalCase{"KeyOfAComment", "#a", "1", "key"},
        RefusalCase{"KeyWithEquals", "a=b", "1", "key"},
        RefusalCase{"KeyWithBlank", "a b", "1", "key"},
        RefusalCase{"KeyWithNewline", "a\nb", "1", "key"},
        RefusalCase{"EmptyList", "gpio", "", "empty"},
        RefusalCase{"EmptyEntry", "dtoverlay", R"("a","")", "empty"},
        RefusalCase{"NotClosed", "dtoverlay", R"("a","b)", "no list"},
        RefusalCase{"QuoteInAnEntry", "dtoverlay", R"(a"b)", "quote"},
        RefusalCase{"NewlineInAnEntry", "dtparam", "\"a\",\"b\nc\"", "control"},
        RefusalCase{"BlankBesideAComma", "dtparam", "a, b", "blank"},
        RefusalCase{"CommasOnly", "dtparam", ",,", "name"},
        RefusalCase{"OverlayWithoutName", "dtoverlay", ",a=1", "name"},
        RefusalCase{"LongParameters", "dtparam", std::string(80, 'a') + ',' + std::string(80, 'b'),
                    ""},
        RefusalCase{"TooLongParameter", "dtparam", std::string(91, 'a'), "98"},
        RefusalCase{"TooLongOverlay", "dtoverlay", std::string(89, 'a'), "98"},
        RefusalCase{"TooLongGpio", "gpio", std::string(94, 'a'), "98"},
        RefusalCase{"TooLongForOneLineThatMustBeOne", "dtoverlay",
                    std::string(85, 'a') + ",audio=on", "98"}),
    kNameOf);

TEST(ConfigTxtTest, CanonicalListsAreWhatIsReadBack) {
  EXPECT_EQ(CanonicalConfigTxtList("dtparam", "i2c_arm=on,spi=on"), R"("i2c_arm=on","spi=on")");
  EXPECT_EQ(CanonicalConfigTxtList("dtparam", R"("spi=on")"), "spi=on");
  EXPECT_EQ(CanonicalConfigTxtList("dtoverlay", R"("a,b=1",  "c")"), R"("a,b=1","c")");
  EXPECT_EQ(CanonicalConfigTxtList("dtoverlay", "a,b"), "a,b");
  EXPECT_EQ(CanonicalConfigTxtList("dtoverlay", R"("a)"), R"("a)");
  EXPECT_EQ(CanonicalConfigTxtList("gpio", "2,3=op"), "2,3=op");
}

TEST(ConfigTxtTest, RefusesWhatIsNoText) {
  EXPECT_THAT(ConfigTxt::Parse(std::string("a=1\n\0b", 6)), IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(ConfigTxt::Parse(std::string("\xff\xfe"
                                           "a\0=\0",
                                           6)),
              IsError(ErrorCode::kInvalidInput));
}

TEST(ConfigTxtTest, KeepsALineOfAMegabyte) {
  const std::string text = "a=1\n# " + std::string(1U << 20, 'x') + "\nb=2\n";
  EXPECT_EQ(Changed(text, "a", "2"), "a=2" + text.substr(3));
}

TEST(ConfigTxtTest, HundredThousandLinesTakeLinearTime) {
  std::string text;
  for (int i = 0; i < 25'000; ++i) {
    text += "# c\n[pi4]\ndtoverlay=a\n[all]\ndtoverlay=b" + std::to_string(i) + ",p\ndtparam=q\n";
  }
  for (int i = 0; i < 25'000; ++i) text += "dtoverlay=\n";
  const auto begin = std::chrono::steady_clock::now();
  ConfigTxt file = Parsed(text);
  ASSERT_THAT(file.Set("gpu_mem", "16"), IsOk());
  ASSERT_THAT(file.Erase("dtoverlay"), IsOk());
  ASSERT_THAT(file.Set("dtoverlay", R"("x","y")"), IsOk());
  ASSERT_THAT(file.Set("dtparam", "audio=on"), IsOk());
  EXPECT_EQ(file.Values().size(), 3U);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

}  // namespace
}  // namespace lockstep::test
